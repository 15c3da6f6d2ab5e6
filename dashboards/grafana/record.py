"""The forecast's track record: what was said beside what came true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import Places, bars, lines

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from dashboards.grafana.panels import Desk


def dashboard(desk: Desk) -> Dashboard:
    """Reliability by tenths, Brier score over time, and how many were scored. A score lies where its meeting began."""
    places = Places()
    board = frame.begun(desk, "record", "now-28d")
    for variable in (variables.region(desk), variables.horizon(desk)):
        board = board.with_variable(variable)
    daily = "1d"
    return (
        board.with_panel(
            bars(desk, places.take(16, 10), "record.reliability", "bin", "bin_said", "bin_held")
            .unit("percentunit")
            .min(0)
            .max(1)
        )
        .with_panel(bars(desk, places.take(8, 10), "record.bins", "bin", "bin_count"))
        .with_panel(
            lines(desk, places.take(12, 8), "record.brier", "none", "score_brier").interval(daily).min(0)
        )
        .with_panel(
            lines(desk, places.take(12, 8), "record.said", "percentunit", "score_said", "score_held")
            .interval(daily)
            .min(0)
            .max(1)
        )
        .with_panel(lines(desk, places.take(24, 6), "record.count", "none", "score_count").interval(daily))
    )
