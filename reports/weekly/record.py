"""The forecasts' track record: what we said, what happened, and whether our chances can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports.document import Cell, Heading, Paragraph, Reliability, Table
from reports.weekly.cells import figures as figure_column
from reports.weekly.cells import number, text, words
from telemetry.decisions import Horizon
from telemetry.words import say

if TYPE_CHECKING:
    from analytics.forecast.record import Record
    from reports.document import Block
    from reports.gather import WeekFigures
    from reports.weekly.voice import Voice

LEAST: Final = 20
"""With fewer forecasts that are decided, a score says nothing."""


def track_record(voice: Voice, week: WeekFigures) -> list[Block]:
    """In words, by horizon, and as a plot."""
    told = week.record.get(Horizon.T30M.value)
    found: list[Block] = [Heading(voice("record"), 2, "record"), Paragraph(voice("record_intro"))]
    if told is None or not any(one.forecasts for one in week.record.values()):
        return [*found, Paragraph(voice("record_none"))]
    if told.forecasts >= LEAST:
        found.append(
            Paragraph(
                voice(
                    "record_said",
                    ready=told.ready,
                    held=told.ready_held,
                    flagged=told.flagged,
                    failed=told.flagged_failed,
                    missed=told.failed - told.flagged_failed,
                )
            )
        )
    found.append(_table(voice, week))
    if sum(one.count for one in week.bins) >= LEAST:
        found += [_plot(voice, week), Paragraph(voice("reliability_note"), small=True)]
    return found


def _table(voice: Voice, week: WeekFigures) -> Table:
    columns = (
        words(voice("horizon"), "horizon"),
        figure_column(voice("forecasts"), "forecasts"),
        figure_column(voice("said_ready"), "said_ready"),
        figure_column(voice("of_it_held"), "said_ready_held"),
        figure_column(voice("said_flagged"), "flagged"),
        figure_column(voice("of_it_failed"), "flagged_failed"),
        figure_column(voice("not_foreseen"), "failed_not_flagged"),
        figure_column(voice("brier"), "brier"),
    )
    rows = tuple(
        _row(voice, horizon, week.record[horizon.value])
        for horizon in Horizon
        if horizon.value in week.record
    )
    return Table("record", columns, rows)


def _row(voice: Voice, horizon: Horizon, one: Record) -> tuple[Cell, ...]:
    known = one.brier is not None and one.numbered >= LEAST
    return (
        text(say(voice.language, f"horizon.{horizon.value}")),
        number(voice, one.forecasts),
        number(voice, one.ready),
        number(voice, one.ready_held),
        number(voice, one.flagged),
        number(voice, one.flagged_failed),
        number(voice, one.failed - one.flagged_failed),
        _brier(voice, one.brier if known else None),
    )


def _brier(voice: Voice, value: float | None) -> Cell:
    return Cell(
        voice("none") if value is None else f"{value:.3f}", None if value is None else round(value, 6)
    )


def _plot(voice: Voice, week: WeekFigures) -> Reliability:
    return Reliability(
        name="reliability",
        said=tuple(one.said for one in week.bins),
        came_true=tuple(one.held for one in week.bins),
        count=tuple(one.count for one in week.bins),
        low=tuple(one.low for one in week.bins),
        high=tuple(one.high for one in week.bins),
        said_label=voice("we_said"),
        true_label=voice("came_true"),
        caption=voice("reliability_caption"),
    )
