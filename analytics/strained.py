"""Strain as a reason: a line that stands near its limit, or one that is expected to go over it though it is fine yet.

What weighs is what the model expects of the meeting, not how the line stands now. Where the line's usual course climbs until the
meeting, or the line is far from its limit now, that is what is told; "close to its limit" is left to a line that stays where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.condition import SUSPECT
from analytics.forecast.course import usual_strain
from telemetry.decisions import Reason, ReasonCode

if TYPE_CHECKING:
    from analytics.case import Case

STRAINED_FROM: Final = 0.6
"""A figure at less than this share of its limit is not called near it."""
STRAIN_SLOTS: Final = 3
"""Slots over which the worst figure is told: the words say "in the last quarter of an hour"."""
CLIMBS: Final = 0.1
"""A usual course that rises by less of the limit until the meeting stays where it is."""


def strain_now(case: Case) -> float:
    """How near to its limit the line's worst figure came in the newest slots; past 1 it is broken."""
    seen = case.track.strain[case.line, : case.newest_slot + 1][-STRAIN_SLOTS:]
    return float(np.nan_to_num(seen).max(initial=0.0))


def is_suspect(case: Case) -> bool:
    """Whether the line is more likely broken now than not."""
    return bool(case.ground.condition.suspicion[case.limit_set, case.site, case.path] >= SUSPECT)


def strained(case: Case, *, is_told_broken: bool) -> list[tuple[float, Reason]]:
    """What strain costs, and its reason; nothing where it costs nothing or is part of a fault that is told.

    Beside a fault that lasts (`is_told_broken`) no line is called within its limit.
    """
    cost, now = float(case.expectation.terms.strain[case.site]), strain_now(case)
    rises = _rising(case)
    if rises is not None:  # the same story, and the figure, the rate and the time beside it
        return [(float(np.fmax(cost, case.expectation.terms.rising[case.site])), rises)]
    if not cost > 0.0 or now >= 1.0:
        return []
    if now >= STRAINED_FROM and not _climbs(case):
        # Past its limit in the newest windows: the fault says it.
        return [] if is_suspect(case) else [(cost, _reason(case, ReasonCode.STRAINED, now))]
    # A line that is broken now, or of which nothing was measured, has no figure to set against the meeting's.
    figure = None if is_told_broken or is_suspect(case) or not now else now
    return [(cost, _reason(case, ReasonCode.EXPECTED_STRAIN, figure))]


def _rising(case: Case) -> Reason | None:
    """What rises steadily on the line and passes its limit first, where that weighs; None without any, and where a fault says more."""
    if not case.expectation.terms.rising[case.site] > 0.0 or is_suspect(case):
        return None
    found = [
        (int(each.crosses_ns[row]), each.reason(row, case.path_name))
        for each in case.ground.rising[case.limit_set]
        for row in np.flatnonzero((each.site == case.site) & (each.path == case.path)).tolist()
    ]
    return min(found, key=lambda one: one[0])[1] if found else None


def _reason(case: Case, code: ReasonCode, now: float | None) -> Reason:
    if now is None:
        return Reason(code=code, path=case.path_name)
    return Reason(code=code, value=round(now, 3), unit="ratio", path=case.path_name)


def _climbs(case: Case) -> bool:
    """Whether the line is usually nearer to its limit during the meeting than at this time of day."""
    track, meeting = case.track, case.rest
    first = (meeting.starts_ns - track.start_ns) // track.slot_ns
    last = -(-(meeting.ends_ns - track.start_ns) // track.slot_ns)
    newest = case.newest_slot
    now = _usual_peak(case, newest + 1 - STRAIN_SLOTS, newest + 1)
    return bool(_usual_peak(case, first, last) - now >= CLIMBS)  # never with NaN


def _usual_peak(case: Case, first: int, last: int) -> float:
    """The highest usual strain of the slots from `first` to before `last`; NaN where none is known."""
    now_ns = np.array([case.ground.foresight.now_ns])
    usual = usual_strain(case.track, np.array([case.line]), np.arange(first, last)[None, :], now_ns)
    # Beyond the limit it does not matter by how much.
    return float(np.fmax.reduce(np.minimum(usual[0], 1.0)))
