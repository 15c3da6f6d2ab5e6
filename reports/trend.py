"""How many invited offices held their meetings, week by week, and each office's own of this one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.decisions import OutcomeState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reports.week import Week
    from telemetry.decisions import Outcome
    from telemetry.state.db import StateDb

WEEKS: Final = 10


@dataclass(frozen=True, slots=True)
class Held:
    """Pairs of an office and a meeting: how many held and how many did not; what is excused or open counts for neither."""

    held: int = 0
    failed: int = 0

    @property
    def share(self) -> float:
        """Held of both, 0..1; NaN where there was none."""
        decided = self.held + self.failed
        return self.held / decided if decided else float("nan")


@dataclass(frozen=True, slots=True)
class HeldWeek:
    """One week of the trend."""

    week: Week
    held: Held


def held_weeks(state: StateDb, week: Week, sites: Collection[str]) -> tuple[HeldWeek, ...]:
    """The weeks up to this one, oldest first."""
    found = []
    for _ in range(WEEKS):
        outcomes = [each for each in state.outcomes(week.start_ns, week.end_ns) if each.site in sites]
        found.append(HeldWeek(week, counted(outcomes)))
        week = week.before
    return tuple(reversed(found))


def counted(outcomes: Iterable[Outcome]) -> Held:
    """All of them together."""
    count = Counter(each.state for each in outcomes)
    return Held(count[OutcomeState.HELD], count[OutcomeState.FAILED])


def held_by_office(outcomes: Iterable[Outcome]) -> dict[str, Held]:
    """By office, of those that were invited at all."""
    by_site: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_site.setdefault(outcome.site, []).append(outcome)
    return {site: counted(own) for site, own in by_site.items()}
