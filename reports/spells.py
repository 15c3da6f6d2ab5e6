"""Spells: runs of windows in which a line was below the profile, merged across short breaths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.causes import CAUSES, REASON

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemetry.decisions import ReasonCode

BREATH_WINDOWS: Final = 8
"""Two minutes of good windows do not end a spell: what flaps is one trouble."""
LEAST_WINDOWS: Final = 4
"""A spell worth a line in a weekly report: a minute below the profile."""


@dataclass(frozen=True, slots=True)
class Spell:
    """One trouble of one line, in window indices; `broken` of its windows broke."""

    first: int
    last: int
    broken: int
    cause: ReasonCode

    @property
    def windows(self) -> int:
        """Its length."""
        return self.last - self.first + 1


def spells(causes: NDArray[np.uint16]) -> list[Spell]:
    """The spells of one line, from the cause bits of its windows, shape (W,), 0 where nothing broke."""
    at = np.flatnonzero(causes)
    if not len(at):
        return []
    starts = np.flatnonzero(np.diff(at, prepend=at[0] - BREATH_WINDOWS - 2) > BREATH_WINDOWS + 1)
    ends = np.append(starts[1:], len(at))
    found = [
        Spell(int(at[a]), int(at[b - 1]), int(b - a), _main_cause(causes[at[a:b]]))
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    return [spell for spell in found if spell.broken >= LEAST_WINDOWS]


def _main_cause(bits: NDArray[np.uint16]) -> ReasonCode:
    """The cause that most windows share; the first by precedence where two share it."""
    counts = [int(np.count_nonzero(bits & cause)) for cause in CAUSES]
    return REASON[CAUSES[int(np.argmax(counts))]]
