"""What `tatpar alerts test` does: one message to one person, now, past the outbox."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from alerts.delivery.errors import DeliveryError
from alerts.delivery.limits import AUDIENCES, form_of
from alerts.delivery.outbox import way
from alerts.facts import Audience, Facts
from alerts.words import render
from config.people import Person, Role
from tatpar.terminal.amiss import instead_of
from tatpar.terminal.options import failed, wrong_input
from telemetry.alerting import Kind, Step
from telemetry.state.outbox import OutboxRow
from telemetry.words import say

if TYPE_CHECKING:
    from config.config import Config


def test(config: Config, language: str, whom: str, channel: str | None, now_ns: int) -> str:
    """Send it; the line with what the other side answered."""
    person = _person(config, language, whom)
    name = channel or person.channels[0]
    found = way(name, config, secrets.token_bytes(32))
    if isinstance(found, str):
        wrong_input(f"{found}; write it into the settings")
    recipient = person.recipient(name)
    if not recipient and name == "mail":
        wrong_input(say(language, "acting.no_mail", whom=whom))
    row = _row(config, person, name, recipient, now_ns)
    click.echo(say(language, "acting.sending", whom=recipient or whom, channel=name), err=True)
    try:
        return say(language, "acting.sent", answer=found(row, (), config))
    except DeliveryError as error:
        failed(say(language, "acting.not_sent", why=str(error)))


def _person(config: Config, language: str, whom: str) -> Person:
    """Somebody of the list, or a bare address or number."""
    people = {person.id: person for person in config.people}
    if whom in people:
        return people[whom]
    theirs = config.settings.deployment.language
    if "@" in whom and any(sign.isspace() or sign in ",;<>" for sign in whom):
        wrong_input(f"{whom!r} is not one mail address; write it as name@host")
    if "@" in whom:
        return Person(id="", name=whom, role=Role.NOC, language=theirs, email=whom)
    if whom.startswith("+"):
        names = tuple(config.settings.alerts.channels) or ("sms",)
        return Person(id="", name=whom, role=Role.NOC, language=theirs, phone=whom, channels=names)
    instead = instead_of(whom, people, language) if people else say(language, "acting.no_people")
    return wrong_input(say(language, "acting.nobody", whom=whom, instead=instead))


def _row(config: Config, person: Person, channel: str, recipient: str, now_ns: int) -> OutboxRow:
    audience = AUDIENCES.get(person.role, Audience.NOC)
    facts = Facts(kind=Kind.NOT_READY, step=Step.TEST, audience=audience, alert="TEST", now_ns=now_ns)
    text = render(facts, config, person.language, form_of(channel))
    return OutboxRow(
        key=f"test/{now_ns}",
        channel=channel,
        recipient=recipient,
        subject=text.subject,
        body=text.body,
        due_ns=now_ns,
        attempts=0,
        sent_ns=None,
        error="",
        person=person.id,
        template=text.template,
        variables=text.variables,
        put_ns=now_ns,
    )
