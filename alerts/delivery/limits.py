"""How many messages a person gets within an hour, and what is above as one."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from alerts.facts import Audience, Facts, Form
from alerts.words import render
from config.people import Role
from telemetry.alerting import Kind, Post, Step
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.config import Config
    from config.people import Person
    from telemetry.state.db import StateDb
    from telemetry.state.outbox import OutboxRow

NO_LIMIT: Final = 1_000_000_000
_MANY: Final = "many/"
AUDIENCES: Final = {Role.IN_CHARGE: Audience.IN_CHARGE, Role.REGIONAL: Audience.REGIONAL}


class Limits:
    """How many messages each person may still get; who is nobody of ours (a list, a system) has no limit."""

    def __init__(self, state: StateDb, config: Config, now_ns: int, under_way: Iterable[OutboxRow]) -> None:
        told = Counter(state.sent_since(now_ns - HOUR_NS))
        told.update(row.person for row in under_way if row.person)
        self._left = {person.id: person.per_hour - told[person.id] for person in config.people}

    def left(self, person: str) -> int:
        """How many more within this hour."""
        return self._left.get(person, NO_LIMIT)

    def count(self, person: str) -> None:
        """One goes."""
        if person in self._left:
            self._left[person] -= 1

    def close(self, person: str) -> None:
        """No more for now."""
        self._left[person] = 0


def is_with(one: OutboxRow, other: OutboxRow) -> bool:
    """Whether two messages go to the same person by the same way."""
    return (one.person, one.channel) == (other.person, other.channel)


def fold(rows: Sequence[OutboxRow], state: StateDb, config: Config, now_ns: int) -> Post:
    """Put one message in place of a person's that wait for the last one that they may get; it names the offices."""
    first = rows[0]
    person = next(one for one in config.people if one.id == first.person)
    count = sum(_count(row.key) for row in rows)
    text = render(_facts(rows, state, person, count, now_ns), config, person.language, form_of(first.channel))
    ends = [row.expires_ns for row in rows]
    post = Post(
        key=f"{_MANY}{person.id}/{count}/{_digest(rows)}",
        person=person.id,
        channel=first.channel,
        recipient=first.recipient,
        template=text.template,
        variables=text.variables,
        subject=text.subject,
        body=text.body,
        due_ns=now_ns,
        expires_ns=None if None in ends else max(end for end in ends if end is not None),
        urgent=any(row.urgent for row in rows),
    )
    state.fold([row.key for row in rows], post, now_ns)
    return post


def form_of(channel: str) -> Form:
    """What a channel carries: mail; `sms` and `sms-…` within the budget of an SMS; anything else as a chat does."""
    if channel == "mail":
        return Form.MAIL
    return Form.SMS if channel == "sms" or channel.startswith("sms-") else Form.CHAT


def _facts(rows: Sequence[OutboxRow], state: StateDb, person: Person, count: int, now_ns: int) -> Facts:
    alerts = [state.alert(row.alert) for row in rows if row.alert]
    sites = dict.fromkeys(alert.site for alert in alerts if alert is not None and alert.site)
    return Facts(
        kind=Kind.NOT_READY,
        step=Step.MANY,
        audience=AUDIENCES.get(person.role, Audience.NOC),
        alert="",
        now_ns=now_ns,
        sites=tuple(sites),
        count=count,
    )


def _count(key: str) -> int:
    """How many messages one stands for: a folded one keeps the number in its key."""
    parts = key.split("/")
    return int(parts[2]) if key.startswith(_MANY) and len(parts) == 4 and parts[2].isdigit() else 1


def _digest(rows: Sequence[OutboxRow]) -> str:
    return sha256("\n".join(row.key for row in rows).encode()).hexdigest()[:16]
