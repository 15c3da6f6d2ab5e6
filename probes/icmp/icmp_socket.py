"""One socket for all echoes: raw where that is permitted, else the kernel's unprivileged ICMP socket.

Both ends of a round trip are stamped by the kernel: replies as they enter the IP stack (SO_TIMESTAMPNS), echoes as they are handed to the
device's queue (SO_TIMESTAMPING, read from the error queue right after sending). So neither a busy event loop nor the system call counts.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from probes.icmp.icmp_packet import ECHO_REPLY, Echo, parse_reply
from probes.kernel.kernel_stamps import (
    OPT_ID,
    OPT_TSONLY,
    REPORT_SOFTWARE,
    SCM_TIMESTAMPING_SIZE,
    SO_TIMESTAMPING,
    SO_TIMESTAMPNS,
    TIMESPEC,
    TX_SCHED,
)
from telemetry.messages import StampSource

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOL_RAW: Final = 255
_ICMP_FILTER: Final = 1
_SEND_STAMPS: Final = TX_SCHED | REPORT_SOFTWARE | OPT_ID | OPT_TSONLY
_ERROR_ROOM: Final = 256
_ERROR_QUEUE: Final = int(getattr(socket, "MSG_ERRQUEUE", 0x2000))
"""Known to Linux alone."""
_MAX_PACKET: Final = 2048
_ALL_BUT_REPLIES: Final = struct.pack("@I", ~(1 << ECHO_REPLY) & 0xFFFFFFFF)


class IcmpRefusedError(Exception):
    """This machine lets us open no ICMP socket; the text says what would let us."""


class IcmpForbiddenError(IcmpRefusedError):
    """It would if we had the right."""


class Reply(NamedTuple):
    """One echo reply."""

    echo: Echo
    source: str
    received_ns: int
    """Real time."""
    stamp: StampSource


class IcmpSocket:
    """A non-blocking IPv4 ICMP socket."""

    def __init__(self, sock: socket.socket, *, raw: bool) -> None:
        self._sock = sock
        self.raw = raw
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        with contextlib.suppress(OSError):  # without it our own clock before sending counts
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, _SEND_STAMPS)
        if raw:
            sock.setsockopt(_SOL_RAW, _ICMP_FILTER, _ALL_BUT_REPLIES)

    def fileno(self) -> int:
        """For the event loop."""
        return self._sock.fileno()

    def send(self, packet: bytes, address: str) -> int | None:
        """Send to an IPv4 address; the kernel's stamp of it, ns of real time, where it gave one at once.

        Raises:
            OSError: no route, or the kernel refuses.
        """
        self._sock.sendto(packet, (address, 0))
        return self._newest_send_stamp()

    def _newest_send_stamp(self) -> int | None:
        """Empty the error queue: its last stamp. What it holds of an earlier echo is older than the sending, as the caller sees."""
        newest: int | None = None
        while True:
            try:
                _, ancillary, _, _ = self._sock.recvmsg(1, _ERROR_ROOM, _ERROR_QUEUE)
            except (
                OSError
            ):  # nothing more there; or an ICMP error about an earlier packet, which replies() passes over
                return newest
            for level, kind, data in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING) and len(
                    data
                ) >= SCM_TIMESTAMPING_SIZE:
                    seconds, ns = TIMESPEC.unpack_from(data)
                    newest = seconds * 1_000_000_000 + ns

    def replies(self) -> Iterator[Reply]:
        """Every echo reply that has arrived, ours or not."""
        self._newest_send_stamp()  # one that came late would wake the event loop for ever
        while True:
            try:
                packet, ancillary, _, source = self._sock.recvmsg(_MAX_PACKET, 64)
            except BlockingIOError:
                return
            except OSError as error:  # an ICMP error about an earlier packet (dgram): the next call goes on
                if error.errno in (errno.EBADF, errno.ENOTSOCK):
                    raise
                continue
            echo = parse_reply(packet, with_ip_header=self.raw)
            if echo is not None:
                received_ns, stamp = _stamp(ancillary)
                yield Reply(echo, source[0], received_ns, stamp)

    def close(self) -> None:
        """Close it."""
        self._sock.close()


def open_icmp() -> IcmpSocket:
    """The best ICMP socket that we may have.

    Raises:
        IcmpRefusedError: neither kind is permitted.
    """
    for kind, raw in ((socket.SOCK_RAW, True), (socket.SOCK_DGRAM, False)):
        try:
            # The number and not a name: /etc/protocols is missing in small containers.
            sock = socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EACCES, errno.EPROTONOSUPPORT):
                raise IcmpRefusedError(f"no ICMP socket: {error.strerror}") from error
            continue
        return IcmpSocket(sock, raw=raw)
    raise IcmpForbiddenError(
        "no ICMP socket is permitted: give the probe CAP_NET_RAW, or let its group ping:"
        " sysctl -w net.ipv4.ping_group_range='0 2147483647'"
    )


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, StampSource]:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= TIMESPEC.size:
            seconds, nanoseconds = TIMESPEC.unpack_from(data)
            return seconds * 1_000_000_000 + nanoseconds, StampSource.KERNEL
    return time.time_ns(), StampSource.USER
