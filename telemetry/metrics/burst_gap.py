"""Bursts and gaps of loss and discard, RFC 3611 section 4.7.2 and appendix A.2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

GMIN: Final = 16


@dataclass(frozen=True, slots=True)
class BurstGap:
    """Bursts by the definition of 4.7.2: events less than Gmin received packets apart, two or more of them."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    events: NDArray[np.int64]
    packets: int
    total_events: int

    @property
    def burst_density(self) -> float:
        """Events in bursts over packets in bursts (0..1); 0 without bursts."""
        inside = int(self._lengths().sum())
        return int(self.events.sum()) / inside if inside else 0.0

    @property
    def gap_density(self) -> float:
        """Events in gaps over packets in gaps (0..1); 0 without gaps."""
        outside = self.packets - int(self._lengths().sum())
        return (self.total_events - int(self.events.sum())) / outside if outside else 0.0

    def burst_duration(self, packet_time: float) -> float:
        """Mean length of the bursts, in the unit of the time between packets."""
        return float(self._lengths().mean()) * packet_time if len(self.first) else 0.0

    def gap_duration(self, packet_time: float) -> float:
        """Mean length of the gaps, in the unit of the time between packets (a mean, as the field is defined)."""
        lengths = self._gap_lengths()
        return float(lengths.mean()) * packet_time if len(lengths) else 0.0

    def _lengths(self) -> NDArray[np.int64]:
        return self.last - self.first + 1

    def _gap_lengths(self) -> NDArray[np.int64]:
        begins = np.concatenate(([0], self.last + 1))
        ends = np.concatenate((self.first, [self.packets]))
        lengths = ends - begins
        return lengths[lengths > 0]


def burst_gap(event: ArrayLike, gmin: int = GMIN) -> BurstGap:
    """Bursts and gaps of a session; `event` (n,) is true where the packet was lost or discarded.

    The session is taken to be preceded and followed by at least Gmin received packets, as 4.7.2 says.
    """
    mask = np.asarray(event, dtype=bool)
    at = np.flatnonzero(mask)
    if not len(at):
        none = np.zeros(0, dtype=np.int64)
        return BurstGap(none, none, none, len(mask), 0)
    starts = np.flatnonzero(np.diff(at, prepend=at[0] - gmin - 1) - 1 >= gmin)
    sizes = np.diff(np.append(starts, len(at)))
    ends = starts + sizes - 1
    bursts = sizes >= 2
    return BurstGap(at[starts[bursts]], at[ends[bursts]], sizes[bursts], len(mask), len(at))


@dataclass(frozen=True, slots=True)
class TransitionCounts:
    """Counters of the event-driven algorithm of appendix A.2 (approximate even on the RFC's own example)."""

    c11: int
    c13: int
    c14: int
    c22: int
    c23: int
    c33: int


def transition_counts(event: ArrayLike, gmin: int = GMIN) -> TransitionCounts:
    """Run A.2 over a session; steps over the events only, so its cost grows with the losses."""
    at = np.flatnonzero(np.asarray(event, dtype=bool))
    received_before = (np.diff(at, prepend=-1) - 1).tolist()
    c11 = c13 = c14 = c22 = c23 = c33 = lost = 0
    for packets in received_before:
        if packets >= gmin:
            c14, c13 = (c14 + 1, c13) if lost == 1 else (c14, c13 + 1)
            lost = 1
            c11 += packets
        else:
            lost += 1
            if packets == 0:
                c33 += 1
            else:
                c23 += 1
                c22 += packets - 1
    return TransitionCounts(c11, c13, c14, c22, c23, c33)
