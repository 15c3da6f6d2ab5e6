"""The local journal: a SQLite store that also knows what the database server has of it.

It decides duplicates, keeps the ledger and makes roll-ups. Windows, items and roll-ups leave it only when the server has
them and they are old; what an upgrade may still make readable, and the newest window of every line, stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from telemetry.store import assembly
from telemetry.store.imported import is_among
from telemetry.store.item_kinds import UNKNOWN_KIND
from telemetry.store.protocol import Selection
from telemetry.store.rollup import roll_up
from telemetry.store.rollup_tables import as_windows
from telemetry.store.server.union import united
from telemetry.store.sqlite import SqliteStore, fold, imports, retention, rollups, streams, upkeep
from telemetry.store.sqlite.blocks import PARTS_PER_BLOCK, Kind
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from telemetry.store.tables import RollupTable, StreamTable

FOLDS_PER_CALL: Final = 4
KEPT_FROM: Final = "kept_from_ns"
ROLLUPS_FROM: Final = "rollups_from_ns"
_TABLES: Final = (
    # Roll-ups that were made since the server got them; `version` counts how often a slot was made.
    """CREATE TABLE IF NOT EXISTS ship_rollup (
        site TEXT NOT NULL, slot_ns INTEGER NOT NULL, version INTEGER NOT NULL, shipped INTEGER NOT NULL,
        PRIMARY KEY (site, slot_ns)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS ship_rollup_waiting ON ship_rollup (slot_ns) WHERE shipped = 0",
    # Hours whose block got rows otherwise than by reports: imports, and what an upgrade made readable.
    """CREATE TABLE IF NOT EXISTS ship_hour (
        site TEXT NOT NULL, hour_ns INTEGER NOT NULL, PRIMARY KEY (hour_ns, site)) WITHOUT ROWID""",
)


class Made(NamedTuple):
    """A roll-up slot of a site that waits for the server."""

    site: str
    slot_ns: int
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class FromServer:
    """What the server has of slots that the journal does not have whole any more."""

    windows: StreamTable
    rollups: StreamTable
    """In the inner form."""
    versions: Mapping[int, int] = field(default_factory=dict)
    """The newest version of each slot."""


class Journal(SqliteStore):
    """The writing half; safe from several threads and beside other processes."""

    def __init__(self, path: Path, *, raw_days: float, rollup_days: float) -> None:
        """Open or make the file."""
        super().__init__(path, raw_days=raw_days, rollup_days=rollup_days)
        with self._write():
            for statement in _TABLES:
                self._connection.execute(statement)
            # The journal's name, so that a cursor of another one is known as such.
            self._connection.execute(
                "INSERT OR IGNORE INTO fact VALUES ('identity', abs(random()) % (1 << 62))"
            )

    def import_streams(self, table: StreamTable) -> None:
        """Take in windows; their hours wait for the server."""
        with self._lock, self._write():
            imports.import_streams(self._connection, table)
            hours = table.columns["start_ns"] // HOUR_NS * HOUR_NS
            self._note_hours(
                zip((table.sites[i] for i in table.columns["site"].tolist()), hours.tolist(), strict=True)
            )

    def import_versions(self, table: RollupTable, versions: Mapping[tuple[str, int], int]) -> None:
        """Take in roll-ups; they wait for the server, above the versions that it has."""
        with self._lock, self._write():
            imports.import_rollups(self._connection, table)
            codes, slots = table.columns["site"].tolist(), table.columns["slot_ns"].tolist()
            keys = {(table.sites[code], slot) for code, slot in zip(codes, slots, strict=True)}
            self._note_versions(keys, versions)

    def fold_shipped(self, now_ns: int, shipped: int) -> int:
        """Fold closed hours whose reports the server has; how many."""
        with self._lock, self._write():
            found = self._connection.execute(
                "SELECT site, start_ns - start_ns % ? AS hour_ns, max(instr(kinds, ?)) FROM report WHERE start_ns < ?"
                " GROUP BY site, hour_ns HAVING max(id) <= ? AND (max(received_ns) <= ? OR count(*) >= 1000) LIMIT ?",
                (
                    HOUR_NS,
                    UNKNOWN_KIND,
                    fold.closed_before(now_ns),
                    shipped,
                    now_ns - fold.QUIET_NS,
                    FOLDS_PER_CALL,
                ),
            ).fetchall()
            for site, hour_ns, has_unknown in found:
                fold.fold(self._connection, site, hour_ns)
                if has_unknown:  # what this version reads in it may be more than what was shipped
                    self._note_hours([(site, hour_ns)])
            return len(found)

    def revive(self) -> int:
        """After a start, block by block: what an older version did not understand; 0 when all are seen."""
        with self._lock, self._write():
            if self._revived is None:
                return 0
            opaque = "SELECT id, site, start_ns, opaque FROM block WHERE kind = ? AND opaque > 0 AND id > ? ORDER BY id"
            before = self._connection.execute(opaque + " LIMIT 1", (Kind.WINDOWS, self._revived)).fetchone()
            self._revived = fold.revive(self._connection, self._revived)
            if before is not None:
                left = self._connection.execute(
                    "SELECT opaque FROM block WHERE id = ?", (before[0],)
                ).fetchone()
                if left is None or left[0] < before[3]:
                    self._note_hours([(before[1], before[2])])
            return int(self._revived is not None)

    def whole_days(self, now_ns: int, limit: int) -> list[tuple[str, int]]:
        """(site, day) with closed slots to roll up whose windows are all in the journal."""
        return self._waiting_days(limit, lambda kept: (kept, upkeep.last_closed(now_ns)))

    def old_days(self, now_ns: int, limit: int) -> list[tuple[str, int]]:
        """(site, day) with closed slots to roll up again whose other windows are on the server."""
        return self._waiting_days(limit, lambda kept: (0, min(upkeep.last_closed(now_ns), kept - 1)))

    def _waiting_days(self, limit: int, span: Callable[[int], tuple[int, int]]) -> list[tuple[str, int]]:
        with self._lock, self._view() as connection:
            return connection.execute(
                "SELECT DISTINCT site, slot_ns - slot_ns % ? FROM pending_slot WHERE slot_ns >= ? AND slot_ns <= ?"
                " LIMIT ?",
                (DAY_NS, *span(fact(connection, KEPT_FROM)), limit),
            ).fetchall()

    def waiting_slots(self, site: str, day_ns: int, now_ns: int) -> list[int]:
        """The slots of a site's day that wait to be rolled up."""
        with self._lock, self._view() as connection:
            return _slots(connection, site, day_ns, now_ns)

    def roll_up_day(self, site: str, day_ns: int, now_ns: int, old: FromServer | None = None) -> int:
        """Make the roll-ups of a site's day that wait; without `old` only those that the journal has whole."""
        with self._lock, self._write():
            connection = self._connection
            kept = fact(connection, KEPT_FROM)
            slots = [s for s in _slots(connection, site, day_ns, now_ns) if old is not None or s >= kept]
            if not slots:
                return 0
            span = Selection(min(slots), max(slots) + SLOT_NS, sites=(site,))
            windows = streams.read(connection, span)
            there = rollups.whole_day(connection, site, day_ns)
            known = [] if there is None else [there]
            if old is not None:
                windows = united(windows, old.windows)
                known.append(old.rollups)
            touched = np.isin(windows.columns["start_ns"] // SLOT_NS * SLOT_NS, np.array(slots))
            fresh = as_windows(roll_up(assembly.rows_where(windows, touched)))
            is_old = fresh.columns["start_ns"] < retention.raw_from(connection)
            for table in (
                known
            ):  # one whose windows are past their retention is better than one of a late window alone
                gives_way = is_old & is_among(fresh, table)
                fresh, is_old = assembly.rows_where(fresh, ~gives_way), is_old[~gives_way]
            if len(fresh):
                upkeep.write(connection, (site, day_ns), there, fresh)
                made = {(site, slot) for slot in np.unique(fresh.columns["start_ns"]).tolist()}
                versions = {} if old is None else {(site, slot): v for slot, v in old.versions.items()}
                self._note_versions(made, versions)
            connection.executemany(
                "DELETE FROM pending_slot WHERE site = ? AND slot_ns = ?", [(site, slot) for slot in slots]
            )
            return 1

    def _note_versions(
        self, keys: Collection[tuple[str, int]], server: Mapping[tuple[str, int], int]
    ) -> None:
        self._connection.executemany(
            "INSERT INTO ship_rollup VALUES (?, ?, ?, 0) ON CONFLICT DO UPDATE SET"
            " version = max(version + 1, excluded.version), shipped = 0",
            [(*key, server.get(key, -1) + 1) for key in sorted(keys)],
        )

    def _note_hours(self, hours: Iterable[tuple[str, int]]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO ship_hour (site, hour_ns) VALUES (?, ?)", sorted(set(hours))
        )

    def rollups_shipped(self, slots: Sequence[Made]) -> None:
        """The server has these; a slot that was made again meanwhile goes on waiting."""
        with self._lock, self._write():
            self._connection.executemany(
                "UPDATE ship_rollup SET shipped = 1 WHERE site = ? AND slot_ns = ? AND version = ?", slots
            )

    def hours_shipped(self, hours: Sequence[tuple[str, int]]) -> None:
        """The server has all of these hours."""
        with self._lock, self._write():
            self._connection.executemany("DELETE FROM ship_hour WHERE site = ? AND hour_ns = ?", hours)

    def prune(self, now_ns: int) -> None:
        """Drop what is past its retention, and remember since when roll-ups are kept."""
        with self._lock:
            super().prune(now_ns)
            with self._write():
                _advance(
                    self._connection, ROLLUPS_FROM, max((now_ns - self._rollup_ns) // DAY_NS * DAY_NS, 0)
                )

    def drop_shipped(self, before_ns: int, shipped: int) -> None:
        """Drop windows, items and roll-ups that start before a time and that the server has."""
        hour, day = before_ns // HOUR_NS * HOUR_NS, before_ns // DAY_NS * DAY_NS
        newest = "EXISTS (SELECT 1 FROM line WHERE line.site = {0}.site AND newest_ns >= {0}.start_ns AND newest_ns < {0}.start_ns + ?)"
        with self._lock, self._write():
            connection = self._connection
            connection.execute(
                "DELETE FROM report WHERE start_ns < ? AND id <= ? AND NOT instr(kinds, ?)"  # noqa: S608
                f" AND NOT {newest.format('report')}",
                (hour, shipped, UNKNOWN_KIND, 1),
            )
            waits = (
                "EXISTS (SELECT 1 FROM ship_hour WHERE ship_hour.site = block.site AND hour_ns = start_ns)"
            )
            has_all = f"last_commit <= ? AND opaque = 0 AND NOT {newest.format('block')} AND NOT {waits}"
            self._drop_blocks(
                f"kind = ? AND start_ns < ? AND {has_all}", (Kind.WINDOWS, hour, shipped, HOUR_NS)
            )
            self._drop_blocks(
                "kind = ? AND start_ns < ? AND NOT EXISTS (SELECT 1 FROM ship_rollup WHERE ship_rollup.site = block.site"
                " AND shipped = 0 AND slot_ns >= start_ns AND slot_ns < start_ns + ?)",
                (Kind.ROLLUPS, day, DAY_NS),
            )
            connection.execute("DELETE FROM ship_rollup WHERE shipped = 1 AND slot_ns < ?", (day,))
            _advance(connection, KEPT_FROM, hour)

    def _drop_blocks(self, where: str, parameters: Sequence[object]) -> None:
        found = self._connection.execute(f"SELECT id FROM block WHERE {where}", parameters).fetchall()  # noqa: S608
        spans = [(row[0] * PARTS_PER_BLOCK, (row[0] + 1) * PARTS_PER_BLOCK) for row in found]
        self._connection.executemany("DELETE FROM part WHERE id >= ? AND id < ?", spans)
        self._connection.executemany("DELETE FROM block WHERE id = ?", found)


def fact(connection: sqlite3.Connection, name: str) -> int:
    """A number that the journal remembers; 0 when it does not."""
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def _advance(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute(
        "INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
        (name, value),
    )


def _slots(connection: sqlite3.Connection, site: str, day_ns: int, now_ns: int) -> list[int]:
    rows = connection.execute(
        "SELECT slot_ns FROM pending_slot WHERE site = ? AND slot_ns >= ? AND slot_ns < ? ORDER BY slot_ns",
        (site, day_ns, min(day_ns + DAY_NS, upkeep.last_closed(now_ns) + 1)),
    )
    return [slot for (slot,) in rows]
