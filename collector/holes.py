"""Holes in the probes' numbers as the collector sees them open and close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.intervals import IntervalSet

if TYPE_CHECKING:
    from telemetry.control import Stored

Probe = tuple[str, str]


@dataclass(slots=True)
class HoleCounts:
    """Reports, not ranges."""

    noticed: int = 0
    filled: int = 0


class HoleWatch:
    """Compares what is missing now with what was missing when last looked at."""

    def __init__(self) -> None:
        self._missing: dict[Probe, tuple[str, IntervalSet]] = {}
        self.counts = HoleCounts()
        self.counts_by_site: dict[str, HoleCounts] = {}
        """Only sites that ever had a hole; bounded by the list of sites, since no other report gets here."""

    def look(self, probe: Probe, stored: Stored) -> None:
        """Take note of what a confirmation says is missing."""
        now = IntervalSet(stored.missing)
        epoch, before = self._missing.get(probe, (stored.epoch, IntervalSet()))
        if epoch != stored.epoch:
            before = IntervalSet()
        common = _common(before, now)
        self.counts.noticed += len(now) - common
        self.counts.filled += len(before) - common
        if before or now:
            self._count(probe[0], len(now) - common, len(before) - common)
        self._missing[probe] = (stored.epoch, now)

    def _count(self, site: str, noticed: int, filled: int) -> None:
        counts = self.counts_by_site.setdefault(site, HoleCounts())
        counts.noticed += noticed
        counts.filled += filled

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
