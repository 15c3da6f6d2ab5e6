"""What all dashboards share: title, tags, time zone, the links from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

if TYPE_CHECKING:
    from config.profiles import CallProfile
    from dashboards.grafana.panels import Desk


def begun(desk: Desk, name: str, since: str) -> build.Dashboard:
    """A dashboard without panels."""
    others = (
        build.DashboardLink(desk.say("others"))
        .type(DashboardLinkType.DASHBOARDS)
        .tags([f"tatpar-{desk.language}"])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )
    return (
        build.Dashboard(desk.say(f"{name}.title"))
        .uid(desk.uid(name))
        .tags(["tatpar", f"tatpar-{desk.language}"])
        .timezone(desk.config.settings.deployment.timezone)
        .time(since, "now")
        .refresh("30s")
        .readonly()
        .link(others)
    )


def profile(desk: Desk) -> CallProfile:
    """The profile whose limits colour the panels: the meetings' usual one."""
    return desk.config.profiles[desk.config.settings.meetings.default_profile]
