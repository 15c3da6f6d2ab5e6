"""The forecast's models, as fitted to the deployment's own history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from telemetry.state.database import Database

KEPT: Final = 60
"""So many are kept; with one a week, more than a year."""


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A model as JSON, which this room does not look into; `name` is what verdicts call it."""

    name: str
    fitted_ns: int
    body: bytes


class ModelTable(Database):
    """Models by the time of their fit; the newest is in force."""

    def put_model(self, model: FittedModel) -> None:
        """Keep a model, and let go of the oldest beyond `KEPT`."""
        with self._change() as change:
            change.execute(
                "INSERT OR REPLACE INTO model VALUES (?, ?, ?)", (model.fitted_ns, model.name, model.body)
            )
            change.execute(
                "DELETE FROM model WHERE fitted_ns NOT IN"
                " (SELECT fitted_ns FROM model ORDER BY fitted_ns DESC LIMIT ?)",
                (KEPT,),
            )

    def newest_model(self) -> FittedModel | None:
        """The model that was fitted last; None before the first fit."""
        rows = self._rows("SELECT name, fitted_ns, body FROM model ORDER BY fitted_ns DESC LIMIT 1")
        return FittedModel(*rows[0]) if rows else None
