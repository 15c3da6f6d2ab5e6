"""Answering from the address that was asked (IP_PKTINFO), where a socket is bound to all addresses of a machine.

Otherwise the kernel picks the source of a reply by its route, and on a machine with several addresses a sender
with a connected socket would never see the answer.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from probes.kernel.kernel_stamps import CMSG_DATA, CMSG_HEADER, IP_PKTINFO
from probes.kernel.system import control_length, control_space

if TYPE_CHECKING:
    from typing import Self

_V4: Final = struct.Struct("=i4s4s")
"""struct in_pktinfo: interface, local address, destination in the header."""
_V6: Final = struct.Struct("=16sI")
"""struct in6_pktinfo: address, interface."""


@dataclass(frozen=True, slots=True)
class PacketInfo:
    """How to read and write the ancillary data of one family."""

    level: int
    kind: int
    size: int
    """Octets of the message that goes with a reply."""

    @classmethod
    def enable(cls, sock: socket.socket) -> Self | None:
        """Ask for it when the socket is bound to all addresses; None when it is not, so that nothing is needed."""
        if not ipaddress.ip_address(sock.getsockname()[0]).is_unspecified:
            return None
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            return cls(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, control_space(_V6.size))
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        return cls(socket.IPPROTO_IP, IP_PKTINFO, control_space(_V4.size))

    def matches(self, level: int, kind: int) -> bool:
        """Whether a control message is of this kind."""
        return level == self.level and kind == self.kind

    def asked_address(self, asked: bytes) -> bytes:
        """The packed address that a request was sent to."""
        return asked[:16] if self.level == socket.IPPROTO_IPV6 else bytes(_V4.unpack_from(asked)[2])

    def as_asked(self, address: bytes) -> bytes:
        """What the kernel would say of a request to this packed address."""
        return address + bytes(4) if self.level == socket.IPPROTO_IPV6 else _V4.pack(0, address, address)

    def answer_from(self, asked: bytes, control: memoryview, slot: int) -> None:
        """Write into a reply's control data that it leaves from the address that was asked."""
        at = slot * self.size
        if self.level == socket.IPPROTO_IPV6:
            body = asked[: _V6.size]
        else:
            _, local, _ = _V4.unpack_from(asked)
            body = _V4.pack(0, local, bytes(4))
        CMSG_HEADER.pack_into(control, at, control_length(len(body)), self.level, self.kind)
        control[at + CMSG_DATA : at + CMSG_DATA + len(body)] = body
