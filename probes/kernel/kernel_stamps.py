"""Time stamps taken by the kernel, and what else it says beside a datagram (Linux, ancillary data).

Receiving: the stamp is taken when the packet enters the IP stack, before any socket queue, so it does not matter
when the process gets round to reading it. Sending: the stamp is taken when the packet is handed to the queue of
the network device (SOF_TIMESTAMPING_TX_SCHED). The later point, when the driver takes the packet, would hide the
time spent in the machine's own queue, which a call feels like any other queue; and it depends on the driver.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING, Final

from probes.kernel.system import HAS_BATCHES, control_length, control_space
from telemetry.sources import StampSource

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDE: Final = sys.maxsize > 2**32
# Not in the socket module. On 32-bit machines the newer options give 64-bit seconds.
SO_TIMESTAMPNS: Final = 35 if _WIDE else 64
SO_TIMESTAMPING: Final = 37 if _WIDE else 65
SO_RXQ_OVFL: Final = 40
IP_PKTINFO: Final = 8
IP_RECVERR: Final = 11
IP_RECVTTL: Final = 12
IP_RECVTOS: Final = 13
IPV6_RECVERR: Final = 25

TX_SCHED: Final = 1 << 8
RX_SOFTWARE: Final = 1 << 3
REPORT_SOFTWARE: Final = 1 << 4
OPT_ID: Final = 1 << 7
OPT_TSONLY: Final = 1 << 11
_BOTH_WAYS: Final = TX_SCHED | RX_SOFTWARE | REPORT_SOFTWARE | OPT_ID | OPT_TSONLY

_TOS: Final = frozenset({(socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)})
ORIGIN_TIMESTAMPING: Final = 4
"""`ee_origin` of a send stamp in the error queue (SO_EE_ORIGIN_TIMESTAMPING)."""

CMSG_HEADER: Final = struct.Struct("@Nii")
"""Length, level, type; the data follows at `CMSG_DATA`, the next header at a multiple of the word size."""
CMSG_DATA: Final = control_length(0)
TIMESPEC: Final = struct.Struct("=qq")
SCM_TIMESTAMPING_SIZE: Final = 3 * TIMESPEC.size
"""Three time stamps: software, (legacy), hardware."""


def enable_receive_stamps(sock: socket.socket) -> StampSource:
    """Ask for a kernel stamp with each datagram received; says which stamps are to be had."""
    if not HAS_BATCHES:
        return StampSource.USER
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:
        return StampSource.USER
    return StampSource.KERNEL


def enable_stamps(sock: socket.socket) -> StampSource:
    """Ask for kernel stamps both ways, send stamps numbered from 0 through the error queue."""
    if not HAS_BATCHES:  # the option's number means something else there
        return StampSource.USER
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, _BOTH_WAYS)
    except OSError:
        return StampSource.USER
    return StampSource.KERNEL


def enable_send_stamps(sock: socket.socket) -> bool:
    """Ask for a kernel stamp of each datagram sent, without touching those received; whether they are to be had."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, TX_SCHED | REPORT_SOFTWARE | OPT_TSONLY)
    except OSError:
        return False
    return True


def disable_send_stamps(sock: socket.socket) -> None:
    """No more of them."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, 0)


def restart_send_numbers(sock: socket.socket) -> None:
    """Number send stamps from 0 again: a send that failed leaves it to the kernel's version whether it counted."""
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, _BOTH_WAYS & ~OPT_ID)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, _BOTH_WAYS)


def enable_drop_counter(sock: socket.socket) -> None:
    """Ask for the count of datagrams that did not fit into the socket's buffer, where the kernel offers it."""
    if not HAS_BATCHES:
        return
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)


def enable_dscp(sock: socket.socket) -> None:
    """Ask for the DSCP with which each datagram comes, where the kernel offers it."""
    with contextlib.suppress(OSError):
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)


def tos_of(control: bytes | memoryview) -> int | None:
    """DSCP and ECN among the control messages of a datagram; None where the kernel did not tell."""
    for level, kind, data in control_messages(control):
        if (level, kind) in _TOS:
            return data[0] if len(data) == 1 else int.from_bytes(data[:4], sys.byteorder) & 0xFF
    return None


def control_messages(control: bytes | memoryview) -> Iterator[tuple[int, int, bytes]]:
    """Level, type and data of each control message; stops at the first that is malformed."""
    at = 0
    while at + CMSG_HEADER.size <= len(control):
        size, level, kind = CMSG_HEADER.unpack_from(control, at)
        if size < CMSG_DATA or at + size > len(control):
            return
        yield level, kind, bytes(control[at + CMSG_DATA : at + size])
        at += control_space(size - CMSG_DATA)
