"""UDP sockets that say when the kernel took a datagram in, when it sent one, and how many it had to drop."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from probes.kernel.kernel_stamps import (
    OPT_ID,
    OPT_TSONLY,
    REPORT_SOFTWARE,
    SCM_TIMESTAMPING_SIZE,
    SO_RXQ_OVFL,
    SO_TIMESTAMPING,
    SO_TIMESTAMPNS,
    TIMESPEC,
    TX_SCHED,
)

RECEIVE_BUFFER_BYTES: Final = 1 << 20
LARGEST_PAYLOAD: Final = 2048
"""Larger datagrams are dropped and counted; a probe stays below 1,500."""
ANCILLARY_BYTES: Final = (
    socket.CMSG_SPACE(TIMESPEC.size) + socket.CMSG_SPACE(4) + socket.CMSG_SPACE(SCM_TIMESTAMPING_SIZE)
)
_ERROR_BYTES: Final = 512
_SEND_STAMPS: Final = TX_SCHED | REPORT_SOFTWARE | OPT_ID | OPT_TSONLY
_MOST_ERRORS: Final = 64

Ancillary = list[tuple[int, int, bytes]]


def udp_socket(host: str = "127.0.0.1", *, send_stamps: bool = False) -> socket.socket:
    """A non-blocking UDP socket on a free port, with receive stamps; with send stamps where the kernel has them."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    if send_stamps:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, _SEND_STAMPS)
    sock.bind((host, 0))
    return sock


def stamp_ns(ancillary: Ancillary) -> int | None:
    """Real time (ns) at which the kernel received the datagram; None when it did not say."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = TIMESPEC.unpack_from(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None


def overflows(ancillary: Ancillary) -> int:
    """Datagrams that the kernel has dropped at this socket so far, when it says so; else 0 were dropped."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
            return int.from_bytes(data[:4], "little")
    return 0


def sent_ns(sock: socket.socket, began_ns: int, ended_ns: int) -> int | None:
    """Real time at which the kernel took the datagram just sent; None when it does not say.

    On loopback the stamp is there when `send` returns. One from outside the call would be another datagram's: then all
    that are waiting are thrown away.
    """
    try:
        _, ancillary, _, _ = sock.recvmsg(1, _ERROR_BYTES, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING:
            seconds, nanoseconds = TIMESPEC.unpack_from(data)
            at_ns = int(seconds * 1_000_000_000 + nanoseconds)
            if began_ns <= at_ns <= ended_ns:
                return at_ns
    drain_errors(sock)
    return None


def drain_errors(sock: socket.socket) -> None:
    """Throw away what waits in the error queue, or its readiness would be told for ever."""
    with contextlib.suppress(OSError):
        for _ in range(_MOST_ERRORS):
            sock.recvmsg(1, _ERROR_BYTES, socket.MSG_ERRQUEUE)
