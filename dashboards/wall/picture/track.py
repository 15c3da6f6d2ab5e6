"""How often the forecasts came true: what the wall may say of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dashboards.wall.picture.model import Track
from telemetry.decisions import Horizon, OutcomeState, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.decisions import Forecast, Outcome, Verdict

DAYS: Final = 30
JUDGED: Final = Horizon.T30M
_EVEN: Final = 0.5


class Score(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Forecasts beside what came true, counted by office: what was said, and whether the call held."""

    ready_held: int = 0
    ready_failed: int = 0
    """Missed: the call was given the better odds, and failed."""
    not_held: int = 0
    """False alarm."""
    not_failed: int = 0
    brier: float | None = None

    @property
    def of(self) -> int:
        """How many are settled."""
        return self.ready_held + self.ready_failed + self.not_held + self.not_failed

    @property
    def right(self) -> int:
        """How many gave what came true the better odds."""
        return self.ready_held + self.not_failed


def chance_of(verdict: Verdict) -> float | None:
    """The probability that is scored; an office called not ready without one (dark) counts as 0."""
    return 0.0 if verdict.state is State.NOT_READY and verdict.probability is None else verdict.probability


def favours(verdict: Verdict) -> bool | None:
    """Whether the forecast gave the better odds to a call that holds; None when it said nothing of it."""
    chance = chance_of(verdict)
    return None if chance is None else chance >= _EVEN


def score(forecasts: Iterable[Forecast], outcomes: Iterable[Outcome]) -> Score | None:
    """Score of the forecasts issued half an hour before; None while none of them is settled.

    The Brier score is the mean of (probability - outcome)² (Brier 1950, for two outcomes).
    """
    settled = {
        (outcome.site, outcome.meeting, outcome.occurrence_ns): outcome.state is OutcomeState.HELD
        for outcome in outcomes
        if outcome.state in {OutcomeState.HELD, OutcomeState.FAILED}
    }
    counted: dict[tuple[bool, bool], int] = {}
    squares = 0.0
    for forecast in forecasts:
        verdict = forecast.verdict
        held = settled.get((verdict.site, verdict.meeting, verdict.occurrence_ns))
        chance = chance_of(verdict)
        if forecast.horizon is not JUDGED or held is None or chance is None:
            continue
        cell = (chance >= _EVEN, held)
        counted[cell] = counted.get(cell, 0) + 1
        squares += (chance - held) ** 2
    if not counted:
        return None
    return Score(
        ready_held=counted.get((True, True), 0),
        ready_failed=counted.get((True, False), 0),
        not_held=counted.get((False, True), 0),
        not_failed=counted.get((False, False), 0),
        brier=round(squares / sum(counted.values()), 3),
    )


def track(forecasts: Iterable[Forecast], outcomes: Iterable[Outcome]) -> Track | None:
    """The score over the days that are told of; None while nothing is settled."""
    found = score(forecasts, outcomes)
    if found is None:
        return None
    return Track(days=DAYS, of=found.of, right=found.right, brier=found.brier)
