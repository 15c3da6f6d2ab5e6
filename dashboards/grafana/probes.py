"""The measuring itself: whether what is shown can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import Places, lines

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from dashboards.grafana.panels import Desk


def dashboard(desk: Desk) -> Dashboard:
    """Late sends, drops in the probe's own buffers, and the error of its clock."""
    places = Places()
    return (
        frame.begun(desk, "probes", "now-6h")
        .with_variable(variables.region(desk))
        .with_panel(lines(desk, places.take(24, 8), "probes.clock", "ms", "probe_clock_error"))
        .with_panel(lines(desk, places.take(12, 8), "probes.late", "none", "probe_late_sends"))
        .with_panel(lines(desk, places.take(12, 8), "probes.drops", "none", "probe_drops"))
    )
