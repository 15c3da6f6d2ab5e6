"""Shared causes: one line for a fault that several offices have in common, and who has taken it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.wall.picture.model import Incident
from dashboards.wall.picture.times import ms
from telemetry.alerting import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.sites import Site
    from telemetry.alerting import Alert
    from telemetry.decisions import Incident as Decided

OF_INCIDENTS = frozenset({Kind.SHARED, Kind.HEADQUARTERS})


def incidents(
    decided: Iterable[Decided], alerts: Iterable[Alert], sites: Mapping[str, Site]
) -> tuple[Incident, ...]:
    """The incidents that last, the oldest first, with the offices that there are."""
    taken_up = {one.incident: one for one in alerts if one.kind in OF_INCIDENTS}
    found = (incident(each, taken_up.get(each.id), sites) for each in decided)
    return tuple(sorted(found, key=lambda one: (one.since_ms, one.kind, one.name, one.region)))


def incident(decided: Decided, alert: Alert | None, sites: Mapping[str, Site]) -> Incident:
    """One incident with its evidence and the acknowledgement of its alert."""
    evidence = decided.evidence
    acknowledged = alert if alert is not None and alert.acknowledged_ns is not None else None
    return Incident(
        id=decided.id,
        kind=decided.factor.kind.value,
        name=decided.factor.name,
        region=decided.factor.region,
        suffer=evidence.suffer,
        members=evidence.members,
        others=evidence.others,
        others_suffer=evidence.others_suffer,
        sites=tuple(site for site in decided.sites if site in sites),
        since_ms=ms(decided.since_ns),
        until_ms=None if decided.until_ns is None else ms(decided.until_ns),
        alert="" if alert is None else alert.id,
        told=0 if alert is None else len(alert.told),
        by="" if acknowledged is None else acknowledged.acknowledged_by,
        by_ms=None if acknowledged is None else ms(acknowledged.acknowledged_ns or 0),
        note="" if acknowledged is None else acknowledged.note,
    )
