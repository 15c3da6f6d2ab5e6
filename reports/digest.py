"""What the digest of a meeting says, from the state database alone: before it who is not ready, after it what came true.

Both are as of a time; what arrives later changes neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from config.sites import SiteStatus
from reports.digest_alerts import Doing, doing
from telemetry.attendance import attendance
from telemetry.decisions import Horizon, OutcomeState, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.config import Config
    from config.meetings import Occurrence
    from config.sites import Site
    from telemetry.decisions import Outcome, Verdict
    from telemetry.state.db import StateDb

_FLAGGED: Final = (State.NOT_READY, State.AT_RISK)
_WORST_FIRST: Final = (State.NOT_READY, State.AT_RISK, State.UNKNOWN, State.READY)


class Side(StrEnum):
    """Which of the two digests of a meeting."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Expected:
    """One linked office that is invited, before the meeting."""

    site: Site
    verdict: Verdict | None
    """None: nothing is said of it."""
    doing: Doing | None
    """What is being done, when somebody was told."""

    @property
    def state(self) -> State:
        """What is said of it; unknown when nothing is."""
        return self.verdict.state if self.verdict is not None else State.UNKNOWN

    @property
    def chance(self) -> float | None:
        """What it adds to the number that is expected to hold; None when nothing is known of it."""
        return self.verdict.expected if self.verdict is not None else None


@dataclass(frozen=True, slots=True)
class Before:
    """What is expected of a meeting that comes."""

    occurrence: Occurrence
    offices: tuple[Expected, ...]
    """Worst first."""
    not_linked: int
    expected: float
    """How many of `judged` offices are expected to hold: the sum of their probabilities, an office without contact, or whose room device is off, counts 0."""
    judged: int
    """Offices that there is a number for, or that are not ready for a reason that needs none."""

    def count(self, state: State) -> int:
        """How many offices are said to be so."""
        return sum(each.state is state for each in self.offices)

    @property
    def is_said(self) -> bool:
        """Whether there is a verdict of any office yet."""
        return any(each.verdict is not None for each in self.offices)


@dataclass(frozen=True, slots=True)
class CameTrue:
    """One office that was in the meeting, after it."""

    site: str
    """Its id: the list may no longer have it."""
    outcome: Outcome | None
    said: Mapping[Horizon, Verdict]

    @property
    def state(self) -> OutcomeState:
        """What came true; unsettled while nothing is on record."""
        return self.outcome.state if self.outcome is not None else OutcomeState.UNSETTLED

    def right(self, horizon: Horizon) -> bool | None:
        """Whether what was said at a horizon came true; None when nothing was said, or nothing is decided."""
        said = self.said.get(horizon)
        if said is None or said.state is State.UNKNOWN:
            return None
        if self.state not in {OutcomeState.HELD, OutcomeState.FAILED}:
            return None
        return (said.state is State.READY) == (self.state is OutcomeState.HELD)

    @property
    def came_as_said(self) -> bool:
        """Whether something was said of it that can be compared, and nothing of that was wrong."""
        found = {self.right(horizon) for horizon in Horizon}
        return True in found and False not in found


@dataclass(frozen=True, slots=True)
class Record:
    """What was said at a horizon, of the offices that are decided."""

    horizon: Horizon
    ready: int
    ready_held: int
    flagged: int
    flagged_failed: int

    @property
    def said(self) -> int:
        """How many forecasts are decided."""
        return self.ready + self.flagged

    @property
    def right(self) -> int:
        """How many of them came true."""
        return self.ready_held + self.flagged_failed


@dataclass(frozen=True, slots=True)
class After:
    """What came true of a meeting that is over."""

    occurrence: Occurrence
    offices: tuple[CameTrue, ...]
    """Those that failed first, then those whose forecast was wrong."""
    not_linked: int
    records: tuple[Record, ...]
    is_ours: bool = True
    """Whether anything was said of it before it was over: else it was before our time, whatever data have come of it since."""

    def count(self, state: OutcomeState) -> int:
        """How many offices came out so."""
        return sum(each.state is state for each in self.offices)

    @property
    def provisional(self) -> int:
        """Of those that are decided, how many late data may still change."""
        return sum(
            each.outcome is not None and not each.outcome.final and each.state is not OutcomeState.UNSETTLED
            for each in self.offices
        )

    @property
    def all_held(self) -> bool:
        """Whether every office held the meeting, none open and none excused."""
        return bool(self.offices) and self.count(OutcomeState.HELD) == len(self.offices)

    @property
    def came_as_said(self) -> bool:
        """Whether of every office what was said came true: without a forecast nothing had been said."""
        return all(each.came_as_said for each in self.offices)

    @property
    def is_known(self) -> bool:
        """Whether anything was said of it, or came out: of a meeting before our time there is nothing to tell."""
        return any(each.said or each.state is not OutcomeState.UNSETTLED for each in self.offices)

    @property
    def is_settled(self) -> bool:
        """Whether any office's outcome is on record."""
        return any(each.outcome is not None for each in self.offices)


def before(config: Config, state: StateDb, occurrence: Occurrence) -> Before:
    """Who is not ready, and what is being done.

    Raises:
        StateError: the state database cannot be read.
    """
    sites, not_linked = _invited(config, occurrence)
    said = {each.site: each for each in _of(occurrence, state.verdicts(*_span(occurrence)))}
    done = doing(state, occurrence, {site.id: said.get(site.id) for site in sites})
    offices = [Expected(site, said.get(site.id), done.get(site.id)) for site in sites]
    chances = [chance for each in offices if (chance := each.chance) is not None]
    return Before(occurrence, tuple(sorted(offices, key=_urgency)), not_linked, sum(chances), len(chances))


def after(config: Config, state: StateDb, occurrence: Occurrence) -> After:
    """What happened, and whether it had been said.

    Raises:
        StateError: the state database cannot be read.
    """
    sites, not_linked = _invited(config, occurrence)
    span = _span(occurrence)
    outcomes = {each.site: each for each in state.outcomes(*span) if _is_of(occurrence, each)}
    said: dict[str, dict[Horizon, Verdict]] = {}
    for forecast in state.forecasts(*span):
        if _is_of(occurrence, forecast.verdict):
            said.setdefault(forecast.verdict.site, {})[forecast.horizon] = forecast.verdict
    there = attendance([site.id for site in sites], outcomes, said)
    offices = [CameTrue(site, outcomes.get(site), said.get(site, {})) for site in there]
    offices.sort(key=lambda each: (each.state is not OutcomeState.FAILED, -_wrong(each)))
    records = tuple(_record(horizon, offices) for horizon in Horizon)
    return After(occurrence, tuple(offices), not_linked, records, _was_watched(state, occurrence, said))


def _was_watched(
    state: StateDb, occurrence: Occurrence, said: Mapping[str, Mapping[Horizon, Verdict]]
) -> bool:
    verdicts = _of(occurrence, state.verdicts(*_span(occurrence)))
    verdicts += [one for each in said.values() for one in each.values()]
    return any(one.issued_ns < occurrence.ends_ns for one in verdicts)


def _invited(config: Config, occurrence: Occurrence) -> tuple[list[Site], int]:
    """The linked offices that are invited, and how many are not linked yet."""
    sites = [config.registry.by_id[one] for one in occurrence.meeting.invited if one in config.registry.by_id]
    linked = [site for site in sites if site.status is SiteStatus.LINKED]
    return linked, len(sites) - len(linked)


def _span(occurrence: Occurrence) -> tuple[int, int]:
    return occurrence.starts_ns, occurrence.starts_ns + 1


def _is_of(occurrence: Occurrence, said: Verdict | Outcome) -> bool:
    return (said.meeting, said.occurrence_ns) == (occurrence.meeting.uid, occurrence.recurrence_ns)


def _of(occurrence: Occurrence, verdicts: Iterable[Verdict]) -> list[Verdict]:
    return [each for each in verdicts if _is_of(occurrence, each)]


def _urgency(office: Expected) -> tuple[int, float]:
    return _WORST_FIRST.index(office.state), office.chance if office.chance is not None else 1.0


def _wrong(office: CameTrue) -> int:
    return sum(office.right(horizon) is False for horizon in Horizon)


def _record(horizon: Horizon, offices: Iterable[CameTrue]) -> Record:
    told = [
        (each.said[horizon].state, bool(right))
        for each in offices
        if (right := each.right(horizon)) is not None
    ]
    ready = [right for said, right in told if said is State.READY]
    flagged = [right for said, right in told if said in _FLAGGED]
    return Record(horizon, len(ready), sum(ready), len(flagged), sum(flagged))
