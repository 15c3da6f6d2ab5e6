"""The variables of the dashboards: region, office, path, profile, meeting, horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import VariableOption

from dashboards.grafana.panels import names_of_meetings
from telemetry.decisions import Horizon
from telemetry.words import say_region

ANY: Final = ".*"

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


def area(desk: Desk) -> build.CustomVariable:
    """All regions or one, where points speak of regions and not of offices; the value is its id."""
    names = {site.region: say_region(desk.language, site.region) for site in desk.config.registry.sites}
    choices = [(desk.say("variable.all_regions"), ANY), *((name, region) for region, name in names.items())]
    return _choice("area", desk.say("variable.region"), choices)


def site(desk: Desk) -> build.CustomVariable:
    """One office."""
    choices = [(site.name(desk.language), site.id) for site in desk.config.registry.sites]
    return _choice("site", desk.say("variable.site"), choices)


def path(desk: Desk) -> build.CustomVariable:
    """All lines of the office, or those to one headquarters; the value is a pattern of path names."""
    choices = [(desk.say("variable.all_paths"), ANY)]
    choices += [(end.name(desk.language), f".*[.]{end.id}") for end in desk.config.headquarters.values()]
    return _choice("path", desk.say("variable.path"), choices)


def profile(desk: Desk) -> build.CustomVariable:
    """The call profile whose limits are drawn; the meetings' usual one first."""
    profiles = desk.config.profiles
    usual = desk.config.settings.meetings.default_profile
    ordered = sorted(profiles.values(), key=lambda one: (one.id != usual, one.rank, one.id))
    return _choice(
        "profile", desk.say("variable.profile"), [(one.name(desk.language), one.id) for one in ordered]
    )


def meeting(desk: Desk) -> build.CustomVariable:
    """All meetings, or one of the calendar's; the value is its tag."""
    choices = [(desk.say("variable.all_meetings"), ANY)]
    choices += [(name, tag) for tag, name in names_of_meetings(desk).items()]
    return _choice("meeting", desk.say("variable.meeting"), choices)


def horizon(desk: Desk) -> build.CustomVariable:
    """All horizons, or one."""
    choices = [(desk.say("variable.all_horizons"), ANY), *((one.value, one.value) for one in Horizon)]
    return _choice("horizon", desk.say("variable.horizon"), choices)


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
