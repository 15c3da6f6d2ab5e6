"""Heartbeats: which parts of the house are at work, with their counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.state.database import Database, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Beat:
    """The last sign of life of a role."""

    at_ns: int
    detail: dict[str, object]
    """Counters and whatever else the role says of itself; plain JSON."""


class HeartbeatTable(Database):
    """The last beat of every role."""

    def beat(self, role: str, at_ns: int, detail: Mapping[str, object]) -> None:
        """Say that a role is at work."""
        with self._change() as change:
            change.execute(
                "INSERT INTO heartbeat VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET at_ns = excluded.at_ns, body = excluded.body",
                (role, at_ns, encoded(dict(detail))),
            )

    def forget_beats(self, roles: Iterable[str]) -> None:
        """Roles that nobody has any more."""
        with self._change() as change:
            for role in roles:
                change.execute("DELETE FROM heartbeat WHERE role = ?", (role,))

    def beats(self) -> dict[str, Beat]:
        """By role, its last beat."""
        rows = self._rows("SELECT role, at_ns, body FROM heartbeat")
        return {role: Beat(at_ns, decoded(body, dict)) for role, at_ns, body in rows}
