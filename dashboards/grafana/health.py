"""The collector's health: by its own `/metrics` where the data source is Prometheus-like and scrapes them, else by what reports tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import timeseries

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import Places, lines, words
from dashboards.grafana.speech import Language, Target

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from dashboards.grafana.panels import Desk

METRICS: Final[dict[str, tuple[str, str]]] = {
    "stored": ("sum(rate(tatpar_collector_reports_stored_total[5m]))", "reqps"),
    "lag": ("histogram_quantile(0.99, sum by (le) (rate(tatpar_report_lag_seconds_bucket[5m])))", "s"),
    "commit": (
        "histogram_quantile(0.99, sum by (le) (rate(tatpar_collector_commit_duration_seconds_bucket[5m])))",
        "s",
    ),
    "queue": ("max(tatpar_collector_queue_messages)", "none"),
    "holes": ("sum(tatpar_holes_open)", "none"),
    "refused": ("sum by (reason) (rate(tatpar_collector_refused_total[5m]))", "reqps"),
    "silent": ("max(tatpar_sites_silent)", "none"),
    "unshipped": ("time() - min(tatpar_store_oldest_unshipped_timestamp_seconds)", "s"),
    "roles": ("time() - max by (role) (tatpar_heartbeat_timestamp_seconds)", "s"),
}
"""Expressions over the names of `collector/observation`, with their units."""


def dashboard(desk: Desk) -> Dashboard:
    """Reports that arrive; and, with Prometheus or VictoriaMetrics, what the collector says of itself."""
    places = Places()
    board = frame.begun(desk, "health", "now-6h").with_variable(variables.region(desk))
    board = board.with_panel(
        lines(desk, places.take(24, 7), "health.reports", "none", "reports_stored").interval("1m")
    )
    if desk.speech.language is not Language.PROMQL:
        return board.with_panel(words(desk, places.take(24, 4), "health.elsewhere"))
    for name, (expr, unit) in METRICS.items():
        body: dict[str, object] = {
            "refId": "A",
            "datasource": desk.speech.source.to_json(),
            "expr": expr,
            "range": True,
            "instant": False,
            "legendFormat": "__auto",
            "interval": "15s",
        }
        board = board.with_panel(
            timeseries.Panel()
            .title(desk.say(f"health.{name}"))
            .datasource(desk.speech.source)
            .unit(unit)
            .grid_pos(places.take(8, 7))
            .with_target(Target(body))
        )
    return board
