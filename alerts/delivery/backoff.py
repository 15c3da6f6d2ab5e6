"""How long to wait before a message is tried again."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from config.alert_settings import Delivery

JITTER: Final = 0.25
"""The wait lies within so much of its nominal length: many messages that failed together do not come back together."""
LONGEST_ASKED_S: Final = 86_400.0
"""A server that asks for more is asked again after a day."""


def retry_ns(key: str, attempts: int, settings: Delivery, retry_after_s: float | None = None) -> int:
    """The wait in ns after so many earlier attempts: doubling, capped, spread by the key; never less than was asked for."""
    doubled = settings.first_retry_s * 2 ** min(attempts, 30)
    drawn = int.from_bytes(sha256(f"{attempts}/{key}".encode()).digest()[:4], "big") / 2**32
    wait_s = min(doubled, settings.longest_retry_s) * (1 - JITTER + 2 * JITTER * drawn)
    asked_s = min(retry_after_s or 0.0, LONGEST_ASKED_S)
    return int(max(wait_s, asked_s) * SECOND_NS)
