"""RTP sequence numbers and time stamps without their wrap-around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_DROPOUT: Final = 3000
"""A larger step of the sequence numbers may be a sender that began anew (RFC 3550 A.1)."""


def unwrapped_sequence(sequence: NDArray[np.uint16], before: int) -> NDArray[np.int64]:
    """Extended sequence numbers, shape (n,), in order of arrival; right while neighbours are under 32,768 apart.

    Args:
        sequence: as they stand in the packets, shape (n,).
        before: extended number of the packet before the first.
    """
    steps = np.diff(sequence, prepend=np.uint16(before & 0xFFFF)).astype(np.int16)
    return before + np.cumsum(steps, dtype=np.int64)


def unwrapped_timestamp(timestamp: NDArray[np.uint32], before: int) -> NDArray[np.int64]:
    """RTP time stamps that run on past 2^32, shape (n,); right while neighbours are under 2^31 apart."""
    steps = np.diff(timestamp, prepend=np.uint32(before & 0xFFFFFFFF)).astype(np.int32)
    return before + np.cumsum(steps, dtype=np.int64)
