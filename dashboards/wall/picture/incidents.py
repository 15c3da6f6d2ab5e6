"""Shared causes: one line for a fault that several offices have in common, and who has taken it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.wall.picture.model import Incident
from dashboards.wall.picture.times import ms
from telemetry.access import IncidentMark
from telemetry.alerting import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.sites import Site
    from telemetry.alerting import Alert
    from telemetry.decisions import Incident as Decided

OF_INCIDENTS: Final = frozenset({Kind.SHARED, Kind.HEADQUARTERS})


def incidents(
    decided: Iterable[Decided],
    alerts: Iterable[Alert],
    marks: Iterable[IncidentMark],
    sites: Mapping[str, Site],
) -> tuple[Incident, ...]:
    """The incidents that last, the oldest first, with the offices that there are."""
    alert_of = {one.incident: one for one in alerts if one.kind in OF_INCIDENTS}
    first = first_marks(marks)
    found = (incident(each, alert_of.get(each.id), first.get(each.id), sites) for each in decided)
    return tuple(sorted(found, key=lambda one: (one.since_ms, one.kind, one.name, one.region)))


def first_marks(marks: Iterable[IncidentMark]) -> dict[str, IncidentMark]:
    """By incident who took it up first."""
    found: dict[str, IncidentMark] = {}
    for mark in marks:
        found.setdefault(mark.incident, mark)
    return found


def incident(
    decided: Decided, alert: Alert | None, mark: IncidentMark | None, sites: Mapping[str, Site]
) -> Incident:
    """One incident with its evidence and who has taken it up: its alert's word first, else the mark on itself."""
    evidence = decided.evidence
    taken = mark if alert is None or alert.acknowledged_ns is None else acknowledged(alert)
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
        by="" if taken is None else taken.who,
        by_ms=None if taken is None else ms(taken.at_ns),
        note="" if taken is None else taken.note,
    )


def acknowledged(alert: Alert) -> IncidentMark:
    """The acknowledgement of an incident's alert, as a mark."""
    return IncidentMark(
        incident=alert.incident,
        at_ns=alert.acknowledged_ns or 0,
        who=alert.acknowledged_by,
        note=alert.note,
    )
