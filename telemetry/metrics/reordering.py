"""Reordering, RFC 4737."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.arrays import np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Reordering:
    """What section 3 and 4 say of one arrival sequence (first copies only), indexed by order of arrival."""

    sequence: NDArray[np.int64]
    reordered: NDArray[np.int64]
    """Indices of the reordered packets (type-P-reordered, section 3)."""
    extent: NDArray[np.int64]
    """Per reordered packet: arrivals since the earliest packet with a greater number (4.2)."""

    @property
    def ratio(self) -> float:
        """Reordered over received (4.1)."""
        return len(self.reordered) / len(self.sequence) if len(self.sequence) else 0.0

    def late_time(self, arrival: ArrayLike) -> NDArray[np.float64]:
        """Per reordered packet: its lateness against the packet that overtook it first (4.3)."""
        t = np.asarray(arrival, dtype=np.float64)
        late: NDArray[np.float64] = t[self.reordered] - t[self.reordered - self.extent]
        return late

    def byte_offset(self, payload_bytes: ArrayLike) -> NDArray[np.int64]:
        """Per reordered packet: bytes to hold until it comes (4.4); payload sizes (n,) or one for all."""
        s = self.sequence
        size = np.broadcast_to(np.asarray(payload_bytes, dtype=np.int64), s.shape)
        held = [
            int(size[i - e : i][s[i - e : i] > s[i]].sum())
            for i, e in zip(self.reordered.tolist(), self.extent.tolist(), strict=True)
        ]
        return np.asarray(held, dtype=np.int64)

    def gaps(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers at the reordering discontinuities but the first, and arrivals since the one before (4.5)."""
        at = np.unique(self.reordered - self.extent)
        return self.sequence[at[1:]], np.diff(at)

    def free_runs(self) -> NDArray[np.int64]:
        """In-order packets before each reordered one since the last (4.6)."""
        return np.diff(self.reordered, prepend=-1) - 1

    def n_reordering(self) -> NDArray[np.int64]:
        """Per reordered packet: the largest n with the n packets before it all greater (5.3); 0 for none."""
        s = self.sequence
        out = np.zeros(len(self.reordered), dtype=np.int64)
        for k, i in enumerate(self.reordered.tolist()):
            smaller = np.flatnonzero(s[:i] < s[i])
            out[k] = i - (int(smaller[-1]) + 1 if len(smaller) else 0)
        return out


def reordering(sequence: ArrayLike) -> Reordering:
    """Judge an arrival sequence; `sequence` (n,) holds the sequence numbers in order of arrival, first copies."""
    s = np.asarray(sequence, dtype=np.int64)
    greatest = np.maximum.accumulate(s)
    late = np.flatnonzero(s < greatest)
    earliest_greater = np.searchsorted(greatest, s[late], side="right")
    return Reordering(s, late, late - earliest_greater)


def reordered_count(sequence: ArrayLike) -> int:
    """Number of reordered packets alone."""
    s = np.asarray(sequence, dtype=np.int64)
    return int(np.count_nonzero(s < np.maximum.accumulate(s))) if len(s) else 0
