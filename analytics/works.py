"""Announced works and holidays as reasons: what they cost a meeting, whether they go on now, and that they are, where they cost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.underway import rest_of
from telemetry.decisions import Reason, ReasonCode
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.case import Case
    from analytics.forecast.track import Track
    from analytics.ground import Ground
    from config.meetings import Occurrence


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


def announced(case: Case) -> tuple[Reason, ...]:
    """Works or a holiday that touch the meeting of an office that is ready all the same: no trouble, but who looks shall know of them."""
    announced_s = _announced_s(case)
    if announced_s <= 0.0:
        return ()
    return (Reason(code=ReasonCode.PLANNED, value=announced_s, unit="s", path=case.path_name),)


def touches(ground: Ground, occurrence: Occurrence, path: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(S,): works or a holiday touch what is left of a meeting, on each site's line of `path` (S,); none where that is -1."""
    track = ground.foresight.tracks[ground.sets.of_profile[occurrence.meeting.profile]]
    line = np.arange(len(path)) * len(ground.lines.paths) + np.maximum(path, 0)
    planned = track.planned[line, _slots(track, rest_of(occurrence, ground.now_ns))]
    return np.asarray((path >= 0) & planned.any(axis=-1))


def _announced_s(case: Case) -> float:
    """For how many seconds of the meeting works or a holiday were announced."""
    track, meeting = case.track, case.rest
    planned_s = int(track.planned[case.line, _slots(track, meeting)].sum()) * track.slot_ns / SECOND_NS
    return float(min(planned_s, (meeting.ends_ns - meeting.starts_ns) / SECOND_NS))


def _slots(track: Track, meeting: Occurrence) -> slice:
    """The slots of a track that a meeting touches."""
    first = max((meeting.starts_ns - track.start_ns) // track.slot_ns, 0)
    return slice(first, max(-(-(meeting.ends_ns - track.start_ns) // track.slot_ns), first))
