"""What is to be told, as messages for the outbox: in the person's language, by the person's channel."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from alerts import links
from alerts.delivery.limits import form_of
from alerts.facts import Facts
from alerts.words import UnsaidError, render
from config.people import Role
from telemetry.alerting import Kind, Post, Step
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from alerts.facts import Form, Text
    from alerts.ladder import Ladder
    from alerts.telling import Telling
    from config.config import Config
    from config.people import Person

    Render = Callable[[Facts, Config, str, Form], Text]

_NO_ANSWER: Final = frozenset({Step.RESOLVED, Step.MANY})
_log = logging.getLogger(__name__)


class PostOffice:
    """Writes the messages; `secret` signs the links that acknowledge, and is asked for only when there are any."""

    def __init__(
        self, config: Config, ladder: Ladder, secret: Callable[[], bytes], words: Render = render
    ) -> None:
        self._config = config
        self._ladder = ladder
        self._secret = secret
        self._render = words

    def post(self, telling: Telling, now_ns: int) -> Post | None:
        """One message; None when there are no words for it, which is said in the log."""
        way = self._ladder.ways[telling.person.id]
        assert way is not None  # nobody is told who cannot be reached
        person, alert = telling.person, telling.alert
        facts = self._facts(telling, now_ns)
        try:
            text = self._render(facts, self._config, person.language, form_of(way.channel))
        except UnsaidError as error:
            extra = {"event": "alert.unsaid", "alert": alert.id, "person": person.id, "reason": str(error)}
            _log.error("%s is not told of %s: %s", person.id, alert.id, error, extra=extra)
            return None
        return Post(
            key=telling.key,
            person=person.id,
            channel=way.channel,
            recipient=way.recipient,
            template=text.template,
            variables=text.variables,
            subject=text.subject,
            body=text.body,
            due_ns=telling.due_ns,
            expires_ns=alert.ends_ns if alert.ends_ns is not None else telling.due_ns + DAY_NS,
            urgent=telling.urgent,
            alert=alert.id,
        )

    def _facts(self, telling: Telling, now_ns: int) -> Facts:
        alert = telling.alert
        return Facts(
            kind=telling.kind,
            step=telling.step,
            audience=telling.audience,
            alert=alert.id,
            now_ns=max(now_ns, telling.due_ns),
            site=alert.site,
            sites=() if alert.site else alert.sites,
            meeting=alert.meeting,
            occurrence_ns=alert.occurrence_ns,
            starts_ns=alert.starts_ns,
            reason=alert.reason,
            action=alert.action,
            factor=alert.factor,
            probability=alert.probability,
            since_ns=alert.since_ns,
            unseen=alert.unseen,
            ended_ns=(alert.ended_ns or now_ns) if telling.step is Step.RESOLVED else None,
            unanswered=", ".join(dict.fromkeys(self._named(one, telling) for one in telling.unanswered)),
            link=self._link(telling),
        )

    def _named(self, person: Person, telling: Telling) -> str:
        """Somebody by name; a contact of an office whose name nobody has written down, by the office."""
        registry = self._config.registry.by_id
        offices = [registry[site].name(telling.person.language) for site in person.sites if site in registry]
        by_office = ", ".join(offices) if person.role is Role.IN_CHARGE else ""
        return person.name or by_office or person.id

    def _link(self, telling: Telling) -> str:
        alert = telling.alert
        if (
            telling.step in _NO_ANSWER
            or telling.kind is Kind.NOT_YOUR_LINE
            or not self._config.settings.alerts.delivery.public_url
        ):
            return ""
        ends_ns = alert.ends_ns if alert.ends_ns is not None else telling.due_ns + DAY_NS
        return links.ack_url(self._config, self._secret(), alert.id, telling.person.id, ends_ns, alert.turn)
