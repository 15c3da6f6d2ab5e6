"""The variables of the dashboards: region, office, path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import VariableOption

from telemetry.words import say_region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.grafana.panels import Desk


def region(desk: Desk) -> build.CustomVariable:
    """All offices, or those of a region; the value is their ids, joined by `|`."""
    sites = desk.config.registry.sites
    groups = {desk.say("variable.all"): [site.id for site in sites]}
    for site in sites:
        groups.setdefault(say_region(desk.language, site.region), []).append(site.id)
    choices = [(name, "|".join(ids)) for name, ids in groups.items()]
    return _choice("region", desk.say("variable.region"), choices)


def site(desk: Desk) -> build.CustomVariable:
    """One office."""
    choices = [(site.name(desk.language), site.id) for site in desk.config.registry.sites]
    return _choice("site", desk.say("variable.site"), choices)


def _choice(name: str, label: str, choices: Sequence[tuple[str, str]]) -> build.CustomVariable:
    query = ", ".join(f"{_plain(text)} : {value}" for text, value in choices)
    options = [
        VariableOption(selected=number == 0, text=text, value=value)
        for number, (text, value) in enumerate(choices)
    ]
    variable = build.CustomVariable(name).label(label).values(query)
    return variable.options(options).current(options[0])


def _plain(text: str) -> str:
    return text.replace(",", "\\,").replace(" : ", " – ")
