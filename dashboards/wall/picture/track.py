"""How often the forecasts came true: what the wall may say of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.wall.picture.model import Track
from telemetry.decisions import Horizon, OutcomeState, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.decisions import Forecast, Outcome

DAYS: Final = 30
JUDGED: Final = Horizon.T30M
_EVEN: Final = 0.5


def track(forecasts: Iterable[Forecast], outcomes: Iterable[Outcome]) -> Track | None:
    """Score of the forecasts issued half an hour before; None while none of them is settled.

    A forecast is right when it gave what came true the better odds; the Brier score is the mean of
    (probability - outcome)². An office called not ready without a probability (dark) counts as 0.
    """
    settled = {
        (outcome.site, outcome.meeting, outcome.occurrence_ns): outcome.state is OutcomeState.HELD
        for outcome in outcomes
        if outcome.state in {OutcomeState.HELD, OutcomeState.FAILED}
    }
    of, right, squares = 0, 0, 0.0
    for forecast in forecasts:
        verdict = forecast.verdict
        held = settled.get((verdict.site, verdict.meeting, verdict.occurrence_ns))
        chance = (
            0.0 if verdict.state is State.NOT_READY and verdict.probability is None else verdict.probability
        )
        if forecast.horizon is not JUDGED or held is None or chance is None:
            continue
        of += 1
        right += (chance >= _EVEN) == held
        squares += (chance - held) ** 2
    return Track(days=DAYS, of=of, right=right, brier=round(squares / of, 3)) if of else None
