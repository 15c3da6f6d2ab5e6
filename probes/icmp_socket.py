"""One socket for all echoes: raw where that is permitted, else the kernel's unprivileged ICMP socket.

Replies carry the kernel's receive stamp (SO_TIMESTAMPNS), so that a busy event loop does not add to the round trip.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from probes.icmp_packet import ECHO_REPLY, Echo, parse_reply
from telemetry.messages import StampSource

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOL_RAW: Final = 255
_ICMP_FILTER: Final = 1
_SO_TIMESTAMPNS: Final = 35
_TIMESPEC: Final = struct.Struct("@qq")
_MAX_PACKET: Final = 2048
_ALL_BUT_REPLIES: Final = struct.pack("@I", ~(1 << ECHO_REPLY) & 0xFFFFFFFF)


class IcmpRefusedError(Exception):
    """This machine lets us open no ICMP socket; the text says what would let us."""


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
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        if raw:
            sock.setsockopt(_SOL_RAW, _ICMP_FILTER, _ALL_BUT_REPLIES)

    def fileno(self) -> int:
        """For the event loop."""
        return self._sock.fileno()

    def send(self, packet: bytes, address: str) -> None:
        """Send to an IPv4 address.

        Raises:
            OSError: no route, or the kernel refuses.
        """
        self._sock.sendto(packet, (address, 0))

    def replies(self) -> Iterator[Reply]:
        """Every echo reply that has arrived, ours or not."""
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
    raise IcmpRefusedError(
        "no ICMP socket is permitted: give the probe CAP_NET_RAW, or widen net.ipv4.ping_group_range to its group"
    )


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, StampSource]:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return seconds * 1_000_000_000 + nanoseconds, StampSource.KERNEL
    return time.time_ns(), StampSource.USER
