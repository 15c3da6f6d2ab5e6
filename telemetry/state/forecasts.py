"""Forecasts: verdicts issued for keeps at their horizons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Forecast
from telemetry.state.database import Database, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence


class ForecastTable(Database):
    """Forecasts as issued: one for each (site, meeting, occurrence, horizon), never changed."""

    def issue_forecasts(self, forecasts: Sequence[Forecast]) -> int:
        """Put forecasts on record; how many were new. One that is there already stays as it was issued."""
        with self._change() as change:
            return sum(
                change.execute(
                    "INSERT OR IGNORE INTO forecast (site, meeting, occurrence_ns, horizon, starts_ns, body)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        forecast.verdict.site,
                        forecast.verdict.meeting,
                        forecast.verdict.occurrence_ns,
                        forecast.horizon.value,
                        forecast.verdict.starts_ns,
                        encoded(forecast),
                    ),
                )
                for forecast in forecasts
            )

    def forecasts(self, from_ns: int, until_ns: int, *, voided: bool = False) -> list[Forecast]:
        """The forecasts of occurrences that start in `[from_ns, until_ns)`, in the order of their issue.

        Args:
            from_ns: start of the span.
            until_ns: end of the span.
            voided: True for those whose occurrence was moved or cancelled, in place of those that stand.
        """
        rows = self._rows(
            "SELECT body FROM forecast WHERE starts_ns >= ? AND starts_ns < ? AND (voided_ns IS NOT NULL) = ?"
            " ORDER BY starts_ns, id",
            (from_ns, until_ns, voided),
        )
        return [decoded(body, Forecast) for (body,) in rows]

    def forecasts_after(self, number: int, limit: int) -> list[tuple[int, Forecast]]:
        """The forecasts that were put on record behind a number, with their own numbers, in the order of their issue.

        Those that are void by now are among them.
        """
        rows = self._rows("SELECT id, body FROM forecast WHERE id > ? ORDER BY id LIMIT ?", (number, limit))
        return [(int(row[0]), decoded(row[1], Forecast)) for row in rows]
