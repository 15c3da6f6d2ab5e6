"""Letting go of what was decided long ago: verdicts, forecasts, outcomes, flags, incidents, messages that are out."""

from __future__ import annotations

from typing import Final

from telemetry.state.clocks import HEARD_NS
from telemetry.state.database import Database

AT_ONCE: Final = 2000
"""Rows of one transaction, so that nobody waits long."""
_OVER: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "verdicts": (("verdict", "starts_ns < :before"),),
    "forecasts": (("forecast", "starts_ns < :before"),),
    "outcomes": (("outcome", "starts_ns < :before"),),
    "flags": (("flag_spell", "cleared_ns < :before"),),
    "absences": (("offline", "until_ns < :before"),),
    "clocks": (  # that one is wrong is over, too, when it is told no longer: nobody hears it
        ("wrong_clock", f"coalesce(until_ns, at_ns + {HEARD_NS}) < :before"),
        ("boot", "at_ns < :before"),
    ),
    "incidents": (
        ("incident_mark", "incident IN (SELECT id FROM incident WHERE until_ns < :before)"),
        ("incident", "until_ns < :before"),
    ),
    "rehearsals": (
        ("rehearsal_office", "id IN (SELECT id FROM rehearsal WHERE ended_ns < :before)"),
        ("rehearsal", "ended_ns < :before"),
    ),
    "alerts": (("alert", "resolved_ns < :before"),),
    "messages": (  # the newest stays: numbers of messages never come again (who reads on from a number would miss them)
        (
            "outbox_file",
            "key IN (SELECT key FROM outbox WHERE sent_ns < :before OR (sent_ns IS NULL AND dead_ns < :before))",
        ),
        (
            "outbox",
            "(sent_ns < :before OR (sent_ns IS NULL AND dead_ns < :before)) AND id < (SELECT max(id) FROM outbox)",
        ),
    ),
    "refused": (("quarantine", "received_ns < :before"),),
    "commands": (("command", "issued_ns < :before AND expires_ns < :before"),),
    "models": (("model", "fitted_ns < :before AND fitted_ns < (SELECT max(fitted_ns) FROM model)"),),
}
"""By kind, which rows of which tables are over and done with; what is still open stays, whatever its age."""
KINDS: Final = tuple(_OVER)


class PruneTable(Database):
    """What is over, by age. Who was let in, who may sign in, and the record of both are never touched."""

    def outdated(self, before_ns: int) -> dict[str, int]:
        """By kind, how many rows are over since before a time; kinds without any are left out."""
        found = {
            kind: sum(self._count(table, where, before_ns) for table, where in tables)
            for kind, tables in _OVER.items()
        }
        return {kind: count for kind, count in found.items() if count}

    def let_go(self, before_ns: int) -> dict[str, int]:
        """Remove them, a bounded number at a time; how many of each kind went."""
        gone: dict[str, int] = {}
        for kind, tables in _OVER.items():
            for table, where in tables:
                gone[kind] = gone.get(kind, 0) + self._all(table, where.replace(":before", "?1"), before_ns)
        return {kind: count for kind, count in gone.items() if count}

    def _count(self, table: str, where: str, before_ns: int) -> int:
        query = f"SELECT count(*) FROM {table} WHERE {where.replace(':before', '?1')}"  # noqa: S608 - words of ours
        count: int = self._rows(query, (before_ns,))[0][0]
        return count

    def _all(self, table: str, where: str, before_ns: int) -> int:
        """One table's, piece by piece; a piece is found by the primary key, which each table has."""
        key = _KEYS.get(table, "id")
        gone = 0
        while True:
            with self._change() as change:
                query = f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {where} LIMIT {AT_ONCE})"  # noqa: S608
                some = change.execute(query, (before_ns,))
            gone += some
            if some < AT_ONCE:
                return gone


_KEYS: Final = {
    "verdict": "site, meeting, occurrence_ns",
    "outcome": "site, meeting, occurrence_ns",
    "offline": "site, probe, from_ns",
    "wrong_clock": "site, probe",
    "boot": "site, probe, boot",
    "rehearsal_office": "id, site",
    "outbox_file": "key, name",
    "model": "fitted_ns",
}
"""Of tables whose key is not `id`."""
