"""Everything that apprise can reach: SMS providers, WhatsApp, Telegram, chat services."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from alerts.delivery.channel import filled
from alerts.delivery.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.config import Config
    from telemetry.alerting import Attachment
    from telemetry.state.outbox import OutboxRow


def send(row: OutboxRow, _files: Sequence[Attachment], config: Config) -> str:
    """Hand a message to apprise, and wait for what the service answers.

    Raises:
        DeliveryError: the address is none of apprise's (final), or the service did not take the message.
    """
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - half a second, and only where a channel needs it

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines show addresses with their passwords
    settings = config.settings.alerts
    asset = AppriseAsset(app_id="Tatpar", storage_mode="memory")
    apprise = Apprise(asset=asset)
    scheme = settings.channels[row.channel].partition("://")[0]
    if not apprise.add(filled(settings.channels[row.channel], row, config)):
        raise DeliveryError(f"apprise cannot read the {scheme}:// address of {row.channel}", final=True)
    limit_s = settings.delivery.attempt_s
    result = apprise.notify(body=row.body, title=row.subject, timeout=limit_s)
    if result:
        return f"{scheme}: taken"
    late = result.timeout_count or "timeout" in result.name.lower() if hasattr(result, "name") else False
    raise DeliveryError(f"{scheme}: no answer within {limit_s:g} s" if late else f"{scheme}: not taken")
