"""Incidents: faults that several offices share, now and in the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Incident
from telemetry.state.database import Database, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

_WRITE = (
    "INSERT INTO incident (id, factor, since_ns, until_ns, body) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET factor = excluded.factor, since_ns = excluded.since_ns,"
    " until_ns = excluded.until_ns, body = excluded.body WHERE body != excluded.body"
)


class IncidentTable(Database):
    """One row an incident."""

    def put_incidents(self, incidents: Iterable[Incident]) -> None:
        """Write incidents as they stand; one that is over carries its `until_ns`."""
        with self._change() as change:
            for each in incidents:
                change.execute(
                    _WRITE, (each.id, str(each.factor), each.since_ns, each.until_ns, encoded(each))
                )

    def open_incidents(self) -> list[Incident]:
        """Those that last, oldest first."""
        rows = self._rows("SELECT body FROM incident WHERE until_ns IS NULL ORDER BY since_ns, id")
        return [decoded(body, Incident) for (body,) in rows]

    def incident(self, incident_id: str) -> Incident | None:
        """One by its id, open or over; None when there is none."""
        rows = self._rows("SELECT body FROM incident WHERE id = ?", (incident_id,))
        return decoded(rows[0][0], Incident) if rows else None

    def incidents_ever(self) -> int:
        """How many there have been, those that last among them."""
        return int(self._rows("SELECT count(*) FROM incident")[0][0])

    def incidents(self, from_ns: int, until_ns: int) -> list[Incident]:
        """Those that overlap `[from_ns, until_ns)`, by start."""
        rows = self._rows(
            "SELECT body FROM incident WHERE since_ns < ? AND (until_ns IS NULL OR until_ns > ?) ORDER BY since_ns, id",
            (until_ns, from_ns),
        )
        return [decoded(body, Incident) for (body,) in rows]
