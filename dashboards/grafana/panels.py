"""Small helpers that make panels: a title in the viewer's language, a place, queries, a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import barchart, geomap, stat, table, text, timeseries
from grafana_foundation_sdk.builders import common as common_build
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    FrameGeometrySourceMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    GridPos,
    Threshold,
    ThresholdsMode,
)

from dashboards.grafana.ask import STEPS
from dashboards.grafana.questions import LONG, QUESTIONS
from dashboards.grafana.speech import MIXED, OFFICES_SOURCE, Target
from telemetry.decisions import State
from telemetry.store.server.decided import STATES, meeting_tag
from telemetry.words import say

if TYPE_CHECKING:
    from config.config import Config
    from dashboards.grafana.speech import Speech

STATE_COLOURS: Final = {
    State.READY: "green",
    State.AT_RISK: "yellow",
    State.NOT_READY: "red",
    State.UNKNOWN: "gray",
}
COLUMNS = 24
"""How wide Grafana's grid is."""


@dataclass(frozen=True)
class Desk:
    """What every dashboard is made with."""

    config: Config
    speech: Speech
    language: str
    meetings: dict[str, str] = field(default_factory=dict)
    """Names of the calendar's meetings by UID."""

    def say(self, key: str) -> str:
        """A title of the catalogue."""
        return say(self.language, f"grafana.{key}")

    def uid(self, name: str) -> str:
        """A dashboard's lasting name, which links use."""
        return f"tatpar-{self.language}-{name}"

    def link(self, name: str, variables: str) -> str:
        """The address of one of our dashboards, within Grafana."""
        return f"/d/{self.uid(name)}?{variables}&${{__url_time_range}}"


@dataclass
class Places:
    """Puts panels on the grid from left to right, then below."""

    x: int = 0
    y: int = 0
    height: int = field(default=0)

    def take(self, width: int, height: int) -> GridPos:
        """The next place of that size."""
        if self.x + width > COLUMNS:
            self.x, self.y, self.height = 0, self.y + self.height, 0
        place = GridPos(h=height, w=width, x=self.x, y=self.y)
        self.x += width
        self.height = max(self.height, height)
        return place


def limits(*steps: tuple[float | None, str]) -> build.ThresholdsConfig:
    """Colours from a value on; the first step has none."""
    made = [Threshold(value=value, color=color) for value, color in steps]
    return build.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def alarm(limit: float | None) -> build.ThresholdsConfig:
    """Green below a profile's alarm limit, red from it on; only green when it has none."""
    return limits((None, "green")) if limit is None else limits((None, "green"), (limit, "red"))


def lines(desk: Desk, place: GridPos, title: str, unit: str, *names: str) -> timeseries.Panel:
    """Series over time; a hole in the data stays a hole."""
    panel = (
        timeseries.Panel()
        .title(desk.say(title))
        .datasource(desk.speech.source)
        .unit(unit)
        .grid_pos(place)
        .interval("15s")
        .span_nulls(False)
    )
    asked = [one for name in names for one in (name, name + LONG) if one in QUESTIONS]
    for number, name in enumerate(asked):
        ref, shown = chr(ord("A") + number), desk.say(f"series.{name.removesuffix(LONG)}")
        panel = panel.with_target(desk.speech.target(QUESTIONS[name], ref, shown))
    return panel.max_data_points(STEPS) if len(asked) > len(names) else panel


def offices(desk: Desk) -> Target:
    """The offices as a table: id, name, region, state, position."""
    rows = ["site,name,region,status,lat,lon"]
    for site in desk.config.registry.sites:
        name = site.name(desk.language).replace('"', "'")
        rows.append(f'{site.id},"{name}",{site.region},{site.status.value},{site.lat},{site.lon}')
    body: dict[str, object] = {
        "refId": "O",
        "datasource": OFFICES_SOURCE.to_json(),
        "scenarioId": "csv_content",
    }
    return Target(body | {"csvContent": "\n".join(rows)})


def figures(desk: Desk, names: tuple[str, ...]) -> list[Target]:
    """The offices' list and one figure a target, to be joined by office."""
    asked = (desk.speech.target(QUESTIONS[n], chr(ord("A") + i), n) for i, n in enumerate(names))
    return [offices(desk), *asked]


def joined(desk: Desk, names: tuple[str, ...]) -> list[DataTransformerConfig]:
    """One row an office, with columns named as people read them.

    A figure's column is called by its question (InfluxDB), or `Value` with the letter of its query (Prometheus, which
    leaves the letter out when there is but one).
    """
    renamed = {"site": desk.say("column.site"), "name": desk.say("column.name")}
    renamed |= {name: desk.say(f"column.{name}") for name in ("region", "status")}
    for i, name in enumerate(names):
        for form in (name, f"Value #{chr(ord('A') + i)}"):
            renamed[form] = desk.say(f"series.{name}")
    if len(names) == 1:
        renamed["Value"] = desk.say(f"series.{names[0]}")
    hidden = {f"Time{more}": True for more in ("", *(f" {i + 1}" for i in range(len(names))))}
    return [
        DataTransformerConfig(id_val="joinByField", options={"byField": "site", "mode": "outer"}),
        DataTransformerConfig(id_val="organize", options={"renameByName": renamed, "excludeByName": hidden}),
    ]


def to_site(desk: Desk) -> DynamicConfigValue:
    """A cell that leads to its office's dashboard."""
    column = desk.say("column.site")
    address = desk.link("site", f'var-site=${{__data.fields["{column}"]}}')
    return DynamicConfigValue(id_val="links", value=[{"title": desk.say("site.title"), "url": address}])


def mapped(words: dict[str, tuple[str, str]]) -> DynamicConfigValue:
    """Values shown as words with a colour (empty: none)."""
    options = {
        value: {"text": word, **({"color": colour} if colour else {}), "index": number}
        for number, (value, (word, colour)) in enumerate(words.items())
    }
    return DynamicConfigValue(id_val="mappings", value=[{"type": "value", "options": options}])


def names_of_sites(desk: Desk) -> DynamicConfigValue:
    """Ids of offices shown as names."""
    return mapped({site.id: (site.name(desk.language), "") for site in desk.config.registry.sites})


def names_of_meetings(desk: Desk) -> dict[str, str]:
    """The meetings of the calendar by their tag; two that share one stand beside each other."""
    found: dict[str, list[str]] = {}
    for uid, name in desk.meetings.items():
        found.setdefault(meeting_tag(uid), []).append(name)
    return {tag: " / ".join(names) for tag, names in sorted(found.items(), key=lambda pair: pair[1])}


def merged(
    desk: Desk, place: GridPos, title: str, tags: tuple[str, ...], units: dict[str, str]
) -> table.Panel:
    """A row for each set of tags, a column for each question; worst first by the first question."""
    names = tuple(units)
    renamed = {tag: desk.say(f"column.{tag}") for tag in tags}
    for number, name in enumerate(names):
        for form in (name, f"Value #{chr(ord('A') + number)}"):
            renamed[form] = desk.say(f"series.{name}")
    order = {name: number for number, name in enumerate(renamed)}
    first = common_build.TableSortByFieldState().display_name(desk.say(f"series.{names[0]}")).desc(True)
    panel = (
        table.Panel()
        .title(desk.say(title))
        .datasource(desk.speech.source)
        .grid_pos(place)
        .sort_by([first])
        .transformations(
            [
                DataTransformerConfig(
                    id_val="filterFieldsByName", options={"exclude": {"pattern": "^Time$"}}
                ),
                DataTransformerConfig(id_val="merge", options={}),
                DataTransformerConfig(
                    id_val="organize", options={"renameByName": renamed, "indexByName": order}
                ),
            ]
        )
    )
    for number, name in enumerate(names):
        panel = panel.with_target(desk.speech.target(QUESTIONS[name], chr(ord("A") + number), name))
    for name, unit in units.items():
        unit_of = DynamicConfigValue(id_val="unit", value=unit)
        panel = panel.override_by_name(desk.say(f"series.{name}"), [unit_of])
    return panel


def bars(desk: Desk, place: GridPos, title: str, tag: str, *names: str) -> barchart.Panel:
    """A group of bars for each value of a tag."""
    renamed = {tag: desk.say(f"column.{tag}")}
    panel = barchart.Panel().title(desk.say(title)).datasource(desk.speech.source).grid_pos(place)
    for number, name in enumerate(names):
        ref = chr(ord("A") + number)
        renamed |= dict.fromkeys((name, f"Value #{ref}"), desk.say(f"series.{name}"))
        panel = panel.with_target(desk.speech.target(QUESTIONS[name], ref, name))
    return panel.x_field(renamed[tag]).transformations(
        [
            DataTransformerConfig(id_val="filterFieldsByName", options={"exclude": {"pattern": "^Time$"}}),
            DataTransformerConfig(id_val="merge", options={}),
            DataTransformerConfig(id_val="organize", options={"renameByName": renamed}),
            DataTransformerConfig(
                id_val="sortBy", options={"sort": [{"field": renamed[tag], "desc": False}]}
            ),
        ]
    )


def dashed(desk: Desk, panel: timeseries.Panel, name: str) -> timeseries.Panel:
    """A limit, whose points are five minutes apart, as a dashed line through them."""
    style = [
        DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [8, 8]}),
        DynamicConfigValue(id_val="custom.spanNulls", value=True),
        DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": "red"}),
    ]
    return panel.override_by_regexp(f"/^{re.escape(desk.say(f'series.{name}'))}/", style)


def words(desk: Desk, place: GridPos, key: str) -> text.Panel:
    """A paragraph."""
    return text.Panel().title("").grid_pos(place).content(desk.say(key))


def ranking(desk: Desk, place: GridPos, title: str, units: dict[str, str]) -> table.Panel:
    """Offices with their figures, worst first by the first figure; `units` by the question's name."""
    names = tuple(units)
    worst = common_build.TableSortByFieldState().display_name(desk.say(f"series.{names[0]}")).desc(True)
    panel = (
        table.Panel()
        .title(desk.say(title))
        .datasource(MIXED)
        .grid_pos(place)
        .transformations(joined(desk, names))
        .sort_by([worst])
    )
    for target in figures(desk, names):
        panel = panel.with_target(target)
    for name, unit in units.items():
        unit_of = DynamicConfigValue(id_val="unit", value=unit)
        panel = panel.override_by_name(desk.say(f"series.{name}"), [unit_of])
    for column in ("site", "name"):
        panel = panel.override_by_name(desk.say(f"column.{column}"), [to_site(desk)])
    return panel


def tiles(desk: Desk, place: GridPos, title: str, name: str, words: DynamicConfigValue) -> stat.Panel:
    """A tile an office, worst first: its name, a word and the word's colour; it leads to the office."""
    shown, column = desk.say(f"series.{name}"), desk.say("column.site")
    renamed = {"site": column, **dict.fromkeys((name, "Value"), shown)}
    panel = (
        stat.Panel()
        .title(desk.say(title))
        .datasource(desk.speech.source)
        .grid_pos(place)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .color_mode(BigValueColorMode.BACKGROUND)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common_build.ReduceDataOptions().values(True).limit(len(desk.config.registry.sites)))
        .transformations(
            [
                DataTransformerConfig(
                    id_val="filterFieldsByName", options={"exclude": {"pattern": "^Time$"}}
                ),
                DataTransformerConfig(id_val="organize", options={"renameByName": renamed}),
                DataTransformerConfig(id_val="sortBy", options={"sort": [{"field": shown, "desc": True}]}),
            ]
        )
        .with_target(desk.speech.target(QUESTIONS[name], "A", name))
    )
    return panel.override_by_name(shown, [words, to_site(desk)]).override_by_name(
        column, [names_of_sites(desk)]
    )


def states(desk: Desk) -> dict[str, tuple[str, str]]:
    """The numbers of verdicts as words with their colours."""
    return {
        str(STATES[state]): (say(desk.language, f"state.{state.value}"), colour)
        for state, colour in STATE_COLOURS.items()
    }


def geography(desk: Desk, place: GridPos, title: str, name: str, unit: str) -> geomap.Panel:
    """Offices at their positions, coloured by one figure. No base map: nothing is fetched from outside."""
    where = common_build.FrameGeometrySource().mode(FrameGeometrySourceMode.COORDS)
    where = where.latitude("lat").longitude("lon")
    shown = desk.say(f"series.{name}")
    style = {"color": {"field": shown, "fixed": "gray"}, "size": {"fixed": 8}, "opacity": 0.9}
    style |= {"text": {"field": desk.say("column.name"), "mode": "field"}}
    layer = (
        common_build.MapLayerOptions().type("markers").name(shown).location(where).config({"style": style})
    )
    panel = (
        geomap.Panel()
        .title(desk.say(title))
        .datasource(MIXED)
        .grid_pos(place)
        .unit(unit)
        .basemap(common_build.MapLayerOptions().type("none").name("none"))
        .view(geomap.MapViewConfig().id("fit").all_layers(True))
        .layers([layer])
        .transformations(joined(desk, (name,)))
    )
    for target in figures(desk, (name,)):
        panel = panel.with_target(target)
    return panel.override_by_name(shown, [to_site(desk)])
