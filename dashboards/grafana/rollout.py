"""The roll-out: how many offices of each region are linked, planned, and silent though linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import Places, lines, mapped, merged
from telemetry.words import say_region

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from dashboards.grafana.panels import Desk


def dashboard(desk: Desk) -> Dashboard:
    """As it stands, and how it came to be."""
    places = Places()
    units = dict.fromkeys(("rollout_silent_now", "rollout_linked_now", "rollout_planned_now"), "none")
    regions = {
        site.region: (say_region(desk.language, site.region), "") for site in desk.config.registry.sites
    }
    return (
        frame.begun(desk, "rollout", "now-28d")
        .with_variable(variables.area(desk))
        .with_panel(
            merged(desk, places.take(24, 9), "rollout.now", ("region",), units).override_by_name(
                desk.say("column.region"), [mapped(regions)]
            )
        )
        .with_panel(
            lines(desk, places.take(24, 8), "rollout.linked", "none", "rollout_linked").interval("5m")
        )
        .with_panel(
            lines(desk, places.take(12, 8), "rollout.planned", "none", "rollout_planned").interval("5m")
        )
        .with_panel(
            lines(desk, places.take(12, 8), "rollout.silent", "none", "rollout_silent").interval("5m")
        )
    )
