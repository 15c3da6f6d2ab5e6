"""Many datagrams by one system call (recvmmsg, sendmmsg) into memory laid out once.

A Python `recvmsg` makes half a dozen objects per packet; here the kernel writes packets, addresses and ancillary
data of a whole batch into fixed arrays, which are then read at fixed places or by numpy all at once.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.kernel.datagram_layout import IoVec, MMsgHdr, MsgHdr, receive_many, send_many

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOCKADDR: Final = 28
"""sizeof(struct sockaddr_in6), the larger of the two."""


def _layout(structure: type[ctypes.Structure], size: int, **more: int) -> np.dtype[np.void]:
    """The numpy dtype with the same fields at the same places; `more` are 32-bit fields, name -> offset."""
    places = {str(f[0]): getattr(structure, f[0]) for f in structure._fields_}
    return np.dtype({
        "names": [*places, *more],
        "formats": [*(f"u{place.size}" for place in places.values()), *("u4" for _ in more)],
        "offsets": [*(place.offset for place in places.values()), *more.values()],
        "itemsize": size,
    })  # fmt: skip


_IOVEC: Final = _layout(IoVec, ctypes.sizeof(IoVec))
_MMSGHDR: Final = _layout(MsgHdr, ctypes.sizeof(MMsgHdr), len=MMsgHdr.len.offset)
_HEADER_SIZE: Final = _MMSGHDR.itemsize


def _addresses(array: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Memory address of each row."""
    return array.ctypes.data + np.arange(len(array), dtype=np.uint64) * array.strides[0]


class DatagramBatch:
    """Room for `slots` datagrams of up to `octets`, each with address and up to `control` octets beside it."""

    def __init__(self, slots: int, octets: int, control: int) -> None:
        self.slots = slots
        self.data: NDArray[np.uint8] = np.zeros((slots, octets), dtype=np.uint8)
        self.control: NDArray[np.uint8] = np.zeros((slots, control), dtype=np.uint8)
        self.names: NDArray[np.uint8] = np.zeros((slots, SOCKADDR), dtype=np.uint8)
        self._iovecs = np.zeros(slots, dtype=_IOVEC)
        self._headers = np.zeros(slots, dtype=_MMSGHDR)
        self._iovecs["base"] = _addresses(self.data)
        self._iovecs["len"] = octets
        self._headers["name"] = _addresses(self.names)
        self._headers["namelen"] = SOCKADDR
        self._headers["iov"] = _addresses(self._iovecs.view(np.uint8).reshape(slots, -1))
        self._headers["iovlen"] = 1
        self._headers["control"] = _addresses(self.control)
        self._headers["controllen"] = control
        self._at = int(self._headers.ctypes.data)
        self.lengths: NDArray[np.uint32] = self._headers["len"]
        """Octets of each datagram as received, even when it did not fit."""
        self.control_lengths: NDArray[np.uint64] = self._headers["controllen"]
        self._name_lengths: NDArray[np.uint32] = self._headers["namelen"]

    def receive(self, fileno: int, start: int = 0, flags: int = 0) -> int:
        """Read what is there into the slots from `start` on, without waiting; how many came.

        Raises:
            OSError: the socket has an error to tell, for instance that the far end refused an earlier packet.
        """
        return receive_many(fileno, self._at + start * _HEADER_SIZE, self.slots - start, flags)

    def clear(self, used: int) -> None:
        """Make the first `used` slots ready to receive again (the kernel wrote over their sizes)."""
        self.control_lengths[:used] = self.control.shape[1]
        self._name_lengths[:used] = SOCKADDR


class ReplyBatch:
    """Replies sent from the very memory that the requests were received into."""

    def __init__(self, requests: DatagramBatch, name_size: int, control: int = 0) -> None:
        slots = requests.slots
        self.control: NDArray[np.uint8] = np.zeros((slots, max(control, 1)), dtype=np.uint8)
        self._iovecs = np.zeros(slots, dtype=_IOVEC)
        self._headers = np.zeros(slots, dtype=_MMSGHDR)
        self._iovecs["base"] = _addresses(requests.data)
        self._headers["name"] = _addresses(requests.names)
        self._headers["namelen"] = name_size
        self._headers["iov"] = _addresses(self._iovecs.view(np.uint8).reshape(slots, -1))
        self._headers["iovlen"] = 1
        if control:
            self._headers["control"] = _addresses(self.control)
            self._headers["controllen"] = control
        self._at = int(self._headers.ctypes.data)
        self.lengths: NDArray[np.uint64] = self._iovecs["len"]

    def send(self, fileno: int, start: int, count: int) -> int:
        """Send the slots from `start` on; how many went. 0 when the first of them was refused."""
        return send_many(fileno, self._at + start * _HEADER_SIZE, count)
