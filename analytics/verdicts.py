"""Verdicts out of expectations, for as many offices as are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analytics.actions import advise
from analytics.case import Case
from analytics.ground import Standing
from analytics.newcomers import known_since_ns
from analytics.reasons import reasons, works_go_on
from analytics.shared.tail import without_its_tail
from analytics.shared.told import with_shared
from telemetry.decisions import BESIDE_THE_LINE, State, Verdict, within_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.ground import Expectation, Ground
    from config.meetings import Occurrence
    from telemetry.decisions import Reason

_STATE: Final = {
    Standing.UNKNOWN: State.UNKNOWN,
    Standing.NOT_READY: State.NOT_READY,
    Standing.AT_RISK: State.AT_RISK,
    Standing.READY: State.READY,
}


def verdicts(
    ground: Ground, occurrence: Occurrence, expectation: Expectation, sites: Iterable[int]
) -> list[Verdict]:
    """The verdict of each site (by index) at an occurrence."""
    return [verdict(Case(ground, occurrence, expectation, site)) for site in sites]


def verdict(case: Case) -> Verdict:
    """The verdict of one case, as of the ground's time."""
    why, meeting = with_shared(case, reasons(case)), case.occurrence.meeting
    has_number = case.probability is not None  # else nothing was weighed: the cause stands first already
    return Verdict(
        site=case.ground.lines.sites[case.site],
        meeting=meeting.uid,
        occurrence_ns=case.occurrence.recurrence_ns,
        starts_ns=case.occurrence.starts_ns,
        ends_ns=case.occurrence.ends_ns,
        profile=meeting.profile,
        issued_ns=case.ground.now_ns,
        state=_STATE[case.standing],
        probability=None if case.probability is None else _kept(case.probability),
        path=case.path_name,
        reasons=what_is_first(why) if has_number and not (why and works_go_on(case)) else why,
        best_profile=case.best_profile,
        action=advise(case, without_its_tail(case, why)),
        model=case.ground.foresight.name,
        known_since_ns=known_since_ns(case),
    )


def _kept(chance: float) -> float:
    return within_state(chance, round(chance, 4), 4)


def what_is_first(told: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons as people read them: that the line is down now before all that only lowers the chance.

    What explains it (a shared fault, a device that is off) still leads. The action is chosen by weight, before this.
    """

    def place(reason: Reason) -> int:
        leads = reason.factor is not None or reason.code in BESIDE_THE_LINE
        return 0 if leads else 1 if reason.is_down_now else 2

    return tuple(sorted(told, key=place))
