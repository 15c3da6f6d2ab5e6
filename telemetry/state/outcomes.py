"""Outcomes: what came true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Outcome
from telemetry.state.database import Database, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence


class OutcomeTable(Database):
    """The outcome of each (site, meeting, occurrence); a final one is never changed."""

    def put_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Take the place of the outcomes that were there and were not final."""
        with self._change() as change:
            for outcome in outcomes:
                key = (outcome.site, outcome.meeting, outcome.occurrence_ns)
                change.execute(
                    "INSERT INTO outcome VALUES (?1, ?2, ?3, coalesce((SELECT starts_ns FROM verdict"
                    " WHERE site = ?1 AND meeting = ?2 AND occurrence_ns = ?3), ?3), ?4, ?5)"
                    " ON CONFLICT DO UPDATE SET final = excluded.final, starts_ns = excluded.starts_ns,"
                    " body = excluded.body WHERE NOT final AND body != excluded.body",
                    (*key, outcome.final, encoded(outcome)),
                )

    def outcomes(self, from_ns: int, until_ns: int) -> list[Outcome]:
        """The outcomes of occurrences that started in `[from_ns, until_ns)`, by (start, meeting, site).

        The start is the verdict's; the occurrence's own time when there never was a verdict.
        """
        rows = self._rows(
            "SELECT body FROM outcome WHERE starts_ns >= ? AND starts_ns < ?"
            " ORDER BY starts_ns, meeting, occurrence_ns, site",
            (from_ns, until_ns),
        )
        return [decoded(body, Outcome) for (body,) in rows]
