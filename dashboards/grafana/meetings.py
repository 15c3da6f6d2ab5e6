"""The coming meetings: who will hold, who will not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import (
    Places,
    mapped,
    merged,
    names_of_meetings,
    names_of_sites,
    states,
    to_site,
)
from telemetry.decisions import Action, ReasonCode
from telemetry.store.server.decided import ACTIONS, REASONS, VOIDED
from telemetry.words import say

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from dashboards.grafana.panels import Desk


def dashboard(desk: Desk) -> Dashboard:
    """Each coming meeting with its countdown and counts; below, each office's verdict, not ready first."""
    places = Places()
    names = {tag: (name, "") for tag, name in names_of_meetings(desk).items()}
    by_state = dict.fromkeys(
        ("meeting_invited", "meeting_ready", "meeting_at_risk", "meeting_not_ready", "meeting_unknown"),
        "none",
    )
    verdict_units = {
        "verdict_state": "none",
        "verdict_probability": "percentunit",
        "verdict_reason": "none",
        "verdict_action": "none",
        "verdict_starts": "dateTimeFromNow",
    }
    occasion = ("meeting", "day")
    meetings = merged(
        desk,
        places.take(24, 8),
        "meetings.coming",
        occasion,
        {"meeting_starts": "dateTimeFromNow", **by_state},
    )
    verdicts = merged(desk, places.take(24, 16), "meetings.verdicts", ("site", *occasion), verdict_units)
    for column, words in in_words(desk).items():
        verdicts = verdicts.override_by_name(desk.say(f"series.verdict_{column}"), [words])
    site = desk.say("column.site")
    verdicts = verdicts.override_by_name(site, [names_of_sites(desk), to_site(desk)])
    column = desk.say("column.meeting")
    board = frame.begun(desk, "meetings", "now-2d")
    for variable in (variables.region(desk), variables.meeting(desk)):
        board = board.with_variable(variable)
    return board.with_panel(meetings.override_by_name(column, [mapped(names), to_meeting(desk)])).with_panel(
        verdicts.override_by_name(column, [mapped(names)])
    )


def to_meeting(desk: Desk) -> DynamicConfigValue:
    """A cell that leads to its meeting."""
    address = desk.link("meetings", f'var-meeting=${{__data.fields["{desk.say("column.meeting")}"]}}')
    return DynamicConfigValue(id_val="links", value=[{"title": desk.say("meetings.title"), "url": address}])


def in_words(desk: Desk) -> dict[str, DynamicConfigValue]:
    """The numbers of states, reasons and actions as people say them."""
    language = desk.language
    reasons = {str(REASONS[c]): (say(language, f"brief.{c.value}"), "") for c in ReasonCode}
    actions = {
        str(ACTIONS[a]): ("" if a is Action.NONE else say(language, f"action.{a.value}"), "") for a in Action
    }
    return {
        "state": mapped(states(desk) | {str(VOIDED): (desk.say("voided"), "gray")}),
        "reason": mapped({"0": ("", ""), **reasons}),
        "action": mapped(actions),
    }
