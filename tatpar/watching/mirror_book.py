"""What the mirror has told and what waits to be written: one small SQLite file, so that neither a crash nor a server that is away loses a point."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.store.sqlite.connection import transaction, translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from telemetry.store.server.decided import Point

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, digest TEXT NOT NULL, series TEXT NOT NULL,
    starts_s INTEGER NOT NULL, ends_s INTEGER NOT NULL, lane INTEGER NOT NULL, until_ns INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS told_by_time ON told (until_ns)",
    "CREATE TABLE IF NOT EXISTS waiting (id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS linked (region TEXT NOT NULL, day INTEGER NOT NULL, offices INTEGER NOT NULL,
    PRIMARY KEY (region, day)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class News:
    """A point under the key of what it speaks of, remembered until `until_ns`; without a key it is told whatever was told before."""

    key: str
    point: Point
    until_ns: int


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict that was told and may have to be taken back."""

    key: str
    series: str
    starts_s: int
    ends_s: int
    lane: int


class MirrorBook:
    """The file; one process at a time has it open."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            StoreError: it cannot be.
        """
        self._path = path
        with translated(self._path):
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA busy_timeout=10000")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            for statement in _TABLES:
                self._connection.execute(statement)

    def close(self) -> None:
        """Let go of the file."""
        with translated(self._path):
            self._connection.close()

    def mark(self, name: str) -> int:
        """How far something has been read; 0 at first."""
        with translated(self._path):
            row = self._connection.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def put(self, news: Sequence[News], marks: dict[str, int] | None = None) -> int:
        """Let what was not told yet wait, and move marks, all in one transaction; how many points are new."""
        with transaction(self._connection, self._path):
            new = sum(self._take(one) for one in news)
            self._connection.executemany("INSERT OR REPLACE INTO mark VALUES (?, ?)", (marks or {}).items())
        return new

    def _take(self, news: News) -> bool:
        point, values = news.point, dict(news.point.fields)
        if not news.key:
            self._connection.execute("INSERT INTO waiting (line) VALUES (?)", (point.line,))
            return True
        row = self._connection.execute("SELECT digest FROM told WHERE key = ?", (news.key,)).fetchone()
        if row is not None and row[0] == point.digest:
            return False
        told = (
            news.key,
            point.digest,
            point.series,
            values.get("starts_s") or 0,
            values.get("ends_s") or 0,
            point.time_ms % 1000,
            news.until_ns,
        )
        self._connection.execute("INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?, ?, ?)", told)
        self._connection.execute("INSERT INTO waiting (line) VALUES (?)", (point.line,))
        return True

    def told(self, kind: str, now_ns: int) -> list[Told]:
        """What was told under keys that begin with `kind` and is of interest still."""
        with translated(self._path):
            rows = self._connection.execute(
                "SELECT key, series, starts_s, ends_s, lane FROM told WHERE key >= ? AND key < ? AND until_ns > ?",
                (f"{kind}|", f"{kind}}}", now_ns),
            ).fetchall()
        return [Told(*row) for row in rows]

    def forget(self, now_ns: int) -> None:
        """Let go of what is of no interest any more; what waits stays."""
        with translated(self._path):
            self._connection.execute("DELETE FROM told WHERE until_ns <= ?", (now_ns,))

    def note_linked(self, day: int, offices: Mapping[str, int], kept_days: int) -> None:
        """How many offices of each region are linked on a day (since the Unix epoch); days older than `kept_days` are let go of."""
        with transaction(self._connection, self._path):
            rows = [(region, day, number) for region, number in offices.items()]
            self._connection.executemany("INSERT OR REPLACE INTO linked VALUES (?, ?, ?)", rows)
            self._connection.execute("DELETE FROM linked WHERE day < ?", (day - kept_days,))

    def linked_by_day(self) -> dict[str, dict[int, int]]:
        """What was noted, by region and day."""
        found: dict[str, dict[int, int]] = {}
        with translated(self._path):
            for region, day, offices in self._connection.execute("SELECT region, day, offices FROM linked"):
                found.setdefault(region, {})[day] = offices
        return found

    def waiting(self, after: int, limit: int) -> list[tuple[int, str]]:
        """The next lines to write behind a number, oldest first."""
        with translated(self._path):
            query = "SELECT id, line FROM waiting WHERE id > ? ORDER BY id LIMIT ?"
            return self._connection.execute(query, (after, limit)).fetchall()

    def written(self, through: int) -> None:
        """The server has the lines up to a number for good."""
        with translated(self._path):
            self._connection.execute("DELETE FROM waiting WHERE id <= ?", (through,))

    def length(self) -> int:
        """How many lines wait."""
        with translated(self._path):
            return int(self._connection.execute("SELECT count(*) FROM waiting").fetchone()[0])
