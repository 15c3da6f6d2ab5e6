"""The one thing to do: what an in-charge can act on, in the order of what helps soonest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.condition import SUSPECT
from analytics.ground import Standing
from telemetry.decisions import Action, ReasonCode
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.case import Case
    from telemetry.decisions import Reason

SHARED_SHARE: Final = 0.5
SHARED_LEAST: Final = 4
"""More than half of at least so many offices broken towards one end: the fault is at that end."""
FRESH_OUTAGE_NS: Final = 600 * SECOND_NS
"""A restart of the router is worth a try so long; then the provider has to act."""
NEAR_NS: Final = 1800 * SECOND_NS
_FIXED: Final = {
    ReasonCode.DARK: Action.CHECK_POWER,
    ReasonCode.NO_DATA: Action.WATCH,
    ReasonCode.NO_HISTORY: Action.WATCH,
    ReasonCode.RECENT_FAULT: Action.WATCH,
    ReasonCode.PLANNED: Action.WATCH,
    ReasonCode.NOT_LINKED: Action.NONE,
}
_STANDING: Final = (
    ReasonCode.USUAL_HOUR,
    ReasonCode.STRAINED,
    ReasonCode.BITRATE_UP,
    ReasonCode.BITRATE_DOWN,
)
"""What comes back with the hour or stays as it is: no restart mends it."""


def advise(case: Case, reasons: Sequence[Reason]) -> Action:
    """The action for a case; `none` when it is ready or there is nothing that the office can do."""
    if case.standing is Standing.READY or not reasons:
        return Action.NONE
    worst = reasons[0]
    if worst.until_ns is not None:
        return Action.WATCH  # it is over: nothing to be done about it now
    if worst.code in _FIXED:
        return _FIXED[worst.code]
    if worst.code in _STANDING:
        return Action.LOWER_PROFILE if case.best_profile else Action.CALL_PROVIDER
    return _against_fault(case, worst)


def _against_fault(case: Case, worst: Reason) -> Action:
    if _at_the_end(case):
        return Action.WAIT_HEADQUARTERS
    if _has_second_line(case):
        return Action.SECOND_LINE
    if worst.code is ReasonCode.OUTAGE:
        fresh = worst.since_ns is None or case.ground.now_ns - worst.since_ns <= FRESH_OUTAGE_NS
        return Action.RESTART_ROUTER if fresh else Action.CALL_PROVIDER
    if case.best_profile and case.lead_ns <= NEAR_NS:
        return Action.LOWER_PROFILE
    return Action.CALL_PROVIDER if case.standing is Standing.NOT_READY else Action.WATCH


def _has_second_line(case: Case) -> bool:
    """Another uplink of the office sounds good, though it is not measured to this meeting's end."""
    lines, broken = case.ground.lines, case.ground.condition.suspicion[case.limit_set, case.site]
    uplink = case.path_name.partition(".")[0]
    good = case.ground.heard[case.site] & (broken < SUSPECT)
    return any(good[i] and path.partition(".")[0] != uplink for i, path in enumerate(lines.paths))


def _at_the_end(case: Case) -> bool:
    paths = case.ground.lines.to_end(case.occurrence.meeting.end)
    heard = case.ground.heard[:, paths]
    suspicion = np.where(heard, case.ground.condition.suspicion[case.limit_set][:, paths], 1.0).min(axis=-1)
    offices = int(heard.any(axis=-1).sum())
    broken = int((heard.any(axis=-1) & (suspicion >= SUSPECT)).sum())
    return offices >= SHARED_LEAST and broken > SHARED_SHARE * offices
