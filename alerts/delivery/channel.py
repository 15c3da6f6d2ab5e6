"""What every way out of the outbox is: one function that hands one message over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.config import Config
    from telemetry.alerting import Attachment
    from telemetry.state.outbox import OutboxRow


class Channel(Protocol):
    """Hands a message over; blocks at most about the limit of an attempt."""

    def __call__(self, row: OutboxRow, files: Sequence[Attachment], config: Config, /) -> str:
        """Send it; what the other side answered, in one line.

        Raises:
            alerts.delivery.errors.DeliveryError: it was not taken.
        """
        ...


def filled(url: str, row: OutboxRow, config: Config) -> str:
    """A channel's address with its places filled, each escaped so that it stays one part of the address."""
    email = next((person.email for person in config.people if person.id == row.person), "")
    places = {
        "phone": row.recipient,
        "email": email,
        "text": row.body,
        "template": provider_template(row, config),
        "key": row.key,
    }
    for name, value in places.items():
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return url


def provider_template(row: OutboxRow, config: Config) -> str:
    """What the provider calls the message's template; our own number where it has no other name."""
    return config.settings.alerts.delivery.templates.get(row.template, row.template)
