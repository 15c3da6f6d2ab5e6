"""What was worked out of whole days of roll-ups, kept beside the store: a file that may be deleted at any time.

A row stands for one site, one day and one kind of figures, and holds under which mark of the day's block it was worked
out. The store draws another mark whenever it writes the day, so a row of another mark is out of date and is not given;
who asks for it works it out again. Every row carries a checksum, and what is damaged is thrown away and counted.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import zstandard

from telemetry import write_ahead

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log: Final = logging.getLogger(__name__)

FILE: Final = "derived.db"
FORMAT: Final = 1
PAGE_BYTES: Final = 32_768  # a day of an office is some 10 kB: a few to the page
BUSY_MS: Final = 2_000
MOST_KINDS: Final = 6
"""Of one day of a site: limits that nobody asks for any longer make room."""
LEAST_FREE_BYTES: Final = 1 << 30
"""With less room on the disk nothing is kept: reports need it."""

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS derived (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        site TEXT NOT NULL,
        kind TEXT NOT NULL,
        day_ns INTEGER NOT NULL,
        mark INTEGER NOT NULL,   -- of the block that it was worked out of
        data BLOB NOT NULL,      -- zstd with a checksum
        UNIQUE (site, kind, day_ns)
    )
"""


@dataclass(slots=True)
class DerivedCounts:
    """What became of the days that were asked for, and of those that were to be kept."""

    found: int = 0
    missing: int = 0
    stale: int = 0
    """The day was written since: late reports, or an import."""
    damaged: int = 0
    kept: int = 0
    not_kept: int = 0
    """The file could not be written, or the disk is nearly full."""


@runtime_checkable
class Deriving(Protocol):
    """A store that knows when a day of roll-ups changed, and keeps what was worked out of it until then."""

    @property
    def derived(self) -> DerivedDays:
        """What is kept."""
        ...

    def day_marks(self, site: str, start_ns: int, end_ns: int) -> Mapping[int, int]:
        """By its start, the mark of each day of roll-ups of a site that overlaps a span: another one after every writing.

        Read it before the roll-ups themselves: what is then kept under it can be newer than its mark, never older.
        """
        ...


class DerivedDays:
    """The file. Trouble with it is never an error: what cannot be read is worked out again. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened before it is needed."""
        self.counts = DerivedCounts()
        self._path = path
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._squeeze = zstandard.ZstdCompressor(level=1, write_checksum=True)
        self._expand = zstandard.ZstdDecompressor()

    def get(self, site: str, kind: str, marks: Mapping[int, int]) -> dict[int, bytes]:
        """By day, what is kept of a site under these marks (by day); days that are not there are left out."""
        if not marks:
            return {}
        with self._lock:
            rows = self._rows(site, kind, min(marks), max(marks))
            out: dict[int, bytes] = {}
            for day_ns, mark, data in rows:
                if day_ns not in marks:
                    continue
                if marks[day_ns] != mark:
                    self.counts.stale += 1
                    continue
                with suppress(zstandard.ZstdError):
                    out[day_ns] = self._expand.decompress(data)
                    continue
                self._damaged(site, day_ns)
            self.counts.found += len(out)
            self.counts.missing += len(marks) - len(out)
        return out

    def put(self, site: str, kind: str, days: Mapping[int, tuple[int, bytes]], first_ns: int) -> None:
        """Keep by day what was worked out under a mark; what is kept of the site before `first_ns` goes."""
        with self._lock:
            try:
                if shutil.disk_usage(self._path.parent).free < LEAST_FREE_BYTES:
                    self.counts.not_kept += len(days)
                    return
                connection = self._opened(make=True)
                if connection is None:
                    return
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(
                    "INSERT INTO derived (site, kind, day_ns, mark, data) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET mark = excluded.mark, data = excluded.data",
                    [
                        (site, kind, day_ns, mark, self._squeeze.compress(data))
                        for day_ns, (mark, data) in days.items()
                    ],
                )
                connection.execute("DELETE FROM derived WHERE site = ? AND day_ns < ?", (site, first_ns))
                self._forget_old_kinds(connection, site, kind)
                connection.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                self._give_up(error)
                self.counts.not_kept += len(days)
            else:
                self.counts.kept += len(days)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _rows(self, site: str, kind: str, first_ns: int, last_ns: int) -> list[tuple[int, int, bytes]]:
        try:
            connection = self._opened(make=False)
            if connection is None:
                return []
            return connection.execute(
                "SELECT day_ns, mark, data FROM derived"
                " WHERE site = ? AND kind = ? AND day_ns BETWEEN ? AND ? ORDER BY day_ns",
                (site, kind, first_ns, last_ns),
            ).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    @staticmethod
    def _forget_old_kinds(connection: sqlite3.Connection, site: str, kind: str) -> None:
        """Of the site's kinds those that were kept anew longest ago, but for the newest few."""
        kinds = connection.execute(
            "SELECT kind FROM derived WHERE site = ? AND kind != ? GROUP BY kind ORDER BY max(id) DESC",
            (site, kind),
        ).fetchall()
        for (old,) in kinds[MOST_KINDS - 1 :]:
            connection.execute("DELETE FROM derived WHERE site = ? AND kind = ?", (site, old))

    def _opened(self, *, make: bool) -> sqlite3.Connection | None:
        """The connection; None where there is no file and none is to be made."""
        if self._connection is not None:
            return self._connection
        if not make and not self._path.exists():
            return None
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            if connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
                connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
                write_ahead.switch_on(connection, BUSY_MS)
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DROP TABLE IF EXISTS derived")
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA user_version={FORMAT}")
                connection.execute("COMMIT")
            connection.execute(
                "PRAGMA synchronous=OFF"
            )  # a row that did not reach the disk whole is found out
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _damaged(self, site: str, day_ns: int) -> None:
        self.counts.damaged += 1
        if self.counts.damaged > 1:  # told once
            return
        log.warning(
            "%s: what is kept of %s is damaged in one day; it is worked out again",
            self._path.name,
            site,
            extra={"event": "derived.damaged", "site": site, "day_ns": day_ns},
        )

    def _give_up(self, error: Exception) -> None:
        """The file is of no use now; a broken one is put away, so that another is made."""
        with suppress(sqlite3.Error):
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        if not broken:
            return
        self.counts.damaged += 1
        self.close()
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(self._path.name + ending).unlink()
        log.warning(
            "%s: the file is damaged (%s); it is made anew",
            self._path.name,
            error,
            extra={"event": "derived.made-anew", "reason": str(error)},
        )
