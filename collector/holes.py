"""Holes in the probes' numbers as the collector sees them open and close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct, ValidationError, convert, to_builtins

from telemetry.intervals import IntervalSet

if TYPE_CHECKING:
    from telemetry.control import Stored

Probe = tuple[str, str]
HANDED_OVER: Final = 1000
"""Missing ranges that go with the heartbeat at most (about 20 kB)."""


class Handover(Struct, frozen=True):
    """What the next leader must know to go on counting: (site, noticed, filled) and what is missing: (site, probe, epoch, ranges)."""

    counts: tuple[tuple[str, int, int], ...] = ()
    missing: tuple[tuple[str, str, str, tuple[tuple[int, int], ...]], ...] = ()

    def plain(self) -> object:
        """As plain JSON values."""
        return to_builtins(self)


def handover_of(plain: object) -> Handover | None:
    """Out of plain JSON values; None when it is none."""
    try:
        return convert(plain, Handover)
    except ValidationError:
        return None


@dataclass(slots=True)
class HoleCounts:
    """Reports, not ranges."""

    noticed: int = 0
    filled: int = 0


class HoleWatch:
    """Compares what is missing now with what was missing when last looked at.

    The reports of a probe that several collectors take in are not committed in their order, so that for a moment some
    seem to be missing: a patient watch counts only what is missing at two looks, one confirmation's interval apart.
    """

    def __init__(self, taken_over: Handover | None = None, *, patient: bool = False) -> None:
        """Begin, or go on where a leader before us was when its heart last beat."""
        before = taken_over or Handover()
        self._patient = patient
        self._missing: dict[Probe, tuple[str, IntervalSet]] = {
            (site, probe): (epoch, IntervalSet(ranges)) for site, probe, epoch, ranges in before.missing
        }
        self._seen: dict[Probe, IntervalSet] = {
            probe: missing for probe, (_, missing) in self._missing.items()
        }
        self.counts_by_site: dict[str, HoleCounts] = {
            site: HoleCounts(noticed, filled) for site, noticed, filled in before.counts
        }
        """Only sites that ever had a hole; bounded by the list of sites, since no other report gets here."""

    def look(self, probe: Probe, stored: Stored) -> None:
        """Take note of what a confirmation says is missing."""
        now = IntervalSet(stored.missing)
        epoch, before = self._missing.get(probe, (stored.epoch, IntervalSet()))
        seen = self._seen.get(probe, IntervalSet())
        if epoch != stored.epoch:
            before = seen = IntervalSet()
        if self._patient:
            self._seen[probe] = now
            now = _common(seen, now)
        if before or now:
            common = len(_common(before, now))
            counts = self.counts_by_site.setdefault(probe[0], HoleCounts())
            counts.noticed += len(now) - common
            counts.filled += len(before) - common
        self._missing[probe] = (stored.epoch, now)

    def handover(self) -> Handover:
        """What the next leader must know. Probes that do not fit are left out: their holes are noticed once more."""
        missing, room = [], HANDED_OVER
        for (site, probe), (epoch, ranges) in self._missing.items():
            some = tuple(ranges)
            if some and len(some) <= room:
                missing.append((site, probe, epoch, some))
                room -= len(some)
        counts = tuple((site, one.noticed, one.filled) for site, one in self.counts_by_site.items())
        return Handover(counts, tuple(missing))

    @property
    def counts(self) -> HoleCounts:
        """Of all sites."""
        counts = self.counts_by_site.values()
        return HoleCounts(sum(one.noticed for one in counts), sum(one.filled for one in counts))

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


def _common(one: IntervalSet, other: IntervalSet) -> IntervalSet:
    """The members of both."""
    return IntervalSet(
        part for first, last in one for part in IntervalSet(other.holes(first, last)).holes(first, last)
    )
