"""A webhook of one's own: the message as JSON, with the key that makes a second delivery known as such."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from alerts.delivery.channel import filled, provider_template
from alerts.delivery.web import post

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.config import Config
    from telemetry.alerting import Attachment
    from telemetry.state.outbox import OutboxRow


def send(row: OutboxRow, _files: Sequence[Attachment], config: Config) -> str:
    """POST a message to the channel's address.

    Raises:
        DeliveryError: it was not answered with 2xx.
    """
    settings = config.settings.alerts
    headers = {"idempotency-key": f'"{sha256(row.key.encode()).hexdigest()[:32]}"'}
    if row.template:
        headers["x-tatpar-template"] = row.template
    url = filled(settings.channels[row.channel], row, config)
    return post(
        url,
        msgspec.json.encode(_body(row, provider_template(row, config))),
        headers,
        settings.delivery.attempt_s,
    )


def _body(row: OutboxRow, provider_template: str) -> dict[str, object]:
    return {
        "key": row.key,
        "alert": row.alert,
        "person": row.person,
        "recipient": row.recipient,
        "urgent": row.urgent,
        "template": row.template,
        "provider_template": provider_template,
        "variables": row.variables,
        "subject": row.subject,
        "text": row.body,
    }
