"""Who gets the digests of a meeting, by which channel and in which language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alerts.delivery.limits import form_of
from alerts.facts import Form
from alerts.ladder import Ladder
from config.people import Person, Role

if TYPE_CHECKING:
    from config.config import Config
    from config.meetings import Meeting

MAIL: Final = "mail"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody, or a bare address."""

    id: str
    """Of the person; else the address."""
    channel: str
    recipient: str
    language: str
    person: Person | None = None
    """Whose quiet hours hold; None of a bare address."""


def readers(config: Config, meeting: Meeting) -> list[Reader]:
    """The organisers of `people.csv`; else the calendar's ORGANIZER; else the settings' addresses; else the NOC's people."""
    ladder = Ladder(config)
    organisers = [one for one in config.people if one.role is Role.ORGANISER]
    found = _reached(ladder, [one for one in organisers if not one.meetings or meeting.uid in one.meetings])
    if not found and meeting.organiser_email:
        found = [_address(config, meeting.organiser_email)]
    if not found:
        found = [_address(config, address) for address in config.settings.digest.to]
    if not found:
        found = _reached(ladder, [one for one in config.people if one.role is Role.NOC])
    return list({(one.channel, one.recipient): one for one in reversed(found)}.values())[::-1]


def _reached(ladder: Ladder, people: list[Person]) -> list[Reader]:
    """By mail where there is an address, else by a channel that carries half a page (an SMS does not)."""
    found = []
    for person in people:
        way = ladder.ways[person.id]
        if person.email:
            found.append(Reader(person.id, MAIL, person.email, person.language, person))
        elif way is not None and form_of(way.channel) is not Form.SMS:
            found.append(Reader(person.id, way.channel, way.recipient, person.language, person))
    return found


def _address(config: Config, address: str) -> Reader:
    """A bare address; somebody whom `people.csv` knows by it is written to in their language, outside their quiet hours."""
    known = next((one for one in config.people if one.email.lower() == address.lower()), None)
    if known is not None:
        return Reader(known.id, MAIL, address, known.language, known)
    return Reader(address, MAIL, address, config.settings.deployment.language)
