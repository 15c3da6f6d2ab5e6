"""The one thing to do: what an in-charge can act on, in the order of what helps soonest.

Equal trouble gets equal advice: what is told of an office decides, and not which of two reasons weighs a hair more; and a figure
just within its limit gets the advice of one just past it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analytics.causes import CAUSES, Cause
from analytics.condition import SUSPECT
from analytics.ground import Standing
from telemetry.decisions import Action, FactorKind, ReasonCode
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.case import Case
    from telemetry.decisions import Reason

FRESH_OUTAGE_NS: Final = 600 * SECOND_NS
"""A restart of the router is worth a try so long; then the provider has to act."""
TOO_LATE_TO_MEND_NS: Final = 1800 * SECOND_NS
"""So shortly before its meeting no provider mends a line: the call is made to fit it."""
_FIXED: Final = {
    ReasonCode.DARK: Action.CHECK_POWER,
    ReasonCode.NO_DATA: Action.WATCH,
    ReasonCode.NO_HISTORY: Action.WATCH,
    ReasonCode.RECENT_FAULT: Action.WATCH,
    ReasonCode.PLANNED: Action.WATCH,
    ReasonCode.PROBE_FAULT: Action.WATCH,
    ReasonCode.ROOM_DEVICE: Action.SWITCH_ON_DEVICE,
    ReasonCode.NOT_LINKED: Action.NONE,
}
_STANDING: Final = (
    ReasonCode.USUAL_HOUR,
    ReasonCode.BITRATE_UP,
    ReasonCode.BITRATE_DOWN,
    ReasonCode.REHEARSAL_UP,
    ReasonCode.REHEARSAL_DOWN,
)
"""What comes back with the hour or stays as it is: no restart mends it."""
_FIRST: Final = (ReasonCode.ROOM_DEVICE, ReasonCode.NOT_LINKED)
_OF_NOW: Final = (ReasonCode.DARK, ReasonCode.OUTAGE)
"""Nothing comes through: what else ails the line is not to be seen."""
_OF_THE_LINE: Final = (Action.RESTART_ROUTER, Action.CALL_PROVIDER)
_OUTAGE: Final = CAUSES.index(Cause.OUTAGE)


def advise(case: Case, reasons: Sequence[Reason]) -> Action:
    """The action for a case; `none` when nothing is told of it or there is nothing that the office can do. Works at a ready office are watched."""
    if not reasons:
        return Action.NONE
    action = _weighed(case, reasons)
    if action in _OF_THE_LINE and _only_this_end_is_down(case, reasons):
        return Action.WAIT_HEADQUARTERS
    return action


def _weighed(case: Case, reasons: Sequence[Reason]) -> Action:
    worst = _to_act_on(case, reasons)
    if worst.until_ns is not None:
        return Action.WATCH  # it is over: nothing to be done about it now
    if worst.code in _NOT_OUR_OWN:
        action = _NOT_OUR_OWN[worst.code](case, worst)
        is_over = worst.code is ReasonCode.SHARED_FAULT and _is_over(
            case, [one for one in reasons if one is not worst]
        )
        # Others may still suffer: this line is well again, and nobody changes anything for it now.
        return Action.WATCH if is_over and action is not Action.WAIT_HEADQUARTERS else action
    if worst.code in _FIXED:
        return _FIXED[worst.code]
    if worst.code in _STANDING:
        return _lower(case) if case.best_profile else _unless_at_risk(case)
    comes_back = any(reason.code is ReasonCode.FLAPPING for reason in reasons)
    return _against_fault(case, worst, comes_back=comes_back)


def _against_fault(case: Case, worst: Reason, *, comes_back: bool) -> Action:
    if _has_second_line(case):
        return Action.SECOND_LINE
    if comes_back:  # no restart has mended it, and no smaller picture gets through an outage
        return Action.CALL_PROVIDER
    if worst.code is ReasonCode.OUTAGE:
        fresh = worst.since_ns is None or case.ground.now_ns - worst.since_ns <= FRESH_OUTAGE_NS
        return Action.RESTART_ROUTER if fresh else Action.CALL_PROVIDER
    if case.best_profile and case.lead_ns <= TOO_LATE_TO_MEND_NS:
        return _lower(case)
    return _unless_at_risk(case)


def _lower(case: Case) -> Action:
    """Down to the best profile; where that is sound alone, there is no lower picture to ask for."""
    best = case.ground.profiles[case.best_profile]
    return Action.AUDIO_ONLY if best.is_audio_only else Action.LOWER_PROFILE


def _unless_at_risk(case: Case) -> Action:
    """Nobody is rung about an office that will probably hold."""
    return Action.CALL_PROVIDER if case.standing is Standing.NOT_READY else Action.WATCH


def _against_shared(case: Case, worst: Reason) -> Action:
    """No restart at the office mends it: another line, a lower picture, or the provider, who has many callers."""
    if worst.factor is not None and worst.factor.is_headquarters:
        return Action.WAIT_HEADQUARTERS
    if worst.factor is not None and worst.factor.kind is FactorKind.AT_ONCE:
        return Action.WATCH  # nobody knows yet whose fault it is
    if worst.factor is None and case.standing is not Standing.NOT_READY:
        return Action.WATCH  # others are in trouble, and nothing says that it is the same
    if _has_second_line(case):
        return Action.SECOND_LINE
    return _lower(case) if case.best_profile else Action.CALL_PROVIDER


def _against_platform(case: Case, _worst: Reason) -> Action:
    """Away for one office it is that office's way to it; away for many there is nothing that an office can do."""
    everywhere = case.ground.reached is not None and case.ground.reached.edge_everywhere
    return Action.WAIT_HEADQUARTERS if everywhere else Action.CALL_PROVIDER


_NOT_OUR_OWN: Final = {
    ReasonCode.SHARED_FAULT: _against_shared,
    ReasonCode.PLATFORM_EDGE: _against_platform,
}


def _is_over(case: Case, own: Sequence[Reason]) -> bool:
    """Whether all that the line itself had is over, with or without a name for it."""
    if not own:
        return False
    worst = _to_act_on(case, own)
    return worst.until_ns is not None or worst.code is ReasonCode.RECENT_FAULT


def _to_act_on(case: Case, reasons: Sequence[Reason]) -> Reason:
    """The reason that the advice is about; of several of one place the heaviest, where their advice is the same.

    What explains the trouble comes first (a shared fault, a device, works that go on), then what lasts, then what comes with the hour
    or stays, then what only others tell of, and last what is over or says how little is known.
    """
    return min(reasons, key=lambda reason: _place(case, reason))


def _place(case: Case, reason: Reason) -> int:
    code = reason.code
    if reason.until_ns is not None:
        return 7
    if code in _NOT_OUR_OWN or code in _FIRST:
        return 6 if reason.is_of_others else 0
    if code is ReasonCode.PLANNED:
        return 1 if case.has_works_now else 5
    if code in _OF_NOW:
        return 2
    if code in _STANDING:
        return 4
    return 8 if code in _FIXED else 3


def _only_this_end_is_down(case: Case, reasons: Sequence[Reason]) -> bool:
    """The line is down while another end answers the same office over the same uplink: neither its router nor its provider is."""
    if not any(reason.code is ReasonCode.OUTAGE and reason.is_down_now for reason in reasons):
        return False
    ground, uplink = case.ground, case.path_name.partition(".")[0]
    down = ground.condition.by_cause[case.limit_set, case.site, :, _OUTAGE] >= SUSPECT
    down |= ground.recent.outages.lasting[case.site]
    newest = ground.recent.newest[case.site]
    answers = ~ground.silent[case.site] & ~down & (newest >= newest[case.path])
    return any(
        answers[i] and path != case.path_name and path.partition(".")[0] == uplink
        for i, path in enumerate(ground.lines.paths)
    )


def _has_second_line(case: Case) -> bool:
    """Another uplink of the office sounds good, though it is not measured to this meeting's end."""
    lines, broken = case.ground.lines, case.ground.condition.suspicion[case.limit_set, case.site]
    uplink = case.path_name.partition(".")[0]
    good = case.ground.heard[case.site] & (broken < SUSPECT)
    return any(good[i] and path.partition(".")[0] != uplink for i, path in enumerate(lines.paths))
