"""The messages about alerts by their marks, kept in memory: a mark that nobody knows costs one look at what is new."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from alerts import links
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from telemetry.state.db import StateDb
    from telemetry.state.outbox import OutboxRow

REMEMBERED_NS: Final = 30 * DAY_NS
"""A message so old is no longer looked up."""
MOST: Final = 200_000
"""Messages kept; of more the oldest are forgotten."""


class Marks:
    """Of a state database; any thread may ask."""

    def __init__(self, state: StateDb, secret: bytes) -> None:
        self._state = state
        self._secret = secret
        self._keys: dict[str, str] = {}  # by mark, oldest first
        self._seen = 0
        self._lock = Lock()

    def find(self, marks: list[str], now_ns: int) -> OutboxRow | None:
        """The message of the first mark that is ours, if it is not too old."""
        with self._lock:
            self._refresh(now_ns)
            key = next((self._keys[mark] for mark in marks if mark in self._keys), None)
        row = self._state.message(key) if key is not None else None
        return row if row is not None and row.put_ns >= now_ns - REMEMBERED_NS else None

    def _refresh(self, now_ns: int) -> None:
        for number, key in self._state.about_alerts(self._seen, now_ns - REMEMBERED_NS):
            self._keys[links.reply_token(self._secret, key)] = key
            self._seen = number
        for _ in range(len(self._keys) - MOST):
            del self._keys[next(iter(self._keys))]
