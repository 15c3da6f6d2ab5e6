"""Shared causes: one line for a fault that several offices have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.wall.picture.model import Incident
from dashboards.wall.picture.times import ms
from telemetry.decisions import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.sites import Site
    from telemetry.decisions import Flag


def incidents(flags: Iterable[Flag], sites: Mapping[str, Site]) -> tuple[Incident, ...]:
    """Offices flagged for a shared fault, by their provider; the oldest first."""
    causes: dict[str, dict[str, int]] = {}
    for flag in flags:
        site = sites.get(flag.site)
        if flag.reason.code is ReasonCode.SHARED_FAULT and site is not None:
            since = causes.setdefault(site.provider, {})
            since[flag.site] = min(flag.since_ns, since.get(flag.site, flag.since_ns))
    found = (
        Incident(cause=cause, sites=tuple(sorted(since)), since_ms=ms(min(since.values())))
        for cause, since in causes.items()
    )
    return tuple(sorted(found, key=lambda incident: (incident.since_ms, incident.cause)))
