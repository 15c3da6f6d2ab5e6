"""The journal's reading half: what it still has, and since when it has everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from telemetry.store import assembly
from telemetry.store.protocol import Selection
from telemetry.store.server.journal import KEPT_FROM, ROLLUPS_FROM, Made, fact
from telemetry.store.sqlite import (
    SqliteReader,
    blocks,
    fold,
    items,
    recent,
    retention,
    rollups,
    streams,
)
from telemetry.store.sqlite.blocks import Kind
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from telemetry.messages import Envelope
    from telemetry.store.assembly import Origin
    from telemetry.store.sqlite.blocks import PackedItem
    from telemetry.store.tables import StreamTable


class Kept(NamedTuple):
    """Since when (ns) what is there: windows before `raw` and roll-ups before `rollups` are past their retention."""

    raw_ns: int
    rollups_ns: int
    journal_ns: int
    """Windows from here on are in the journal, every one; and roll-ups from the day of it on."""


class Waiting(NamedTuple):
    """What the server does not have yet."""

    last_commit: int
    oldest_received_ns: int | None
    rollups: int
    hours: int


class JournalReader(SqliteReader):
    """Reads the journal; every method sees one moment of it."""

    def identity(self) -> int:
        """The journal's name; 0 before a collector made it."""
        with self._view() as connection:
            return fact(connection, "identity")

    def kept(self) -> Kept:
        """Since when what is there."""
        with self._view() as connection:
            return Kept(
                retention.raw_from(connection), fact(connection, ROLLUPS_FROM), fact(connection, KEPT_FROM)
            )

    def sites(self, selection: Selection) -> tuple[str, ...]:
        """The sites of a selection that ever reported."""
        with self._view() as connection:
            return tuple(streams.sites_of(connection, selection))

    def windows(self, selection: Selection, columns: Sequence[str], *, histograms: bool) -> StreamTable:
        """The windows that the journal still has, with their commits."""
        with self._view() as connection:
            return streams.read(connection, selection, histograms=histograms, columns=columns)

    def rolled(self, selection: Selection, names: Sequence[str], *, histograms: bool) -> StreamTable:
        """The roll-ups that the journal still has, in the inner form; `as_of_ns` is left aside."""
        tables = [rollups.empty(names, histograms=histograms)]
        with self._view() as connection:
            for site in streams.sites_of(connection, selection):
                for block, _ in blocks.find(
                    connection, Kind.ROLLUPS, site, selection.start_ns, selection.end_ns
                ):
                    tables.append(rollups.read_day(connection, block, site, names, histograms=histograms))
        every = Selection(selection.start_ns, selection.end_ns, selection.sites, selection.paths)
        return assembly.selected(assembly.concatenate(tables), every)

    def packed_items(self, site: str, selection: Selection) -> list[PackedItem]:
        """The items of a site that are no streams, as far as the journal still has them."""
        where = "site = ? AND start_ns >= ? AND start_ns < ? AND kinds != '' ORDER BY start_ns, id"
        span = (site, selection.start_ns, selection.end_ns)
        with self._view() as connection:
            found = [
                item
                for block, _ in blocks.find(connection, Kind.WINDOWS, *span)
                for item in blocks.read_items(connection, block)
            ]
            return found + list(items.packed_items(recent.read_envelopes(connection, where, span)))

    def contacts(self, site: str, selection: Selection) -> list[tuple[str, int, int]]:
        """(probe, start, receipt) of the reports of a site that the journal still has."""
        span = (site, selection.start_ns, selection.end_ns)
        with self._view() as connection:
            found: list[tuple[str, int, int]] = connection.execute(
                "SELECT probe, start_ns, received_ns FROM report WHERE site = ? AND start_ns >= ? AND start_ns < ?",
                span,
            ).fetchall()
            for block, _ in blocks.find(connection, Kind.WINDOWS, *span):
                some = blocks.read_contacts(connection, block)
                probes = (some.probes[i] for i in some.probe.tolist())
                found += zip(probes, some.start_ns.tolist(), some.received_ns.tolist(), strict=True)
            return found

    def first_contacts(self, site: str, as_of_ns: int | None) -> list[tuple[str, int]]:
        """(probe, start of its first window) of the probes that had reported by then."""
        with self._view() as connection:
            return connection.execute(
                "SELECT probe, first_start_ns FROM contact WHERE site = ? AND first_received_ns <= ? ORDER BY probe",
                (site, 2**63 - 1 if as_of_ns is None else as_of_ns),
            ).fetchall()

    def lines(self, as_of_ns: int) -> set[tuple[str, str]]:
        """(site, path) of the lines that had a window by then."""
        with self._view() as connection:
            return set(
                connection.execute("SELECT site, path FROM line WHERE first_received_ns <= ?", (as_of_ns,))
            )

    def reports_after(self, cursor: int, limit: int) -> list[tuple[Envelope, Origin]]:
        """The reports of the commits behind a cursor, in order."""
        with self._view() as connection:
            return recent.read_envelopes(connection, "id > ? ORDER BY id LIMIT ?", (cursor, limit))

    def last_commit(self) -> int:
        """Number of the newest commit."""
        with self._view() as connection:
            return _last_commit(connection)

    def made_rollups(self, limit: int) -> list[Made]:
        """Slots that wait for the server, oldest first."""
        with self._view() as connection:
            rows = connection.execute(
                "SELECT site, slot_ns, version FROM ship_rollup WHERE shipped = 0 ORDER BY slot_ns LIMIT ?",
                (limit,),
            )
            return [Made(*row) for row in rows]

    def rollups_of(self, slots: Collection[Made]) -> tuple[StreamTable, NDArray[np.int64]]:
        """The roll-ups of slots, whole, in the inner form, and the version of each row."""
        versions = {(made.site, made.slot_ns): made.version for made in slots}
        tables = []
        with self._view() as connection:
            for site, day in sorted({(made.site, made.slot_ns // DAY_NS * DAY_NS) for made in slots}):
                found = rollups.whole_day(connection, site, day)
                if found is not None:
                    wanted = [(site, slot) in versions for slot in found.columns["start_ns"].tolist()]
                    tables.append(assembly.rows_where(found, np.array(wanted, np.bool_)))
        empty = rollups.empty(
            [name for name in tables[0].columns if name not in rollups.KEYS] if tables else (),
            histograms=True,
        )
        table = assembly.concatenate([empty, *tables])
        keys = zip(table.columns["site"].tolist(), table.columns["start_ns"].tolist(), strict=True)
        return table, np.array([versions[table.sites[site], slot] for site, slot in keys], np.int64)

    def changed_hours(self, limit: int) -> list[tuple[str, int]]:
        """Hours that wait for the server as a whole, oldest first."""
        with self._view() as connection:
            rows = connection.execute(
                "SELECT site, hour_ns FROM ship_hour ORDER BY hour_ns LIMIT ?", (limit,)
            )
            return [(site, hour) for site, hour in rows]

    def hour(self, site: str, hour_ns: int) -> fold.Hour | None:
        """All of an hour's block."""
        with self._view() as connection:
            for block, _ in blocks.find(connection, Kind.WINDOWS, site, hour_ns, hour_ns + 1):
                return fold.read(connection, block, site)
        return None

    def waiting(self, cursor: int) -> Waiting:
        """What the server does not have yet."""
        with self._view() as connection:
            oldest = connection.execute(
                "SELECT received_ns FROM report WHERE id > ? ORDER BY id LIMIT 1", (cursor,)
            ).fetchone()
            made = connection.execute("SELECT count(*) FROM ship_rollup WHERE shipped = 0").fetchone()[0]
            hours = connection.execute("SELECT count(*) FROM ship_hour").fetchone()[0]
            return Waiting(_last_commit(connection), None if oldest is None else oldest[0], made, hours)


def _last_commit(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'report'").fetchone()
    return 0 if row is None else int(row[0])
