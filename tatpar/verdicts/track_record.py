"""How the forecasts that were issued came true: by horizon, over the meetings of the last weeks that are over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analytics.forecast.record import decided, record
from telemetry.decisions import Horizon
from telemetry.windows import DAY_NS
from telemetry.words import say

if TYPE_CHECKING:
    from analytics.forecast.record import Record
    from telemetry.state.db import StateDb

SPAN_NS: Final = 28 * DAY_NS
LEAST: Final = 20
"""With fewer forecasts that are decided, people are not told a record yet."""
TOLD: Final = Horizon.T30M


def track_record(state: StateDb, now_ns: int) -> dict[str, Record]:
    """The record of the last four weeks, by horizon.

    Raises:
        StateError: the state database cannot be read.
    """
    outcomes = state.outcomes(now_ns - SPAN_NS - DAY_NS, now_ns)
    rows = decided(state.forecasts(now_ns - SPAN_NS, now_ns), outcomes)
    return {horizon.value: record(each) for horizon, each in rows.items()}


def in_words(records: dict[str, Record], language: str) -> str:
    """One line about the forecasts of half an hour before; from when on there are enough, when there are not."""
    told = records[TOLD.value]
    if told.forecasts < LEAST:
        return say(language, "table.record_begins", n=told.forecasts, least=LEAST)
    return say(
        language,
        "table.record",
        ready=told.ready,
        held=told.ready_held,
        flagged=told.flagged,
        failed=told.flagged_failed,
        brier="-" if told.brier is None else f"{told.brier:.3f}",
    )
