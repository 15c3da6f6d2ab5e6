"""A packet socket whose ring the kernel fills and we read in place (AF_PACKET, PACKET_MMAP, version 2 headers).

No system call per packet, none per batch. Link headers are left off by the kernel, so that Ethernet, PPP, LTE and
tunnels look alike, and VLAN tags are taken off by it. Needs CAP_NET_RAW.
"""

from __future__ import annotations

import mmap
import socket
import struct
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np

from probes.call.kernel_filter import attach
from probes.call.sides import OUTGOING

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

ETH_P_ALL: Final = 3
SOL_PACKET: Final = 263
PACKET_RX_RING: Final = 5
PACKET_STATISTICS: Final = 6
PACKET_VERSION: Final = 10
TPACKET_V2: Final = 1
ARPHRD_LOOPBACK: Final = 772
STATUS_USER: Final = 1

FRAME: Final = 256
"""Octets of a place in the ring: its own header, the address, alignment, and 84 octets of a packet at most."""
BLOCK: Final = 1 << 16
BLOCKS: Final = 32
PLACES: Final = BLOCK * BLOCKS // FRAME
"""8,192 packets, 2 MB: at 10 looks a second, 80,000 packets a second before any is dropped."""

_HEADER: Final = np.dtype({
    "names": ["status", "length", "captured", "net", "seconds", "nanoseconds", "type", "way"],
    "formats": ["<u4", "<u4", "<u4", "<u2", "<u4", "<u4", "<u2", "u1"],
    "offsets": [0, 4, 8, 14, 16, 20, 40, 42],
    "itemsize": FRAME,
})  # fmt: skip
"""struct tpacket2_hdr and, behind it, struct sockaddr_ll (hardware type, packet type)."""


class Caught(NamedTuple):
    """Packets in the ring, to be read before `release`; columns of shape (n,)."""

    octets: NDArray[np.uint8]
    ip_at: NDArray[np.int64]
    captured: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    way: NDArray[np.uint8]
    places: slice


class PacketRing:
    """The headers of the UDP packets of one interface, as the kernel sees them; a context manager."""

    def __init__(self, interface: str) -> None:
        """Begin to capture.

        Raises:
            PermissionError: CAP_NET_RAW is missing.
            OSError: there is no such interface, or it is down.
        """
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        try:
            attach(self._socket)
            self._socket.setsockopt(SOL_PACKET, PACKET_VERSION, struct.pack("i", TPACKET_V2))
            size = struct.pack("IIII", BLOCK, BLOCKS, FRAME, PLACES)
            self._socket.setsockopt(SOL_PACKET, PACKET_RX_RING, size)
            self._memory = mmap.mmap(self._socket.fileno(), BLOCK * BLOCKS)
            self._socket.bind((interface, ETH_P_ALL))
        except BaseException:
            self._socket.close()
            raise
        self._interface = interface
        self._index = socket.if_nametoindex(interface)
        self._octets = np.frombuffer(self._memory, dtype=np.uint8)
        self._frames = np.frombuffer(self._memory, dtype=_HEADER)
        self._next = 0

    def catch(self, most: int = PLACES) -> Caught | None:
        """The packets that are there, up to the ring's end; None when there are none."""
        frames = self._frames[self._next : self._next + most]
        waiting = frames["status"] & STATUS_USER != 0
        count = len(waiting) if waiting.all() else int(waiting.argmin())
        if not count:
            return None
        places = slice(self._next, self._next + count)
        frames = frames[:count]
        at = np.arange(self._next, self._next + count, dtype=np.int64) * FRAME
        time_ns = frames["seconds"].astype(np.int64) * 10**9 + frames["nanoseconds"]
        # A loopback shows each packet twice, leaving and arriving: the arriving one is enough.
        once = np.flatnonzero((frames["type"] != ARPHRD_LOOPBACK) | (frames["way"] != OUTGOING))
        return Caught(
            self._octets,
            (at + frames["net"])[once],
            frames["captured"].astype(np.int64)[once],
            time_ns[once],
            frames["way"][once].copy(),
            places,
        )

    def release(self, caught: Caught) -> None:
        """Give the places back to the kernel; what was caught must not be read any more."""
        self._frames["status"][caught.places] = 0
        self._next = caught.places.stop % PLACES

    def dropped(self) -> int:
        """Packets that found the ring full since the last asking."""
        counts = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return int(struct.unpack("II", counts)[1])

    def is_current(self) -> bool:
        """Whether the interface is still the one that was opened: a line that dials anew makes its interface anew."""
        try:
            return socket.if_nametoindex(self._interface) == self._index
        except OSError:
            return False

    def close(self) -> None:
        """End the capture."""
        self._socket.close()
        # The memory goes with the last array that looks into it.
        self._frames = np.zeros(0, dtype=_HEADER)
        self._octets = np.zeros(0, dtype=np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
