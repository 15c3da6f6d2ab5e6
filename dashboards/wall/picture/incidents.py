"""Shared causes: one line for a fault that several offices have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.wall.picture.model import Incident
from dashboards.wall.picture.times import ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.sites import Site
    from telemetry.decisions import Incident as Decided


def incidents(decided: Iterable[Decided], sites: Mapping[str, Site]) -> tuple[Incident, ...]:
    """The incidents that last, the oldest first, with the offices that there are."""
    found = (
        Incident(
            kind=each.factor.kind.value,
            name=each.factor.name,
            region=each.factor.region,
            suffer=each.evidence.suffer,
            members=each.evidence.members,
            sites=tuple(site for site in each.sites if site in sites),
            since_ms=ms(each.since_ns),
        )
        for each in decided
    )
    return tuple(sorted(found, key=lambda one: (one.since_ms, one.kind, one.name, one.region)))
