"""One end of the link: a TUN device in its namespace, and two packet sockets that hear what the kernel says of it.

programs ──▶ IP stack ──▶ device ──▶ `read`          the kernel gives a packet to the link: stamp of `leaving`
programs ◀── IP stack ◀── device ◀── `write`         a packet comes out: stamp of `coming`, the very one that a
                                                     UDP socket with SO_TIMESTAMPNS sees of it
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Final

from lab.tun.namespaces import TUN, entered, ip
from probes.kernel.kernel_stamps import SO_TIMESTAMPNS, TIMESPEC

if TYPE_CHECKING:
    from collections.abc import Sequence

DEVICE: Final = "line0"
MTU: Final = 1500
QUEUE_PACKETS: Final = 10_000
"""Packets that wait in the device for the link's process; what does not fit is lost by the link itself, and counted."""
HEAD: Final = 128
"""Octets by which a stamp is matched with its packet."""
_READ: Final = 2048
_BUFFER: Final = 16 << 20
_ANCILLARY: Final = socket.CMSG_SPACE(TIMESPEC.size)
_AHEAD: Final = 64
"""Packets of two processors may pass the tap and enter the device's queue in different orders, but not by many places."""
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_NO_PI: Final = 0x1001
_ETH_P_ALL: Final = 3
_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_PACKET_IGNORE_OUTGOING: Final = 23
_SO_ATTACH_FILTER: Final = 26
_SO_RCVBUFFORCE: Final = 33
_OUTGOING: Final = 4
# Classic BPF (linux/filter.h): load the packet's type (SKF_AD_OFF + SKF_AD_PKTTYPE); outgoing ones pass whole.
_ONLY_OUTGOING: Final = (
    (0x30, 0, 0, 0xFFFF_F004),
    (0x15, 0, 1, _OUTGOING),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


class Tap:
    """The stamps of one way past a device, in order, each with the head of its packet."""

    def __init__(self, *, outgoing: bool) -> None:
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except PermissionError:  # root of a user namespace: as much as net.core.rmem_max lets it have
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if outgoing:
            program = b"".join(struct.pack("HBBI", *step) for step in _ONLY_OUTGOING)
            held = ctypes.create_string_buffer(program, len(program))
            at = struct.pack("HP", len(_ONLY_OUTGOING), ctypes.addressof(held))
            self._sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, at)
        else:
            self._sock.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self._sock.bind((DEVICE, _ETH_P_ALL))
        self._ahead: deque[tuple[bytes, int]] = deque()
        self._gone = 0
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Packets whose stamp found the tap's buffer full, whether or not they came by."""
        _, dropped = struct.unpack("II", self._sock.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        self._dropped += dropped  # the kernel counts from the last asking on
        return self._dropped

    @property
    def strays(self) -> int:
        """Stamps whose packet never came by: the device's queue was full."""
        return self._gone + len(self._ahead)

    def stamp_ns(self, packet: bytes) -> int | None:
        """Real time (ns) at which the kernel saw this packet, which has come by; None when it did not say."""
        head = packet[:HEAD]
        for place, (other, at_ns) in enumerate(self._ahead):
            if other == head:
                del self._ahead[place]
                return at_ns
        for _ in range(_AHEAD):
            try:
                other, ancillary, _, _ = self._sock.recvmsg(HEAD, _ANCILLARY)
            except BlockingIOError:
                break
            seconds, nanoseconds = TIMESPEC.unpack_from(ancillary[0][2])
            if other == head:
                return int(seconds * 1_000_000_000 + nanoseconds)
            self._ahead.append((other, seconds * 1_000_000_000 + nanoseconds))
            if len(self._ahead) > _AHEAD:
                self._ahead.popleft()
                self._gone += 1
        return None

    def close(self) -> None:
        """Let go of the socket."""
        self._sock.close()


class TunEnd:
    """The device of one namespace, held from outside."""

    def __init__(self, namespace: str, addresses: Sequence[str]) -> None:
        """Make the device, give it its addresses (with prefix length) and bring it up.

        Raises:
            OSError: the kernel refuses.
            LabError: `ip` refuses.
        """
        with entered(namespace):
            self.fd = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(self.fd, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN_NO_PI))
        # Nothing that the kernel would say by itself (router solicitations, duplicate address detection).
        link = ("-n", namespace, "link", "set", DEVICE)
        ip(
            *link,
            "mtu",
            str(MTU),
            "txqueuelen",
            str(QUEUE_PACKETS),
            "addrgenmode",
            "none",
            "multicast",
            "off",
        )
        for address in addresses:
            nodad = ("nodad",) if ":" in address else ()
            ip("-n", namespace, "address", "add", address, "dev", DEVICE, *nodad)
        ip(*link, "up")
        with entered(namespace):
            self.leaving = Tap(outgoing=True)
            self.coming = Tap(outgoing=False)

    def read(self) -> bytes | None:
        """The next packet that the kernel gives to the link; None when there is none."""
        try:
            return os.read(self.fd, _READ)
        except BlockingIOError:
            return None

    def write(self, packet: bytes) -> bool:
        """Let a packet come out here; whether the kernel took it."""
        try:
            return os.write(self.fd, packet) == len(packet)
        except OSError:
            return False

    def close(self) -> None:
        """Take the device away."""
        os.close(self.fd)
        self.leaving.close()
        self.coming.close()
