"""What a shared fault leaves behind on an office's line once it is over: the line is well again and its verdict is not yet.

That is nobody's own, so nobody is told to ring a provider for it (decisions 196 and 200).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analytics.shared.onsets import EARLIER_NS
from analytics.shared.told import covers
from telemetry.decisions import ReasonCode
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.case import Case
    from telemetry.decisions import Incident, Reason

STRAIN: Final = frozenset({ReasonCode.STRAINED, ReasonCode.EXPECTED_STRAIN})
"""Nothing is broken now: the line stands near a limit, or is expected past one."""


def without_its_tail(case: Case, told: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons that an advice is drawn from: of a line that a shared fault has left behind, not that it stands near a limit still."""
    if not told:
        return ()
    over = [each for each in _faults(case) if each.until_ns is not None]
    if not any(_is_left_by(over, one) for one in told):
        return tuple(told)
    return tuple(one for one in told if one.code not in STRAIN)


def came_and_went_with_them(case: Case) -> bool:
    """Whether a line that comes and goes did so with shared faults alone: each time that it was down lies in one of them."""
    faults, outages = _faults(case), case.ground.flapping.of_line(case.site, case.path)
    seen = case.ground.recent.outages.of_line(case.site, case.path)
    times = {at_ns for span in outages for at_ns in span}
    times |= {at_ns for one in seen for at_ns in (one.since_ns, one.until_ns) if at_ns is not None}
    return bool(faults) and all(_is_within(faults, at_ns) for at_ns in times)


def is_of_before(fault_until_ns: int, reason: Reason) -> bool:
    """Whether a reason tells of what was before a shared fault was over (ns since the Unix epoch), or a little after; one without a time does not.

    A fault of not long ago goes by when it was seen last, any other by when it began.
    """
    at_ns = reason.until_ns if reason.code is ReasonCode.RECENT_FAULT else reason.since_ns
    at_ns = reason.since_ns if at_ns is None else at_ns
    return at_ns is not None and at_ns <= fault_until_ns + EARLIER_NS


def _faults(case: Case) -> list[Incident]:
    """The shared faults of the office's line to the meeting that last or were over within the hour."""
    ground, (uplink, _, end) = case.ground, case.path_name.partition(".")
    site = ground.lines.sites[case.site]
    return [
        each
        for each in ground.faults_of.get(site, ())
        if each.until_ns is None or 0 <= ground.now_ns - each.until_ns < HOUR_NS
        if covers(each.factor, uplink, end, None)
    ]


def _is_left_by(over: Sequence[Incident], reason: Reason) -> bool:
    """Whether a reason tells of what was, and that was of one of the faults that are over.

    What came back several times since has a count, and is the line's own. A fault of not long ago of which nobody knows when it was is
    laid to them.
    """
    if reason.code is ReasonCode.RECENT_FAULT:
        at_ns = reason.until_ns
        return bool(over) and reason.value is None and (at_ns is None or _is_within(over, at_ns))
    if reason.until_ns is None:
        return False
    return bool(over) and (reason.since_ns is None or _is_within(over, reason.since_ns))


def _is_within(faults: Iterable[Incident], at_ns: int) -> bool:
    """Whether a time lies in one of the faults, or a little before or after it."""
    return any(
        each.since_ns - EARLIER_NS <= at_ns and (each.until_ns is None or at_ns <= each.until_ns + EARLIER_NS)
        for each in faults
    )
