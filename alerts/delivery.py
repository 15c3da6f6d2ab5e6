"""Emptying the outbox: each row is tried until it is taken, or refused for good."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from alerts.mail import DeliveryError, send
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Alerts
    from telemetry.state.db import StateDb
    from telemetry.state.outbox import OutboxRow

CHANNEL: Final = "mail"
FIRST_RETRY_S: Final = 15
LONGEST_RETRY_S: Final = 900
NEVER_NS: Final = 365 * 100 * DAY_NS
"""So long after a final refusal a row is due again: it stays in the outbox, with its error, to be looked at."""
_log = logging.getLogger(__name__)


class Delivery:
    """Sends what is due; a fault of the server is said once, and once when it is over."""

    def __init__(self, state: StateDb, sender: Callable[[OutboxRow, Alerts], None] = send) -> None:
        self._state = state
        self._send = sender
        self._failing = False

    def step(self, settings: Alerts, now_ns: int) -> int:
        """Try every row that is due; the number sent."""
        if not settings.smtp_host:
            return 0
        rows = [row for row in self._state.due(now_ns) if row.channel == CHANNEL]
        return sum(self._try(row, settings, now_ns) for row in rows)

    def _try(self, row: OutboxRow, settings: Alerts, now_ns: int) -> bool:
        try:
            self._send(row, settings)
        except DeliveryError as error:
            self._state.mark_failed(row.key, str(error), now_ns + retry_ns(row.attempts, final=error.final))
            if not self._failing or error.final:
                extra = {"event": "mail.failed", "reason": str(error)}
                _log.warning("mail to %s not taken: %s", row.recipient, error, extra=extra)
            self._failing = not error.final
            return False
        self._state.mark_sent(row.key, now_ns)
        _log.info("mail to %s sent: %s", row.recipient, row.subject, extra={"event": "mail.sent"})
        self._failing = False
        return True


def retry_ns(attempts: int, *, final: bool) -> int:
    """How long to wait after so many earlier attempts: doubling, capped; practically for ever after a final no."""
    if final:
        return NEVER_NS
    return int(min(FIRST_RETRY_S * 2 ** min(attempts, 16), LONGEST_RETRY_S)) * SECOND_NS
