"""Lines that broke under a call's load in their last rehearsal: what test packets alone do not see.

It is a guard rail of `readiness`, not a term of the model, whose shipped fit has seen no rehearsal: what a rehearsal found broken is
broken at the meeting with the chance by which faults last (`persistence`), counted from the rehearsal's end as of a fresh fault.
One that held promises nothing more than the model does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.persistence import still_broken
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECALLED_NS: Final = DAY_NS
"""A rehearsal that ended longer ago says nothing any more; as far as the model's own figure looks back."""


@dataclass(frozen=True, slots=True)
class BrokeInRehearsal:
    """Of one call profile: the lines whose newest word on it is a rehearsal that broke, (S, P) each.

    Attributes:
        began_ns: start of that rehearsal's load; 0 where nothing speaks against the line.
        ended_ns: its end; 0 likewise.
        is_down: the way from headquarters to the office is the one that broke; else the way up.
        got_bps: what arrived on that way, IP layer; NaN where it was not told.
    """

    began_ns: NDArray[np.int64]
    ended_ns: NDArray[np.int64]
    is_down: NDArray[np.bool_]
    got_bps: NDArray[np.float64]

    def breaks_again(self, paths: NDArray[np.int64], starts_ns: int, now_ns: int) -> NDArray[np.float64]:
        """(S, K): the chance that a line on those paths breaks at `starts_ns` as it did; what ended after `now_ns` is not seen."""
        ended_ns = self.ended_ns[:, paths]
        counts = (ended_ns > 0) & (ended_ns <= now_ns) & (now_ns - ended_ns <= RECALLED_NS)
        chance = still_broken(np.maximum(starts_ns - ended_ns, 0), np.zeros_like(ended_ns))
        return np.where(counts, chance, 0.0)


def nobody_broke(shape: tuple[int, int]) -> BrokeInRehearsal:
    """Of (S, P) lines none."""
    none = np.zeros(shape, dtype=np.int64)
    return BrokeInRehearsal(none, none.copy(), np.zeros(shape, dtype=bool), np.full(shape, np.nan))


def within_rehearsal(holds: NDArray[np.float64], breaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """A chance that the line holds, not above what its last rehearsal leaves; all of one shape, NaN stays."""
    return np.minimum(holds, 1.0 - breaks)
