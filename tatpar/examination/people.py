"""Whether somebody can be told of every office."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.ladder import Ladder
from config.people import Role
from tatpar.examination.finding import fine, less
from tatpar.examination.phrase import phrase, some

if TYPE_CHECKING:
    from config.config import Config
    from config.people import Person
    from tatpar.examination.finding import Finding


def people(config: Config) -> Finding:
    """Offices of which nobody would be told, or no message could leave; people on the ladder who cannot be reached."""
    ladder = Ladder(config)
    roles = [Role(rung.role) for rung in ladder.rungs]
    alone = [
        site.id
        for site in config.registry.linked()
        if not any(ladder.people(role, site.id) for role in roles)
    ]
    if alone:
        text = phrase("people.nobody", names=some(alone))
        return less(phrase("people"), text, phrase("people.do_contact"))
    mute = _mute(config, ladder, roles)
    if mute:
        return less(phrase("people"), phrase("people.mute", names=some(mute)), phrase("people.do_server"))
    unreachable = [person.id for person in ladder.unreachable()]
    if unreachable:
        text = phrase("people.unreachable", names=some(unreachable))
        return less(phrase("people"), text, phrase("people.do_complete"))
    count = len(list(config.registry.linked()))
    gone = _unknown_meetings(config)
    if gone:
        text = phrase("people.no_meetings", names=", ".join(gone))
        return less(phrase("people"), text, phrase("people.do_uids"))
    return fine(phrase("people"), phrase("people.all", count=count))


def _mute(config: Config, ladder: Ladder, roles: list[Role]) -> list[str]:
    """Offices whose people have an address, but no channel that leads out of the house."""
    alerts = config.settings.alerts
    if alerts.smtp_host or alerts.delivery.alertmanager_url:
        return []
    return [
        site.id
        for site in config.registry.linked()
        if all(_by(ladder, person) == "mail" for role in roles for person in ladder.people(role, site.id))
    ]


def _by(ladder: Ladder, person: Person) -> str:
    way = ladder.ways[person.id]
    return "mail" if way is None else way.channel


def _unknown_meetings(config: Config) -> list[str]:
    known = {meeting.uid for meeting in config.calendar.meetings}
    return sorted({uid for person in config.people for uid in person.meetings} - known)
