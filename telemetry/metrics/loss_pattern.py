"""Loss patterns: loss distance and loss period, RFC 3357."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.arrays import np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class LossPattern:
    """The streams and statistics of RFC 3357 sections 5 and 6 over n packets."""

    distance: NDArray[np.int64]
    """Per packet: sequence distance to the previous loss; 0 for the first loss and where not lost."""
    period: NDArray[np.int64]
    """Per packet: number (from 1) of the loss period that it lies in; 0 where not lost."""
    period_lengths: NDArray[np.int64]
    inter_period_lengths: NDArray[np.int64]
    """First loss of each period minus last loss of the one before; 0 for the first."""

    @property
    def losses(self) -> int:
        """Number of lost packets."""
        return int(self.period_lengths.sum())

    def noticeable(self, delta: int) -> int:
        """Losses at most `delta` packets after the one before (6.1, numerator; the first loss never counts)."""
        return int(np.count_nonzero((self.distance > 0) & (self.distance <= delta)))


def loss_runs(lost: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last index of each run of consecutive losses."""
    mask = np.asarray(lost, dtype=np.int8)
    edges = np.diff(np.concatenate(([0], mask, [0])))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def loss_pattern(lost: ArrayLike) -> LossPattern:
    """The pattern of a loss sequence, shape (n,), true where the packet is lost."""
    mask = np.asarray(lost, dtype=bool)
    at = np.flatnonzero(mask)
    distance = np.zeros(len(mask), dtype=np.int64)
    distance[at[1:]] = np.diff(at)
    first, last = loss_runs(mask)
    period = np.zeros(len(mask), dtype=np.int64)
    period[at] = np.searchsorted(first, at, side="right")
    inter = np.zeros(len(first), dtype=np.int64)
    inter[1:] = first[1:] - last[:-1]
    return LossPattern(distance, period, last - first + 1, inter)


def burst_ratio(lost: ArrayLike) -> float:
    """BurstR of ITU-T G.107 7.5: mean length of loss runs over that expected under random loss; 1 for no loss."""
    mask = np.asarray(lost, dtype=bool)
    first, last = loss_runs(mask)
    return burst_ratio_of_runs(last - first + 1, len(mask))


def burst_ratio_of_runs(run_lengths: ArrayLike, packets: int) -> float:
    """The same from the lengths of the loss runs among so many packets."""
    lengths = np.asarray(run_lengths, dtype=np.float64)
    if lengths.size == 0:
        return 1.0
    return float(lengths.mean() * (1 - lengths.sum() / packets))
