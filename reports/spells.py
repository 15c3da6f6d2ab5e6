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


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble of one office, in window indices, on the lines (path indices) that shared it."""

    first: int
    last: int
    lines: tuple[int, ...]
    broken: int
    """Windows that broke on any of those lines."""
    cause: ReasonCode

    @property
    def windows(self) -> int:
        """Its length."""
        return self.last - self.first + 1


def faults(causes: NDArray[np.uint16]) -> list[Fault]:
    """The troubles of one office, from the cause bits of its lines, shape (P, W).

    A fault near the office shows on the line to every headquarters: spells that overlap and have the same cause are one.
    """
    open_ones: list[tuple[Spell, set[int]]] = []
    order = sorted(
        ((spell, line) for line, bits in enumerate(causes) for spell in spells(bits)),
        key=lambda pair: (pair[0].cause, pair[0].first, pair[1]),
    )
    for spell, line in order:
        if open_ones:
            last, lines = open_ones[-1]
            if spell.cause is last.cause and spell.first <= last.last:
                merged = Spell(last.first, max(last.last, spell.last), 0, last.cause)
                open_ones[-1] = (merged, lines | {line})
                continue
        open_ones.append((spell, {line}))
    found = [
        Fault(
            first=spell.first,
            last=spell.last,
            lines=tuple(sorted(lines)),
            broken=int((causes[sorted(lines), spell.first : spell.last + 1] != 0).any(axis=0).sum()),
            cause=spell.cause,
        )
        for spell, lines in open_ones
    ]
    return sorted(found, key=lambda fault: (fault.first, fault.lines))


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
