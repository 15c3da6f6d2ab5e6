"""When a line that is well now broke last: what was flagged has its time, what was not lies in a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.newest import FORGIVEN_WINDOWS
from analytics.forecast.returned import back_since
from analytics.judge import POOL_WINDOWS, judge
from telemetry.windows import DAY_NS, WINDOW_NS

if TYPE_CHECKING:
    from analytics.case import Case


def broke_until_ns(case: Case) -> int:
    """The end of the last window of the day that broke, or of the silence that a line has just come back from (ns since the Unix epoch); 0 where none is known.

    Single windows that are forgiven do not count: they are in no slot and in no spell.
    """
    told_ns = case.ground.relapsed_until_ns
    flagged_ns = 0 if told_ns is None else int(told_ns[case.site, case.path])
    return max(flagged_ns, _by_slots(case), _silent_until_ns(case))


def _by_slots(case: Case) -> int:
    """By the last slot that broke: its last window where that is remembered still, else as if its broken share had come first."""
    track, newest = case.track, case.newest_slot
    day = max(newest + 1 - DAY_NS // track.slot_ns, 0)
    broke = np.nan_to_num(track.broke[case.line, day : newest + 1])
    found = np.flatnonzero(broke > 0.0)
    if not len(found):
        return 0
    last = int(found[-1])
    starts_ns = track.start_ns + (day + last) * track.slot_ns
    ends_ns = _broken_ends(case)
    # The slot that runs is filled up with windows of the one before it.
    of_slot = ends_ns[ends_ns > starts_ns - track.slot_ns]
    return int(of_slot[-1]) if len(of_slot) else starts_ns + int(float(broke[last]) * track.slot_ns)


def _silent_until_ns(case: Case) -> int:
    """The end of the silence of an office that has only just come back from one; 0 where there was none."""
    if not case.is_just_back:
        return 0
    recent = case.ground.with_late or case.ground.recent
    heard = back_since(~recent.present[case.site].any(axis=0), FORGIVEN_WINDOWS)
    return int(recent.start_ns[heard]) if heard else 0


def _broken_ends(case: Case) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(n,): ends of the remembered windows of the line that broke the meeting's limits."""
    recent, here = case.ground.recent, (slice(case.site, case.site + 1), slice(case.path, case.path + 1))
    values = {name: value[here] for name, value in recent.values.items()}
    judged = judge(values, case.ground.sets.limits[case.limit_set], pool_windows=POOL_WINDOWS)
    return np.asarray(recent.start_ns[judged.breaks[0, 0]] + WINDOW_NS)
