"""The fleet: where it is worst now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import (
    Places,
    alarm,
    geography,
    limits,
    mapped,
    merged,
    ranking,
    states,
    tiles,
)

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from dashboards.grafana.panels import Desk


def dashboard(desk: Desk) -> Dashboard:
    """Two maps (next meeting, loss), tiles and a list, worst first, that lead to the office; shared faults."""
    places = Places()
    loss = frame.profile(desk).alarm.loss_ratio
    units = {
        "office_lost": "percentunit",
        "office_rtt": "ms",
        "office_jitter": "ms",
        "office_newest": "dateTimeFromNow",
        "office_online": "bool_on_off",
        "office_silent": "bool_yes_no",
    }
    faults = {"incident_open": "bool_yes_no", "incident_offices": "none", "incident_since": "dateTimeFromNow"}
    next_one = geography(desk, places.take(12, 18), "fleet.next", "office_next", "none")
    next_one = next_one.thresholds(limits((None, "gray"), (1, "green"), (2, "yellow"), (3, "red")))
    lost = geography(desk, places.take(12, 18), "fleet.map", "office_lost", "percentunit")
    return (
        frame.begun(desk, "fleet", "now-15m")
        .with_variable(variables.region(desk))
        .with_panel(next_one)
        .with_panel(lost.thresholds(alarm(loss)))
        .with_panel(tiles(desk, places.take(24, 10), "fleet.tiles", "office_next", mapped(states(desk))))
        .with_panel(ranking(desk, places.take(24, 14), "fleet.worst", units))
        .with_panel(merged(desk, places.take(24, 7), "fleet.incidents", ("factor",), faults))
    )
