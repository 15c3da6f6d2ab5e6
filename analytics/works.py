"""Announced works and holidays as reasons: what they cost a meeting, and whether they go on now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Reason, ReasonCode
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from analytics.case import Case


def works_now(case: Case) -> tuple[Reason, ...]:
    """Works that were announced, have begun and reach into the meeting."""
    if not case.has_works_now:
        return ()
    announced_s = _announced_s(case)
    return (Reason(code=ReasonCode.PLANNED, value=announced_s, unit="s"),) if announced_s > 0.0 else ()


def planned(case: Case) -> list[tuple[float, Reason]]:
    """For how long of the meeting works or a holiday were announced; nothing where none were, since it keeps people from being told."""
    planned_s, cost = _announced_s(case), float(case.expectation.terms.planned[case.site])
    if planned_s <= 0.0 or cost <= 0.0:
        return []
    return [(cost, Reason(code=ReasonCode.PLANNED, value=planned_s, unit="s", path=case.path_name))]


def _announced_s(case: Case) -> float:
    """For how many seconds of the meeting works or a holiday were announced."""
    track, meeting = case.track, case.rest
    first = max((meeting.starts_ns - track.start_ns) // track.slot_ns, 0)
    last = max(-(-(meeting.ends_ns - track.start_ns) // track.slot_ns), first)
    planned_s = int(track.planned[case.line, first:last].sum()) * track.slot_ns / SECOND_NS
    return float(min(planned_s, (meeting.ends_ns - meeting.starts_ns) / SECOND_NS))
