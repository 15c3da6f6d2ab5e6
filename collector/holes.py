"""Holes in the probes' numbers as the collector sees them open and close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.intervals import IntervalSet

if TYPE_CHECKING:
    from telemetry.control import Stored

MOST_IN_A_HOLE: Final = 2 * 365 * 5760
"""Reports that a probe makes in two years; spools keep thirty days. Past this a number is a mistake or a forgery."""

Probe = tuple[str, str]


@dataclass(slots=True)
class HoleCounts:
    """Reports, not ranges."""

    noticed: int = 0
    filled: int = 0
    suspicious: int = 0
    """The most jumps at a time, of one probe, that no probe can have made; their reports are stored, their holes not believed."""


class HoleWatch:
    """Compares what is missing now with what was missing when last looked at."""

    def __init__(self) -> None:
        self._missing: dict[Probe, tuple[str, IntervalSet]] = {}
        self.counts = HoleCounts()

    def look(self, probe: Probe, stored: Stored) -> None:
        """Take note of what a confirmation says is missing."""
        plausible = [(a, b) for a, b in stored.missing if b - a < MOST_IN_A_HOLE]
        self.counts.suspicious = max(self.counts.suspicious, len(stored.missing) - len(plausible))
        now = IntervalSet(plausible)
        epoch, before = self._missing.get(probe, (stored.epoch, IntervalSet()))
        if epoch != stored.epoch:
            before = IntervalSet()
        common = _common(before, now)
        self.counts.noticed += len(now) - common
        self.counts.filled += len(before) - common
        self._missing[probe] = (stored.epoch, now)

    @property
    def open(self) -> int:
        """Reports that were made and have not arrived."""
        return sum(len(missing) for _, missing in self._missing.values())

    def by_site(self) -> dict[str, int]:
        """Sites with reports that have not arrived, and how many."""
        counts: dict[str, int] = {}
        for (site, _), (_, missing) in self._missing.items():
            if missing:
                counts[site] = counts.get(site, 0) + len(missing)
        return counts


def _common(one: IntervalSet, other: IntervalSet) -> int:
    """Number of members of both."""
    total = len(one)
    for first, last in one:
        total -= sum(b - a + 1 for a, b in other.holes(first, last))
    return total
