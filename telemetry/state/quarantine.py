"""Quarantine: messages that were refused, kept for inspection in a bounded place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.state.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was refused."""

    received_ns: int
    topic: str
    reason: str
    payload: bytes


class QuarantineTable(Database):
    """The newest refused messages."""

    def quarantine(self, rows: Sequence[Refused], *, max_rows: int, max_bytes: int) -> None:
        """Keep refused messages; the oldest give way until at most so many messages and payload bytes are left."""
        with self._change() as change:
            for row in rows:
                change.execute(
                    "INSERT INTO quarantine (received_ns, topic, reason, payload) VALUES (?, ?, ?, ?)",
                    (row.received_ns, row.topic, row.reason, row.payload),
                )
            change.execute(
                "DELETE FROM quarantine WHERE id IN (SELECT id FROM (SELECT id,"
                " row_number() OVER newest AS place, sum(length(payload)) OVER newest AS bytes"
                " FROM quarantine WINDOW newest AS (ORDER BY id DESC)) WHERE place > ? OR bytes > ?)",
                (max_rows, max_bytes),
            )

    def quarantined(self, limit: int) -> list[Refused]:
        """The newest refused messages, newest first."""
        rows = self._rows(
            "SELECT received_ns, topic, reason, payload FROM quarantine ORDER BY id DESC LIMIT ?", (limit,)
        )
        return [Refused(*row) for row in rows]
