"""The requests that one go of the reflector receives: their memory, and what the kernel tells of each beside it."""

from __future__ import annotations

import socket
import struct
import sys
import time
from typing import TYPE_CHECKING, Final

from probes.kernel.datagram_batch import SOCKADDR, DatagramBatch, ReplyBatch
from probes.kernel.kernel_stamps import SO_RXQ_OVFL, SO_TIMESTAMPNS, TIMESPEC, control_messages, tos_of
from probes.kernel.packet_info import PacketInfo
from probes.stamp.timestamps import SECOND_NS
from telemetry.messages import StampSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from probes.reflecting.reflector_counters import ReflectorCounters

SLOTS: Final = 16
"""Datagrams per batch. All replies of a batch carry a T3 taken just before they are sent together, so a larger
batch would make the later ones' T3 early."""
OCTETS: Final = 9216
"""Room for a jumbo frame; what does not fit is cut, and answered as far as it came."""
CONTROL: Final = 192

_STAMP_AND_TTL: Final = struct.Struct("@Nii qq Nii i")
_INT: Final = struct.Struct("=I")
_PORT: Final = struct.Struct("!H")
_KEYS: Final = {socket.AF_INET: struct.Struct("=Q"), socket.AF_INET6: struct.Struct("=IxxxxQQI")}
"""Family, port and address (and scope) out of a sockaddr."""
_NAME_SIZE: Final = {socket.AF_INET: 16, socket.AF_INET6: SOCKADDR}
_TTL: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TTL),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT),
}
_TOS: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TOS),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
}
_ADDRESS: Final = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}

Peer = tuple[str, int] | tuple[str, int, int, int]


class RequestBatch:
    """The requests lie in `data`, `OCTETS` apart; their senders in `names`. A reply takes the place of its request."""

    def __init__(
        self, sock: socket.socket, field: Callable[[int, int], int], counters: ReflectorCounters
    ) -> None:
        """`field`: seconds and ns of Unix time as a time stamp on the wire."""
        family = self.family = sock.family
        self.info = PacketInfo.enable(sock)
        self.requests = DatagramBatch(SLOTS, OCTETS, CONTROL)
        self.replies = ReplyBatch(self.requests, _NAME_SIZE[family], self.info.size if self.info else 0)
        self.data = self.requests.data.reshape(-1).data
        self.names = self.requests.names.reshape(-1).data
        self.reply_control = self.replies.control.reshape(-1).data
        self.tos = _TOS[family]
        """Level and type of the control message that carries DSCP and ECN."""
        self._control = self.requests.control.reshape(-1).data
        self._field = field
        self._counters = counters
        self._bound = sock.getsockname()[0].partition("%")[0]
        self._key = _KEYS[family]
        self._ttl_level, self._ttl_kind = _TTL[family]
        self._address = _ADDRESS[family]

    def session_key(self, slot: int) -> tuple[int, ...]:
        """Where a request came from, as few numbers."""
        return self._key.unpack_from(self.names, slot * SOCKADDR)

    def source(self, slot: int) -> tuple[bytes, int]:
        """The packed address and the port that a request came from."""
        name = slot * SOCKADDR
        (port,) = _PORT.unpack_from(self.names, name + 2)
        return bytes(self.names[name + self._address.start : name + self._address.stop]), port

    def whence(self, slot: int) -> Peer:
        """The same as sockets take it."""
        packed, port = self.source(slot)
        host = socket.inet_ntop(self.family, packed)
        if self.family == socket.AF_INET:
            return host, port
        scope = self.names[slot * SOCKADDR + 24 : slot * SOCKADDR + 28]
        return host, port, 0, int.from_bytes(scope, sys.byteorder)

    def tos_of(self, slot: int) -> int | None:
        """DSCP and ECN of a request; None: the kernel did not tell."""
        return tos_of(self._told(slot))

    def as_received(self, slot: int) -> tuple[int | None, bytes]:
        """DSCP and ECN of a request (None: the kernel did not tell), and the packed address that it was sent to."""
        tos, asked = None, socket.inet_pton(self.family, self._bound)
        for level, kind, data in control_messages(self._told(slot)):
            if (level, kind) == self.tos:
                tos = data[0] if len(data) == 1 else int.from_bytes(data[:4], sys.byteorder)
            elif self.info is not None and self.info.matches(level, kind):
                asked = self.info.asked_address(data)
        return tos, asked

    def stamp_and_ttl(self, slot: int) -> tuple[int, int, StampSource]:
        """T2 as it stands on the wire, the TTL that the request came with (0 where unknown), and who took T2."""
        at = slot * CONTROL
        _, level, kind, seconds, ns, _, level2, kind2, ttl = _STAMP_AND_TTL.unpack_from(self._control, at)
        if (
            kind == SO_TIMESTAMPNS
            and kind2 == self._ttl_kind
            and level2 == self._ttl_level
            and level == socket.SOL_SOCKET
        ):
            return self._field(seconds, ns), ttl, StampSource.KERNEL
        return self._walk(slot)

    def _walk(self, slot: int) -> tuple[int, int, StampSource]:
        """The same when the kernel told more, or less, than usual."""
        t2, ttl, source = 0, 0, StampSource.USER
        for level, kind, data in control_messages(self._told(slot)):
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, ns = TIMESPEC.unpack_from(data)
                t2, source = self._field(seconds, ns), StampSource.KERNEL
            elif (level, kind) == (self._ttl_level, self._ttl_kind):
                (ttl,) = _INT.unpack_from(data)
            elif (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                (self._counters.rx_dropped,) = _INT.unpack_from(data)
            elif self.info is not None and self.info.matches(level, kind):
                self.info.answer_from(data, self.reply_control, slot)
        if source is StampSource.USER:
            self._counters.user_stamped += 1
            t2 = self._field(*divmod(time.time_ns(), SECOND_NS))
        return t2, ttl, source

    def _told(self, slot: int) -> memoryview:
        """The control messages of a request."""
        at, size = slot * CONTROL, int(self.requests.control_lengths[slot])
        return self._control[at : at + min(size, CONTROL)]
