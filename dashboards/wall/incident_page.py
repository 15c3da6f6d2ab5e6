"""Shared faults in full: those that last and those that are over, the evidence of each, and what happened, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dashboards.wall.picture.incidents import OF_INCIDENTS, acknowledged, first_marks, incident
from dashboards.wall.picture.model import Incident
from dashboards.wall.picture.times import ms
from dashboards.wall.web.answers import BadRequestError
from telemetry.alerting import Kind, Step
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.config import Config
    from config.people import Person
    from dashboards.wall.sources import DecisionReader
    from telemetry.access import IncidentMark
    from telemetry.alerting import Alert
    from telemetry.decisions import Incident as Decided
    from telemetry.state.outbox import OutboxRow

DAYS: Final = 28
MOST: Final = 200
"""So many that are over are listed, the newest."""


class Cases(Struct, frozen=True, kw_only=True):
    """Those that last, the oldest first; those that are over, the newest first."""

    days: int
    open: tuple[Incident, ...]
    past: tuple[Incident, ...]


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person who was written to; `sent_ms` is absent while the message waits."""

    name: str
    role: str = ""
    channel: str = ""
    sent_ms: int | None = None
    failed: bool = False


class Happening(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the time line: `began`, `named`, `acknowledged`, `overtaken`, `eased`, `over`, or a step that was told."""

    what: str
    at_ms: int
    told: tuple[Told, ...] = ()
    by: str = ""
    note: str = ""
    n: int | None = None


class CasePage(Struct, frozen=True, kw_only=True):
    """One incident with its story."""

    incident: Incident
    story: tuple[Happening, ...]


def cases(config: Config, state: DecisionReader, now_ns: int) -> Cases:
    """The incidents that last, and those of the past weeks."""
    since_ns = now_ns - DAYS * DAY_NS
    found = state.incidents(since_ns, now_ns + 1)
    alerts = _alerts(state.alerts(since_ns, now_ns + 1))
    sites = config.registry.by_id
    marks = first_marks(state.incident_marks([each.id for each in found]))
    made = [incident(each, _last(alerts.get(each.id, ())), marks.get(each.id), sites) for each in found]
    past = sorted((one for one in made if one.until_ms is not None), key=lambda one: -one.since_ms)
    return Cases(
        days=DAYS,
        open=tuple(one for one in made if one.until_ms is None),
        past=tuple(past[:MOST]),
    )


def case_page(config: Config, state: DecisionReader, incident_id: str, now_ns: int) -> CasePage:
    """One incident; raises BadRequestError when there is none of this id within the weeks that are shown."""
    found = find(state, incident_id, now_ns)
    alerts = state.alerts(found.since_ns, now_ns + 1)
    own = _alerts(alerts).get(found.id, ())
    people = {person.id: person for person in config.people}
    story = [
        Happening(what="began", at_ms=ms(found.since_ns)),
        Happening(what="named", at_ms=ms(found.told_ns)),
    ]
    marks = state.incident_marks([found.id])
    for alert in own:
        story += _told(state.messages_of(alert.id), people)
    story += _taken_up(own, marks)
    story += _eased(found, alerts)
    if found.until_ns is not None:
        story.append(Happening(what="over", at_ms=ms(found.until_ns)))
    story.sort(key=lambda one: one.at_ms)
    shown = incident(found, _last(own), first_marks(marks).get(found.id), config.registry.by_id)
    return CasePage(incident=shown, story=tuple(story))


def find(state: DecisionReader, incident_id: str, now_ns: int) -> Decided:
    """The incident of an address, by its id."""
    since_ns = now_ns - DAYS * DAY_NS
    found = next((one for one in state.incidents(since_ns, now_ns + 1) if one.id == incident_id), None)
    if found is None:
        raise BadRequestError(
            f"no incident of the past {DAYS} days has the id {incident_id[:80]!r}; `tatpar incidents --since 28d` lists them",
            404,
        )
    return found


def _alerts(alerts: Iterable[Alert]) -> dict[str, list[Alert]]:
    """By incident those that it has become, oldest first."""
    grouped: dict[str, list[Alert]] = {}
    for alert in sorted(alerts, key=lambda one: one.pending_ns):
        if alert.kind in OF_INCIDENTS and alert.incident:
            grouped.setdefault(alert.incident, []).append(alert)
    return grouped


def _last(alerts: Iterable[Alert]) -> Alert | None:
    return max(alerts, key=lambda one: one.pending_ns, default=None)


def _told(messages: Iterable[OutboxRow], people: Mapping[str, Person]) -> list[Happening]:
    """One entry for each step and minute, with everybody who was written to then."""
    grouped: dict[tuple[str, int], list[OutboxRow]] = {}
    for message in messages:
        if message.person:
            grouped.setdefault((_step(message.key), message.put_ns), []).append(message)
    return [
        Happening(what=step, at_ms=ms(at_ns), told=tuple(_person(row, people) for row in rows))
        for (step, at_ns), rows in grouped.items()
    ]


def _step(key: str) -> str:
    """The step of a message, which its key names after alert and turn."""
    parts = key.split("/")
    return parts[2] if len(parts) > 2 and parts[2] in set(Step) else Step.RAISED.value


def _person(row: OutboxRow, people: Mapping[str, Person]) -> Told:
    person = people.get(row.person)
    return Told(
        name=row.person if person is None else person.name,
        role="" if person is None else person.role.value,
        channel=row.channel,
        sent_ms=None if row.sent_ns is None else ms(row.sent_ns),
        failed=row.dead_ns is not None and row.sent_ns is None,
    )


def _taken_up(alerts: Iterable[Alert], marks: Iterable[IncidentMark]) -> list[Happening]:
    """Who took it up, through an alert or on the wall (which notes both): each once."""
    found = {}
    overtaken = []
    for alert in alerts:
        if alert.overtaken_ns is not None:
            overtaken.append(Happening(what="overtaken", at_ms=ms(alert.overtaken_ns)))
        if alert.acknowledged_ns is not None:
            found[alert.acknowledged_by, alert.acknowledged_ns] = acknowledged(alert)
    for mark in marks:
        found.setdefault((mark.who, mark.at_ns), mark)
    taken = [
        Happening(what="acknowledged", at_ms=ms(one.at_ns), by=one.who, note=one.note)
        for one in found.values()
    ]
    said = {one.at_ms for one in taken}
    return taken + [one for one in overtaken if one.at_ms not in said]


def _eased(found: Decided, alerts: Iterable[Alert]) -> list[Happening]:
    """Offices that heard that it is this fault and not their line, as one entry at the time of the first; whatever explains their trouble by now."""
    told = [(at_ns, alert.site) for alert in alerts for at_ns in _eased_ns(found, alert)]
    if not told:
        return []
    return [Happening(what="eased", at_ms=ms(min(told)[0]), n=len({site for _, site in told}))]


def _eased_ns(found: Decided, alert: Alert) -> list[int]:
    """When an alert told in-charges of a fault; alerts of before say only what they are laid to, and when they last said anything."""
    if alert.laid:
        return [one.at_ns for one in alert.laid if one.incident == found.id]
    said_ns = alert.said_ns or alert.pending_ns
    is_of_it = alert.kind is Kind.NOT_YOUR_LINE and alert.incident == found.id
    return [said_ns] if alert.eased and is_of_it and said_ns >= found.since_ns else []
