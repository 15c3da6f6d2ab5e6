"""Datagrams of one connected socket, as many as are there by one system call, without numpy.

The measuring process reads with this. `datagram_batch` is for those who take in thousands at once and have numpy
anyway: for an office's few packets a read numpy's calls cost more than they save, and numpy would be half of the process.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from probes.kernel.datagram_layout import IoVec, MMsgHdr, receive_many

if TYPE_CHECKING:
    import socket

_HEADER_SIZE: Final = ctypes.sizeof(MMsgHdr)


class SessionDatagrams:
    """Room for `slots` datagrams of up to `octets`, each with up to `control` octets beside it."""

    def __init__(self, slots: int, octets: int, control: int) -> None:
        self.slots, self.octets, self.control_octets = slots, octets, control
        data = (ctypes.c_ubyte * (slots * octets))()
        beside = (ctypes.c_ubyte * (slots * control))()
        self._iovecs = (IoVec * slots)()
        self._headers = (MMsgHdr * slots)()
        at_data, at_beside = ctypes.addressof(data), ctypes.addressof(beside)
        for i, (vector, one) in enumerate(zip(self._iovecs, self._headers, strict=True)):
            vector.base, vector.len = at_data + i * octets, octets
            one.header.iov, one.header.iovlen = ctypes.addressof(vector), 1
            one.header.control, one.header.controllen = at_beside + i * control, control
        self._at = ctypes.addressof(self._headers)
        self._fresh = bytes(self._headers)
        self._used = 0
        self.data = memoryview(data).cast("B")
        """Slot `i` begins at `i * octets`."""
        self.control = memoryview(beside).cast("B")
        """Slot `i` begins at `i * control_octets`."""

    def receive(self, sock: socket.socket, flags: int = 0) -> int:
        """Read what is there into the slots from the first on, without waiting; how many came.

        Raises:
            OSError: the socket has an error to tell, for instance that the far end refused an earlier packet.
        """
        ctypes.memmove(self._at, self._fresh, self._used * _HEADER_SIZE)  # the kernel wrote over the sizes
        self._used = 0
        self._used = receive_many(sock.fileno(), self._at, self.slots, flags)
        return self._used

    def length(self, slot: int) -> int:
        """Octets of a datagram as received, even when it did not fit (with MSG_TRUNC)."""
        return int(self._headers[slot].len)

    def control_length(self, slot: int) -> int:
        """Octets of what the kernel said beside it."""
        return int(self._headers[slot].header.controllen)
