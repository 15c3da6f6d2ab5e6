"""Verdicts: what is expected now of every office at every coming occurrence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Verdict
from telemetry.state.database import Database, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence


class VerdictTable(Database):
    """The current verdict of each (site, meeting, occurrence)."""

    def put_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Take the place of the verdicts that were there; one that was voided stands again."""
        with self._change() as change:
            for verdict in verdicts:
                change.execute(
                    "INSERT INTO verdict VALUES (?, ?, ?, ?, NULL, ?) ON CONFLICT DO UPDATE SET"
                    " starts_ns = excluded.starts_ns, voided_ns = NULL, body = excluded.body"
                    " WHERE body != excluded.body OR voided_ns IS NOT NULL",
                    (
                        verdict.site,
                        verdict.meeting,
                        verdict.occurrence_ns,
                        verdict.starts_ns,
                        encoded(verdict),
                    ),
                )

    def verdicts(self, from_ns: int, until_ns: int) -> list[Verdict]:
        """The verdicts of occurrences that start in `[from_ns, until_ns)`, by (start, meeting, site)."""
        rows = self._rows(
            "SELECT body FROM verdict WHERE starts_ns >= ? AND starts_ns < ? AND voided_ns IS NULL"
            " ORDER BY starts_ns, meeting, occurrence_ns, site",
            (from_ns, until_ns),
        )
        return [decoded(body, Verdict) for (body,) in rows]

    def flagged_verdicts(self, from_ns: int, until_ns: int) -> list[Verdict]:
        """Of the verdicts of occurrences that start in `[from_ns, until_ns)` those at risk or worse, in the same order."""
        rows = self._rows(
            "SELECT body FROM verdict WHERE starts_ns >= ? AND starts_ns < ? AND voided_ns IS NULL"
            " AND json_extract(body, '$.state') IN ('at_risk', 'not_ready')"
            " ORDER BY starts_ns, meeting, occurrence_ns, site",
            (from_ns, until_ns),
        )
        return [decoded(body, Verdict) for (body,) in rows]

    def void(self, meeting: str, occurrence_ns: int, at_ns: int, sites: Sequence[str] | None = None) -> None:
        """An occurrence was moved or cancelled, or some sites are no longer invited: nothing said of it holds.

        Its verdicts are no longer returned, its forecasts stay on record as void and new ones may be issued.
        """
        with self._change() as change:
            for table in ("verdict", "forecast"):
                statement = (
                    f"UPDATE {table} SET voided_ns = ?"  # noqa: S608
                    " WHERE meeting = ? AND occurrence_ns = ? AND voided_ns IS NULL"
                )
                whole = (at_ns, meeting, occurrence_ns)
                if sites is None:
                    change.execute(statement, whole)
                for site in sites or ():
                    change.execute(f"{statement} AND site = ?", (*whole, site))
