"""The plans that probes were told."""

from __future__ import annotations

from telemetry.control import Plan
from telemetry.state.database import Database, decoded, encoded


class PlanTable(Database):
    """The plan of every probe as last published."""

    def put_plan(self, site: str, probe: str, plan: Plan) -> None:
        """Note the plan that a probe was told."""
        with self._change() as change:
            change.execute(
                "INSERT INTO plan VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET body = excluded.body WHERE body != excluded.body",
                (site, probe, encoded(plan)),
            )

    def plans(self) -> dict[tuple[str, str], Plan]:
        """By (site, probe), the plan that it was told."""
        rows = self._rows("SELECT site, probe, body FROM plan")
        return {(site, probe): decoded(body, Plan) for site, probe, body in rows}
