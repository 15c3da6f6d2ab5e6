"""The report store beside a plain table of one row a window, in the same run."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench import _store_data as data
from telemetry.store.assembly import Origin, table_of
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS
from telemetry.store.protocol import Fate, Selection
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telemetry.store.tables import StreamTable

BATCH: Final = 500
SITES: Final = tuple(f"site-{n:02d}" for n in range(20))
WINDOWS: Final = 300
DAYS: Final = 7
ROLLUP_SITES: Final = SITES[:4]
ROLLUP_DAYS: Final = 56
_VALUES: Final = (*COUNT_COLUMNS, *FLOAT_COLUMNS)


class PlainTable:
    """The alternative: a row a window, all values in columns, no histograms, duplicates told by the key."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        columns = ", ".join(f"{name} {'REAL' if name in FLOAT_COLUMNS else 'INTEGER'}" for name in _VALUES)
        self.connection.execute(
            f"CREATE TABLE stream (site TEXT, path TEXT, start_ns INTEGER, received_ns INTEGER, {columns},"
            " PRIMARY KEY (site, path, start_ns)) WITHOUT ROWID"
        )

    def append_all(self, tables: Sequence[StreamTable]) -> None:
        """One durable transaction each."""
        for table in tables:
            self.append(table)

    def append(self, table: StreamTable) -> None:
        """One durable transaction; NaN goes in as NULL by itself."""
        columns = [table.columns[name].tolist() for name in ("start_ns", "received_ns", *_VALUES)]
        sites = [table.sites[i] for i in table.columns["site"].tolist()]
        paths = [table.paths[i] for i in table.columns["path"].tolist()]
        marks = ", ".join("?" * (4 + len(_VALUES)))
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            f"INSERT OR IGNORE INTO stream VALUES ({marks})", zip(sites, paths, *columns, strict=True)
        )
        self.connection.execute("COMMIT")

    def read(self, site: str) -> np.ndarray[Any, Any]:
        """All of a site as one array."""
        rows = self.connection.execute("SELECT * FROM stream WHERE site = ?", (site,)).fetchall()
        return np.array([row[2:] for row in rows], np.float64)


def _timed(work: Callable[[], object]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Appends, reads of a site's week, and roll-ups; a row is a window of one path."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            **_appending(Path(folder), progress),
            **_week(Path(folder), progress),
            **_rollups(Path(folder), progress),
        }


def _appending(folder: Path, progress: Callable[[str], None]) -> dict[str, object]:
    progress(f"{len(SITES) * WINDOWS} reports of two paths, in batches of {BATCH}")
    reports = data.reports(SITES, WINDOWS)
    batches = [reports[i : i + BATCH] for i in range(0, len(reports), BATCH)]
    tables = [table_of((r.envelope, Origin(r.received_ns)) for r in batch) for batch in batches]
    rows = sum(map(len, tables))
    plain = PlainTable(folder / "plain.db")
    with closing(SqliteStore(folder / "append.db")) as store, closing(plain.connection):
        ours, fates = _timed(lambda: [store.append(batch) for batch in batches])
        assert all(fate is Fate.STORED for some in fates for fate in some)
        again, _ = _timed(lambda: [store.append(batch) for batch in batches])
        theirs, _ = _timed(lambda: plain.append_all(tables))
        upkeep, pieces = _timed(lambda: _maintain(store))
    return {
        "append_reports_per_s": len(reports) / ours,
        "append_rows_per_s": rows / ours,
        "plain_rows_per_s": rows / theirs,
        "append_ratio": theirs / ours,
        "duplicates_reports_per_s": len(reports) / again,
        "upkeep_ms_per_piece": 1e3 * upkeep / pieces,
    }


def _maintain(store: SqliteStore) -> int:
    pieces = 0
    while done := store.maintain(data.T0 + DAY_NS + 2 * HOUR_NS):
        pieces += done
    return pieces


def _week(folder: Path, progress: Callable[[str], None]) -> dict[str, object]:
    progress(f"{DAYS} days of a site, two paths")
    table = data.windows(SITES[:1], DAYS)
    span = Selection(data.T0, data.T0 + DAYS * DAY_NS, sites=SITES[:1])
    plain = PlainTable(folder / "week_plain.db")
    with closing(SqliteStore(folder / "week.db")) as store, closing(plain.connection):
        taken, _ = _timed(lambda: store.import_streams(table))
        plain.append(table)
        whole, found = _timed(lambda: store.streams(span))
        values, _ = _timed(lambda: store.streams(span, histograms=False))
        few, _ = _timed(lambda: store.streams(span, histograms=False, columns=("sent", "lost", "rtt_p95_ms")))
        theirs, rows = _timed(lambda: plain.read(SITES[0]))
        assert len(found) == len(rows) == len(table)
        blocks = _part_bytes(store)
    return {
        "week_rows": len(table),
        "week_import_s": taken,
        "week_read_all_ms": 1e3 * whole,
        "week_read_values_ms": 1e3 * values,
        "week_read_three_columns_ms": 1e3 * few,
        "week_plain_read_ms": 1e3 * theirs,
        "week_read_ratio": theirs / values,
        "week_block_bytes_per_row": blocks / len(table),
    }


def _part_bytes(store: SqliteStore) -> int:
    total: int = store._connection.execute("SELECT sum(length(data)) FROM part").fetchone()[0]  # noqa: SLF001
    return total


def _rollups(folder: Path, progress: Callable[[str], None]) -> dict[str, object]:
    progress(f"{ROLLUP_DAYS} days of roll-ups of {len(ROLLUP_SITES)} sites, two paths")
    table = data.rollups(ROLLUP_SITES, ROLLUP_DAYS)
    span = Selection(data.T0, data.T0 + ROLLUP_DAYS * DAY_NS)
    few = ("sent", "lost", "rtt_p95_ms")
    with closing(SqliteStore(folder / "rollups.db")) as store:
        taken, _ = _timed(lambda: store.import_rollups(table))
        whole, found = _timed(lambda: store.rollups(span))
        assert len(found) == len(table)
        values, _ = _timed(lambda: store.rollups(span, histograms=False))
        narrow, _ = _timed(lambda: store.rollups(span, histograms=False, columns=few, window_values=()))
        blocks = _part_bytes(store)
    return {
        "rollup_slots": len(table),
        "rollup_import_slots_per_s": len(table) / taken,
        "rollup_read_all_slots_per_s": len(table) / whole,
        "rollup_read_values_slots_per_s": len(table) / values,
        "rollup_read_three_columns_slots_per_s": len(table) / narrow,
        "rollup_block_bytes_per_slot": blocks / len(table),
    }
