"""A back-test for people: its figures as tables, in Hindi or English."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tatpar.terminal.columns import table
from telemetry.words import say

if TYPE_CHECKING:
    from analytics.forecast.report import Score
    from analytics.forecast.scoring import Flags, Interval
    from config.config import Config
    from tatpar.backtesting.figures import Figures, Horizon

SHOWN_HORIZON = "T-30m"
"""Whose reliability is printed; the plot and the JSON have all."""


def lines_of(config: Config, figures: Figures, language: str) -> list[str]:
    """Horizons, regions, reliability, lead time."""
    out = [
        *_table(figures.horizons, language),
        "",
        *_alone(figures.horizons, language),
        "",
        *_regions(config, figures, language),
        "",
        *_reliability(figures, language),
    ]
    if figures.lead.failed:
        parts = ", ".join(
            say(language, "backtest.lead_part", horizon=name, share=share)
            for name, share in figures.lead.by_horizon.items()
        )
        never = figures.lead.never or 0.0
        out += ["", say(language, "backtest.lead", n=figures.lead.failed, parts=parts, never=never)]
    out += ["", say(language, "backtest.levels")]
    if any(score.lacks_a_yardstick for each in figures.horizons for score in _all_of(each)):
        out.append(say(language, "backtest.no_yardstick"))
    return out


def _all_of(of: Horizon) -> tuple[Score, ...]:
    return of.score, of.model_alone, *of.regions.values()


def _head(language: str, *first: str) -> list[str]:
    columns = ("forecasts", "failed", "brier", "persistence", "climatology", "calibration")
    return [say(language, f"backtest.{name}") for name in (*first, *columns, "flagged", "not_ready")]


def _table(horizons: tuple[Horizon, ...], language: str) -> list[str]:
    rows = [
        [
            each.horizon,
            _share(language, each.with_a_number),
            *_row(each.score, language),
        ]
        for each in horizons
    ]
    return table(_head(language, "horizon", "made"), rows)


def _alone(horizons: tuple[Horizon, ...], language: str) -> list[str]:
    rows = [[each.horizon, *_row(each.model_alone, language)] for each in horizons]
    return [say(language, "backtest.alone"), *table(_head(language, "horizon"), rows)]


def _regions(config: Config, figures: Figures, language: str) -> list[str]:
    rows = [
        [config.regions[name].name(language), each.horizon, *_row(score, language)]
        for name in figures.horizons[0].regions
        for each in figures.horizons
        for score in (each.regions[name],)
    ]
    return table(_head(language, "region", "horizon"), rows)


def _row(score: Score, language: str) -> list[str]:
    return [
        str(score.forecasts),
        str(score.failed),
        _interval(score.brier, 4, language),
        _interval(score.over_persistence, 2, language),
        _interval(score.over_climatology, 2, language),
        _interval(score.calibration, 3, language),
        _flags(score.flagged, language),
        _flags(score.not_ready, language),
    ]


def _reliability(figures: Figures, language: str) -> list[str]:
    shown = next(each for each in figures.horizons if each.horizon == SHOWN_HORIZON)
    bins = shown.score.reliability
    if bins is None:
        return []
    rows = [
        [_share(language, said), str(count), _share(language, came)]
        for count, said, came in zip(bins.counts, bins.chance, bins.held, strict=True)
        if count
    ]
    head = [say(language, f"backtest.{name}") for name in ("said", "forecasts", "came")]
    return [say(language, "backtest.reliability", horizon=SHOWN_HORIZON), *table(head, rows)]


def _interval(of: Interval | None, digits: int, language: str) -> str:
    if of is None or not all(map(math.isfinite, (of.value, of.low, of.high))):
        return "-"
    value, low, high = (f"{each:.{digits}f}" for each in (of.value, of.low, of.high))
    return say(language, "backtest.interval", value=value, low=low, high=high)


def _flags(of: Flags | None, language: str) -> str:
    if of is None:
        return "-"
    return f"{_share(language, of.hit_rate)}, {_share(language, of.false_alarm_rate)}"


def _share(language: str, share: float | None) -> str:
    if share is None or not math.isfinite(share):
        return "-"
    return say(language, "backtest.share", share=share)
