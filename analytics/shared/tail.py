"""What a shared fault leaves behind on an office's line once it is over: the line is well again and its verdict is not yet.

That is nobody's own, so nobody is told to ring a provider for it (decisions 196 and 200).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analytics.shared.onsets import EARLIER_NS
from analytics.shared.told import explains
from telemetry.decisions import ReasonCode
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.case import Case
    from telemetry.decisions import Incident, Reason

STRAIN: Final = frozenset({ReasonCode.STRAINED, ReasonCode.EXPECTED_STRAIN})
"""Nothing is broken now: the line stands near a limit, or is expected past one."""


def without_its_tail(case: Case, told: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons that an advice is drawn from: of a line that a shared fault has left behind, not that it stands near a limit still."""
    fault = _last_fault(case)
    if fault is None or not any(_is_left_by(fault, one) for one in told):
        return tuple(told)
    return tuple(one for one in told if one.code not in STRAIN)


def came_and_went_with_it(case: Case) -> bool:
    """Whether a line that comes and goes did so with a shared fault alone, which is over."""
    fault, found, at = _last_fault(case), case.ground.flapping, (case.site, case.path)
    return fault is not None and all(
        _is_within(fault, int(each[at])) for each in (found.since_ns, found.until_ns)
    )


def _last_fault(case: Case) -> Incident | None:
    """The shared fault that was over last on the office's line to the meeting, within the hour; None without one."""
    ground, (uplink, _, end) = case.ground, case.path_name.partition(".")
    site = ground.lines.sites[case.site]
    over = [
        each
        for each in ground.past_incidents
        if each.until_ns is not None and 0 <= ground.now_ns - each.until_ns < HOUR_NS
        if explains((each,), site, uplink, end, None, None) is not None
    ]
    return max(over, key=lambda each: each.until_ns or 0, default=None)


def _is_left_by(fault: Incident, reason: Reason) -> bool:
    """Whether a reason tells of what was, and that was of the fault; what came back several times since has a count, and is the line's own."""
    if reason.code is ReasonCode.RECENT_FAULT:
        return reason.value is None
    return reason.until_ns is not None and (reason.since_ns is None or _is_within(fault, reason.since_ns))


def _is_within(fault: Incident, at_ns: int) -> bool:
    """Whether a time lies in a fault that is over, or a little before or after it."""
    until_ns = fault.seen_ns if fault.until_ns is None else fault.until_ns
    return fault.since_ns - EARLIER_NS <= at_ns <= until_ns + EARLIER_NS
