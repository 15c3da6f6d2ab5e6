"""Whom: the rungs of the ladder, who stands on them for an office, and how each of them is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from alerts.quiet import MINUTE_NS
from config.people import Role
from telemetry.alerting import INCIDENTS, Severity

if TYPE_CHECKING:
    from config.alert_settings import Rung
    from config.config import Config
    from config.people import Person
    from telemetry.alerting import Alert


class Way(Struct, frozen=True):
    """How somebody is reached."""

    channel: str
    recipient: str


class Ladder:
    """The rungs of one configuration, with the people on them."""

    def __init__(self, config: Config) -> None:
        self._settings = config.settings.alerts
        self.rungs: tuple[Rung, ...] = self._settings.ladder
        """Of an office's own trouble."""
        self.by_id: dict[str, Person] = {person.id: person for person in config.people}
        self.ways: dict[str, Way | None] = {person.id: self._way(person) for person in config.people}
        self._on: dict[tuple[Role, str], list[Person]] = {}
        for person in config.people:
            for site in person.sites:
                self._on.setdefault((person.role, site), []).append(person)

    def rungs_of(self, alert: Alert) -> tuple[Rung, ...]:
        """Those that an alert climbs.

        A shared fault with no meeting near stays on the first rung that has anybody: for those above there is nothing in time to be lost.
        """
        if alert.kind not in INCIDENTS:
            return self.rungs
        rungs = self._settings.incident_ladder
        if alert.starts_ns is not None:
            return rungs
        for number, rung in enumerate(rungs, 1):
            if self.people(Role(rung.role), *alert.sites):
                return rungs[:number]
        return rungs

    def people(self, role: Role, *sites: str) -> list[Person]:
        """Who of a role has to do with any of these offices and can be reached, in the order of the file.

        Each once, and each address once: an office's contact that stands in the table of people too is not told twice.
        """
        found: dict[Way, Person] = {}
        for site in sites:
            for person in self._on.get((role, site), ()):
                way = self.ways[person.id]
                if way is not None:
                    found.setdefault(way, person)
        return list(found.values())

    def unreachable(self) -> list[Person]:
        """People on a rung who can be reached in no way: the rung above is told in their place."""
        roles = {rung.role for rung in (*self.rungs, *self._settings.incident_ladder)}
        return [
            person
            for person in self.by_id.values()
            if person.role.value in roles and self.ways[person.id] is None
        ]

    def severity(self, starts_ns: int | None, now_ns: int) -> Severity:
        """By the minutes left; a notice when there is no meeting."""
        if starts_ns is None:
            return Severity.NOTICE
        left_ns = starts_ns - now_ns
        if left_ns <= self._settings.urgent_min * MINUTE_NS:
            return Severity.URGENT
        return Severity.WARNING if left_ns <= self._settings.warning_min * MINUTE_NS else Severity.NOTICE

    def _way(self, person: Person) -> Way | None:
        for channel in person.channels:
            if channel == "mail":
                recipient = person.email
            else:
                address = self._settings.channels.get(channel, "")
                # an address without a place for the person is one fixed place: a group's chat, a hook
                needs = {"{email}": person.email, "{phone}": person.phone}
                asked = [recipient for place, recipient in needs.items() if place in address]
                recipient = (asked[0] if asked else person.phone or channel) if address else ""
            if recipient:
                return Way(channel, recipient)
        return None


def wait_ns(rung: Rung, severity: Severity) -> int:
    """How long an acknowledgement of a rung is waited for."""
    waits = {
        Severity.NOTICE: rung.wait_notice_min,
        Severity.WARNING: rung.wait_warning_min,
        Severity.URGENT: rung.wait_urgent_min,
    }
    return int(waits[severity] * MINUTE_NS)
