"""One office: its lines, window by window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import Places, alarm, lines

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from dashboards.grafana.panels import Desk


def dashboard(desk: Desk) -> Dashboard:
    """Round trip, loss by direction, jitter, delay variation, bitrate, and what is missing."""
    places = Places()
    limit = frame.profile(desk).alarm
    smoke = ("rtt_min", "rtt_p50", "rtt_p95", "rtt_p99", "rtt_max")
    return (
        frame.begun(desk, "site", "now-6h")
        .with_variable(variables.site(desk))
        .with_panel(lines(desk, places.take(24, 9), "site.rtt", "ms", *smoke).thresholds(alarm(limit.rtt_ms)))
        .with_panel(
            lines(desk, places.take(12, 8), "site.loss", "percentunit", "lost_way", "lost_both").thresholds(
                alarm(limit.loss_ratio)
            )
        )
        .with_panel(
            lines(desk, places.take(12, 8), "site.jitter", "ms", "jitter", "jitter_max").thresholds(
                alarm(limit.jitter_ms)
            )
        )
        .with_panel(lines(desk, places.take(12, 8), "site.pdv", "ms", "pdv_p999"))
        .with_panel(lines(desk, places.take(12, 8), "site.bitrate", "bps", "bitrate"))
        .with_panel(lines(desk, places.take(12, 6), "site.run", "none", "longest_run"))
        .with_panel(lines(desk, places.take(12, 6), "site.present", "percentunit", "present").min(0).max(1))
    )
