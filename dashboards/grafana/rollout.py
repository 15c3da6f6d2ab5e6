"""The roll-out: how many offices of each region are linked, planned, and silent though linked; when all will be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import xychart
from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue
from grafana_foundation_sdk.models.xychart import SeriesMapping, XYShowMode

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import Places, lines, mapped, merged
from dashboards.grafana.questions import QUESTIONS
from telemetry.words import say_region

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import table
    from grafana_foundation_sdk.builders.dashboard import Dashboard
    from grafana_foundation_sdk.models.dashboard import GridPos

    from dashboards.grafana.panels import Desk


DAY: Final = "time:YYYY-MM-DD"


def dashboard(desk: Desk) -> Dashboard:
    """As it stands, the line to the day on which all are linked, and how it came to be."""
    places = Places()
    units = dict.fromkeys(("rollout_silent_now", "rollout_linked_now", "rollout_planned_now"), "none")
    column = desk.say("column.region")
    now = merged(desk, places.take(10, 10), "rollout.now", ("region",), units)
    line = course(desk, places.take(14, 10), "rollout.course")
    return (
        frame.begun(desk, "rollout", "now-28d")
        .with_variable(variables.area(desk))
        .with_panel(now.override_by_name(column, [_regions(desk)]))
        .with_panel(line)
        .with_panel(_pace(desk, places.take(24, 9)).override_by_name(column, [_regions(desk)]))
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


def course(desk: Desk, place: GridPos, title: str) -> xychart.Panel:
    """A line for each region: what was linked, week by week, and straight on to the day on which all are.

    The days are figures of the points and not their times: they lie ahead, where neither database takes points.
    """
    at, linked = desk.say("series.course_at"), desk.say("series.course_linked")
    renamed = {"course_at": at, "Value #A": at, "course_linked": linked, "Value #B": linked}
    panel = xychart.Panel().title(desk.say(title)).datasource(desk.speech.source).grid_pos(place)
    for ref, name in (("A", "course_at"), ("B", "course_linked")):
        panel = panel.with_target(desk.speech.target(QUESTIONS[name], ref, name))
    return (
        panel.mapping(SeriesMapping.AUTO)
        .show(XYShowMode.POINTS_AND_LINES)
        .legend(
            VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.RIGHT)
        )
        .transformations(
            [
                DataTransformerConfig(
                    id_val="filterFieldsByName", options={"exclude": {"pattern": "^Time$"}}
                ),
                DataTransformerConfig(id_val="merge", options={}),
                DataTransformerConfig(
                    id_val="organize",
                    options={
                        "renameByName": renamed,
                        "excludeByName": {"step": True},
                        "indexByName": {name: number for number, name in enumerate((*renamed, "region"))},
                    },
                ),
                DataTransformerConfig(id_val="sortBy", options={"sort": [{"field": at, "desc": False}]}),
                DataTransformerConfig(id_val="partitionByValues", options={"fields": ["region"]}),
            ]
        )
        .override_by_regexp(f"/^{re.escape(at)}/", [DynamicConfigValue(id_val="unit", value=DAY)])
        .override_by_regexp(f"/^{re.escape(linked)}/", [DynamicConfigValue(id_val="min", value=0)])
    )


def _pace(desk: Desk, place: GridPos) -> table.Panel:
    """The last day first; a day that there is not is said, and so are all regions together."""
    units = {
        "pace_complete": DAY,
        "pace_target": DAY,
        "pace_linked": "none",
        "pace_total": "none",
        "pace_per_week": "none",
        "pace_needed": "none",
    }
    panel = merged(desk, place, "rollout.pace", ("region",), units)
    for name in ("pace_complete", "pace_target"):
        none = mapped({"0": (desk.say("rollout.no_day"), "")})
        panel = panel.override_by_name(desk.say(f"series.{name}"), [none])
    for name in ("pace_per_week", "pace_needed"):
        one_digit = DynamicConfigValue(id_val="decimals", value=1)
        panel = panel.override_by_name(desk.say(f"series.{name}"), [one_digit])
    return panel


def _regions(desk: Desk) -> DynamicConfigValue:
    names = {site.region: (say_region(desk.language, site.region), "") for site in desk.config.registry.sites}
    return mapped({"all": (desk.say("variable.all_regions"), ""), **names})
