"""Degraded now: which lines, why, how much, against what is usual, since when.

Only windows that came in time are looked at (`Recent` holds no others), so late data never raises a flag.
A line that has fallen silent has no state now: its flags end and the office's silence is told by `dark_flags`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.breaches import family, loss_counts, one_voice, seen_to_begin
from analytics.bursts import burst_of
from analytics.causes import (
    BURST_CAUSES,
    CAUSES,
    DELAY_CAUSES,
    RATIO_CAUSES,
    REASON,
    USUAL_METRIC,
    Cause,
    limit_of,
    unit_of,
)
from analytics.delays import delay_of
from analytics.floor import floor_of
from analytics.spells import marks, spells
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.baseline import UsualNow
    from analytics.outages import Outage, Outages
    from analytics.recent import Recent
    from analytics.spells import Spells
    from config.profiles import Limits

FLAG_WINDOWS: Final = 40
"""Ten minutes: a spell that broke no window for so long is over."""
VALUE_WINDOWS: Final = 4
USUAL_TIMES: Final = 2.0
"""A figure up to so many times the usual one of the hour is as usual: a minute at 10 packets/s with 2.5 % loss holds 15 lost, give or take 8."""
_TOLD_IN_AN_OUTAGE: Final = Cause.OUTAGE | RATIO_CAUSES
"""The loss that turned into it is told beside it."""


@dataclass(frozen=True, slots=True)
class Present:
    """The moment at which lines are looked at.

    A line without a window for `silent_after_ns` has no state; `usual` is what is usual at this hour.
    """

    now_ns: int
    silent_after_ns: int
    usual: UsualNow | None = None


def degraded(
    recent: Recent, limits: Sequence[Limits], set_of_site: NDArray[np.int64], present: Present
) -> list[Flag]:
    """Flags of all lines, worst first; each site is judged by `limits[set_of_site[site]]`, (S,)."""
    seen, outages = recent.last(FLAG_WINDOWS), recent.outages.last(FLAG_WINDOWS)
    newest_ns = np.where(seen.newest >= 0, seen.start_ns[seen.newest] + WINDOW_NS, 0)
    heard = present.now_ns - newest_ns <= present.silent_after_ns
    between = seen.without(outages.down)
    flags: list[Flag] = []
    for index in np.unique(set_of_site):
        found = spells(seen.present, marks(between, limits[int(index)], outages.down))
        maker = _Maker(between, found, limits[int(index)], present, recent.outages)
        mine = (set_of_site == index)[:, None] & heard
        active = found.active & mine[..., None]
        for site, path in np.argwhere(active.any(axis=-1)):
            flags += maker.flags(int(site), int(path), np.flatnonzero(active[site, path]))
    return sorted(flags, key=severity)


def value_of(recent: Recent, site: int, path: int, cause: Cause, first: int) -> float:
    """A cause's figure over the newest windows of a spell: a pooled ratio, or the worst delay."""
    newest = int(recent.newest[site, path])
    return value_within(recent, site, path, cause, (max(first, newest - VALUE_WINDOWS + 1), newest))


def value_within(recent: Recent, site: int, path: int, cause: Cause, span: tuple[int, int]) -> float:
    """A cause's figure over the windows from the first to the last of `span` (indices)."""
    at = (site, path, slice(span[0], span[1] + 1))
    if cause & DELAY_CAUSES:
        return float(np.nan_to_num(np.fmax.reduce(delay_of(recent.values, cause)[at]), nan=0.0))
    if cause & BURST_CAUSES:
        lost, sent = (each[at] for each in burst_of(recent.values, cause))
        return float(np.nan_to_num(np.fmax.reduce(lost / np.maximum(sent, 1.0)), nan=0.0))
    lost_count, sent_count = loss_counts(recent.counts, cause)
    return float(lost_count[at].sum() / max(int(sent_count[at].sum()), 1))


def usual_of(past: UsualNow | None, recent: Recent, line: tuple[int, int], cause: Cause) -> float | None:
    """What is usual for a cause's figure on a line (site, path) at this hour by its own past, in its own unit; None where that is too short.

    What is told above the line's floor is usual above the floor that its `recent` windows are held against.
    """
    if past is None or cause not in USUAL_METRIC:
        return None
    usual = past.figure(USUAL_METRIC[cause], *line)
    if usual is None or cause is not Cause.RTT_FLOOR:
        return usual
    floor_ms = floor_of(recent.values, line)
    return None if floor_ms is None else round(max(usual - floor_ms, 0.0), 5)


def is_usual(value: float | None, usual: float | None, limit: float | None) -> bool:
    """Whether a figure past its limit is no surprise: so is the usual one of this hour, and it is not much above that."""
    if value is None or usual is None or limit is None:
        return False
    return usual > limit and value <= USUAL_TIMES * usual


def dark_flags(sites: Mapping[str, int], now_ns: int, limit_ns: int) -> list[Flag]:
    """A flag for every office without contact, by its id and the end of its last window (ns)."""
    return [
        Flag(
            site=site,
            path="",
            reason=Reason(
                code=ReasonCode.DARK,
                value=float((now_ns - since_ns) // SECOND_NS),
                limit=limit_ns / SECOND_NS,
                unit="s",
                since_ns=since_ns,
            ),
            since_ns=since_ns,
            seen_ns=now_ns,
            severe=True,
        )
        for site, since_ns in sites.items()
    ]


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes flags out of spells under one set of limits; `seen` is what was measured between `outages`, which are those of a longer past."""

    seen: Recent
    found: Spells
    limits: Limits
    present: Present
    outages: Outages

    def flags(self, site: int, path: int, indices: NDArray[np.int64]) -> list[Flag]:
        """The flags of one line, one for each fault."""
        firsts = {CAUSES[index]: int(self.found.first[site, path, index]) for index in indices}
        down = next(reversed(self.outages.of_line(site, path)), None) if Cause.OUTAGE in firsts else None
        if down is not None and down.until_ns is None:  # while nothing comes through nothing else is measured
            firsts = {cause: first for cause, first in firsts.items() if not cause & ~_TOLD_IN_AN_OUTAGE}
        told = one_voice(self.seen.counts.of_line(site, path, min(firsts.values())), firsts)
        since = {cause: min(firsts[each] for each in family(cause) if each in firsts) for cause in told}
        return [
            self.outage(site, path, down)
            if cause is Cause.OUTAGE and down is not None
            else self.flag((site, path), cause, since[cause], down)
            for cause in firsts
            if cause in told
        ]

    @property
    def _earlier(self) -> int:
        """How many windows are remembered from before those in which spells are searched."""
        return len(self.outages.start_ns) - len(self.seen.start_ns)

    def outage(self, site: int, path: int, down: Outage) -> Flag:
        """The last outage, by its own times: for how long it has lasted, or did."""
        name, now_ns = self.seen.lines.paths[path], self.present.now_ns
        lasted_ns = now_ns - down.since_ns if down.until_ns is None else down.lost_ns
        return Flag(
            site=self.seen.lines.sites[site],
            path=name,
            reason=Reason(
                code=ReasonCode.OUTAGE,
                value=float(lasted_ns // SECOND_NS),
                unit=unit_of(Cause.OUTAGE),
                path=name,
                since_ns=down.since_ns,
                until_ns=down.until_ns,
                unseen=down.unseen,
            ),
            since_ns=down.since_ns,
            seen_ns=int(self.outages.start_ns[down.last]) + WINDOW_NS,
            severe=down.until_ns is None,
        )

    def flag(self, line: tuple[int, int], cause: Cause, first: int, down: Outage | None) -> Flag:
        """What is past a limit now; beside an outage that lasts what was so until it began."""
        site, path = line
        name, since_ns = self.seen.lines.paths[path], int(self.seen.start_ns[first])
        index = CAUSES.index(cause)
        reason = Reason(
            code=REASON[cause],
            value=round(value_of(self.seen, site, path, cause, first), 5),
            limit=limit_of(cause, self.limits),
            usual=usual_of(self.present.usual, self.seen, line, cause),
            unit=unit_of(cause),
            path=name,
            since_ns=since_ns,
            until_ns=down.since_ns if down is not None and down.until_ns is None else None,
            unseen=not seen_to_begin(self.outages, line, first + self._earlier, self._earlier),
        )
        usual = is_usual(reason.value, reason.usual, reason.limit)
        return Flag(
            site=self.seen.lines.sites[site],
            path=name,
            reason=reason,
            since_ns=since_ns,
            seen_ns=int(self.seen.start_ns[self.found.last[site, path, index]]) + WINDOW_NS,
            severe=bool(self.found.severe[site, path, index]) and not usual,
            as_usual=usual,
        )


def severity(flag: Flag) -> tuple[bool, bool, bool, float, int]:
    """Sort key: dark and outages first, then severe ones, what is usual last, then by how far past the limit."""
    total = flag.reason.is_down_now
    excess = (flag.reason.value or 0.0) / flag.reason.limit if flag.reason.limit else 0.0
    return (not total, not flag.severe, flag.as_usual, -excess, flag.since_ns)
