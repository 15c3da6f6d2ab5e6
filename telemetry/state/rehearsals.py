"""Rehearsals: asked for by people or the plan, carried out by the leading collector, one at a time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import structs

from telemetry.rehearsing import LastRehearsal, OfficeProgress, OfficeState, RehearsalRecord
from telemetry.state.database import Database, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.rehearsing import RehearsalRequest
    from telemetry.state.database import Row

KEPT: Final = 2_000
_COLUMNS: Final = "id, stop_ns, ended_ns, body"
_PUT_OFFICE: Final = """
    INSERT INTO rehearsal_office VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body
    WHERE coalesce(json_extract(excluded.body, '$.step'), 0) >= coalesce(json_extract(rehearsal_office.body, '$.step'), 0)"""
_OLD: Final = "SELECT id FROM rehearsal ORDER BY asked_ns DESC LIMIT -1 OFFSET ?"


_TOLD: Final = frozenset({OfficeState.HELD, OfficeState.BROKE, OfficeState.ABORTED})


class Asked(StrEnum):
    """What came of asking."""

    NEW = "new"
    SAME = "same"
    """It was asked for with this key before."""
    BUSY = "busy"
    """Another rehearsal is going on; one at a time."""


class RehearsalTable(Database):
    """Rehearsals by their id."""

    def ask_rehearsal(self, request: RehearsalRequest) -> tuple[Asked, str]:
        """Ask for a rehearsal; what came of it, and the id: of the new one, of the same, or of the one that is going on."""
        with self._change() as change:
            same = change.rows_of("SELECT id FROM rehearsal WHERE asking_key = ?", (request.key,))
            if same:
                return Asked.SAME, same[0][0]
            going_on = change.rows_of("SELECT id FROM rehearsal WHERE ended_ns IS NULL")
            if going_on:
                return Asked.BUSY, going_on[0][0]
            change.execute(
                "INSERT INTO rehearsal (id, asking_key, meeting, recurrence_ns, asked_ns, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(request.id, request.key, request.meeting, request.recurrence_ns, request.asked_ns),
                    encoded(RehearsalRecord(request=request)),
                ),
            )
            for table in ("rehearsal_office", "rehearsal"):
                change.execute(f"DELETE FROM {table} WHERE id IN ({_OLD})", (KEPT,))  # noqa: S608
            return Asked.NEW, request.id

    def open_rehearsal(self) -> RehearsalRecord | None:
        """The one that waits or is going on."""
        found = self._records("WHERE ended_ns IS NULL", ())
        return found[0] if found else None

    def rehearsal(self, rehearsal_id: str) -> RehearsalRecord | None:
        """A rehearsal by its id, with its offices."""
        found = self._records("WHERE id = ?", (rehearsal_id,))
        return found[0] if found else None

    def rehearsals(self, limit: int) -> list[RehearsalRecord]:
        """The newest, newest first."""
        return self._records("ORDER BY asked_ns DESC, id LIMIT ?", (limit,))

    def rehearsals_since(self, asked_ns: int) -> list[RehearsalRecord]:
        """Those that were asked for since then, oldest first."""
        return self._records("WHERE asked_ns >= ? ORDER BY asked_ns, id", (asked_ns,))

    def rehearsals_of(self, meeting: str, recurrence_ns: int) -> list[RehearsalRecord]:
        """Those of an occurrence, newest first."""
        return self._records(
            "WHERE meeting = ? AND recurrence_ns = ? ORDER BY asked_ns DESC, id", (meeting, recurrence_ns)
        )

    def last_rehearsals(self, sites: Iterable[str], asked_ns: int) -> dict[str, LastRehearsal]:
        """By office, its newest one that began and told something, of those that were asked for since `asked_ns`."""
        wanted, found = set(sites), dict[str, LastRehearsal]()
        for body, number in self._rows(
            "SELECT body, id FROM rehearsal WHERE asked_ns >= ? ORDER BY asked_ns DESC, id", (asked_ns,)
        ):
            if not wanted:
                break
            record = decoded(body, RehearsalRecord)
            for site, said in self._rows("SELECT site, body FROM rehearsal_office WHERE id = ?", (number,)):
                office = decoded(said, OfficeProgress) if site in wanted else None
                if office is not None and office.stage and office.state in _TOLD:
                    found[site] = _last(record, office)
                    wanted.discard(site)
        return found

    def put_rehearsal(self, record: RehearsalRecord) -> None:
        """Note where a rehearsal stands, its offices among it. One that has ended is not changed any more."""
        bare = structs.replace(record, offices=(), stop_ns=None)
        with self._change() as change:
            written = change.execute(
                "UPDATE rehearsal SET ended_ns = ?, body = ? WHERE id = ? AND ended_ns IS NULL",
                (record.ended_ns, encoded(bare), record.request.id),
            )
            for office in record.offices if written else ():
                change.execute(_PUT_OFFICE, (record.request.id, office.site, encoded(office)))

    def note_rehearsing(self, rehearsal_id: str, site: str, probe: str, said: OfficeProgress) -> bool:
        """What a probe says of its office; False when it has said something newer, is done, or was not asked."""
        with self._change() as change:
            rows = change.rows_of(
                "SELECT o.body FROM rehearsal_office o JOIN rehearsal r ON r.id = o.id"
                " WHERE o.id = ? AND o.site = ? AND r.ended_ns IS NULL",
                (rehearsal_id, site),
            )
            known = decoded(rows[0][0], OfficeProgress) if rows else None
            if known is None or known.probe != probe or known.step >= said.step or known.state.is_over:
                return False
            if (
                said.state is OfficeState.WAITING
            ):  # only the hub lets wait: said by an office it would never end
                return False
            kept = structs.replace(said, site=known.site, probe=known.probe, stage=known.stage)
            change.execute(
                "UPDATE rehearsal_office SET body = ? WHERE id = ? AND site = ?",
                (encoded(structs.replace(kept, command=known.command)), rehearsal_id, site),
            )
            return True

    def rehearsal_order(self, rehearsal_id: str, site: str) -> str:
        """Id of the order that an office was given; empty when it was given none."""
        rows = self._rows("SELECT body FROM rehearsal_office WHERE id = ? AND site = ?", (rehearsal_id, site))
        return decoded(rows[0][0], OfficeProgress).command if rows else ""

    def stop_rehearsal(self, rehearsal_id: str, now_ns: int) -> bool:
        """Ask that one stops; False when it is over, or there is none."""
        with self._change() as change:
            return bool(
                change.execute(
                    "UPDATE rehearsal SET stop_ns = coalesce(stop_ns, ?) WHERE id = ? AND ended_ns IS NULL",
                    (now_ns, rehearsal_id),
                )
            )

    def _records(self, rest: str, parameters: tuple[object, ...]) -> list[RehearsalRecord]:
        rows = self._rows(f"SELECT {_COLUMNS} FROM rehearsal {rest}", parameters)  # noqa: S608
        return [self._record(row) for row in rows]

    def _record(self, row: Row) -> RehearsalRecord:
        offices = self._rows("SELECT body FROM rehearsal_office WHERE id = ? ORDER BY site", (row[0],))
        return structs.replace(
            decoded(row[3], RehearsalRecord),
            stop_ns=row[1],
            ended_ns=row[2],
            offices=tuple(decoded(body, OfficeProgress) for (body,) in offices),
        )


def _last(record: RehearsalRecord, office: OfficeProgress) -> LastRehearsal:
    return LastRehearsal(
        site=office.site,
        rehearsal=record.request.id,
        start_ns=record.starts_ns[office.stage - 1],
        state=office.state,
        path=record.path,
        rungs=record.rungs,
        rung_up=office.rung_up,
        rung_down=office.rung_down,
        why=office.why,
    )
