"""How the forecasts that were issued came true: by horizon, over the meetings of the last weeks that are over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from telemetry.decisions import Horizon, OutcomeState, State
from telemetry.windows import DAY_NS
from telemetry.words import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.decisions import Forecast, Outcome
    from telemetry.state.db import StateDb

SPAN_NS: Final = 28 * DAY_NS
LEAST: Final = 20
"""With fewer forecasts that are decided, people are not told a record yet."""
TOLD: Final = Horizon.T30M
_DECIDED: Final = (OutcomeState.HELD, OutcomeState.FAILED)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Of one horizon. Only forecasts whose meeting is over and held or failed count; those without a number have no part in `brier`."""

    forecasts: int
    ready: int
    """Said to be ready."""
    ready_held: int
    flagged: int
    """Said to be at risk or not ready."""
    flagged_failed: int
    failed: int
    numbered: int
    brier: float | None


def track_record(state: StateDb, now_ns: int) -> dict[str, Record]:
    """The record of the last four weeks, by horizon.

    Raises:
        StateError: the state database cannot be read.
    """
    outcomes = {_key(each): each for each in state.outcomes(now_ns - SPAN_NS - DAY_NS, now_ns)}
    by_horizon: dict[Horizon, list[tuple[Forecast, bool]]] = {horizon: [] for horizon in Horizon}
    for forecast in state.forecasts(now_ns - SPAN_NS, now_ns):
        said = forecast.verdict
        outcome = outcomes.get((said.site, said.meeting, said.occurrence_ns))
        if outcome is not None and outcome.state in _DECIDED:
            by_horizon[forecast.horizon].append((forecast, outcome.state is OutcomeState.HELD))
    return {horizon.value: _record(rows) for horizon, rows in by_horizon.items()}


def in_words(records: dict[str, Record], language: str) -> str:
    """One line about the forecasts of half an hour before; from when on there are enough, when there are not."""
    record = records[TOLD.value]
    if record.forecasts < LEAST:
        return say(language, "table.record_begins", n=record.forecasts, least=LEAST)
    return say(
        language,
        "table.record",
        ready=record.ready,
        held=record.ready_held,
        flagged=record.flagged,
        failed=record.flagged_failed,
        brier="-" if record.brier is None else f"{record.brier:.3f}",
    )


def _key(outcome: Outcome) -> tuple[str, str, int]:
    return outcome.site, outcome.meeting, outcome.occurrence_ns


def _record(rows: Sequence[tuple[Forecast, bool]]) -> Record:
    ready = [held for each, held in rows if each.verdict.state is State.READY]
    flagged = [held for each, held in rows if each.verdict.state in (State.AT_RISK, State.NOT_READY)]
    errors = [
        (each.verdict.probability - held) ** 2 for each, held in rows if each.verdict.probability is not None
    ]
    return Record(
        forecasts=len(rows),
        ready=len(ready),
        ready_held=sum(ready),
        flagged=len(flagged),
        flagged_failed=len(flagged) - sum(flagged),
        failed=sum(not held for _, held in rows),
        numbered=len(errors),
        brier=sum(errors) / len(errors) if errors else None,
    )
