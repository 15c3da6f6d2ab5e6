"""The fleet: where it is worst now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import Places, alarm, geography, ranking

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from dashboards.grafana.panels import Desk


def dashboard(desk: Desk) -> Dashboard:
    """A map and a list, worst first; both lead to the office."""
    places = Places()
    loss = frame.profile(desk).alarm.loss_ratio
    units = {
        "office_lost": "percentunit",
        "office_rtt": "ms",
        "office_jitter": "ms",
        "office_newest": "dateTimeFromNow",
    }
    return (
        frame.begun(desk, "fleet", "now-15m")
        .with_variable(variables.region(desk))
        .with_panel(
            geography(desk, places.take(12, 18), "fleet.map", "office_lost", "percentunit").thresholds(
                alarm(loss)
            )
        )
        .with_panel(ranking(desk, places.take(12, 18), "fleet.worst", units))
    )
