"""Databases copied as of one moment while other processes write to them.

A read transaction is begun on every one, within milliseconds; each is then copied page by page by SQLite's online backup
through that same transaction, so that no commit in between makes it begin again. Writers are not held up (write-ahead
log); what they write meanwhile stays in the log until the copy is done, which costs disk space for so long.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final, Self

from tatpar.store.backups.manifest import BackupError
from telemetry.store.sqlite.inspection import damage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PAGES_AT_ONCE: Final = 2048
BUSY_MS: Final = 10_000


class Moment:
    """Open read transactions on several databases; leave it to end them."""

    def __init__(self, databases: Sequence[Path]) -> None:
        self._paths = databases
        self._open: dict[Path, sqlite3.Connection] = {}
        self.at_ns = 0
        self.spread_ms = 0.0
        """Between the first and the last transaction's beginning."""

    def __enter__(self) -> Self:
        try:
            for path in self._paths:
                self._open[path] = _connected(path)
            begun = time.monotonic_ns()
            self.at_ns = time.time_ns()
            for path, connection in self._open.items():
                with_path(path, connection, "SELECT count(*) FROM sqlite_master")
            self.spread_ms = (time.monotonic_ns() - begun) / 1e6
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def bytes(self, path: Path) -> int:
        """How large the copy of a database will be."""
        (pages,) = with_path(path, self._open[path], "PRAGMA page_count")
        (size,) = with_path(path, self._open[path], "PRAGMA page_size")
        return pages * size

    def copy(self, path: Path, target: Path, progress: Callable[[int], None]) -> int:
        """Copy one, to a single file that is on the disk on return; its schema's number.

        Args:
            path: which of them.
            target: where to; it must not be there yet.
            progress: told how many bytes were copied since it was last told.

        Raises:
            BackupError: it cannot be read, or the copy cannot be written.
        """
        size = self.bytes(path) or 1
        done = 0

        def told(_status: int, remaining: int, total: int) -> None:
            nonlocal done
            now = round(size * (total - remaining) / max(total, 1))
            progress(max(now - done, 0))
            done = now

        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.close(descriptor)
            copied = sqlite3.connect(target, isolation_level=None)
            try:
                copied.execute("PRAGMA synchronous=OFF")
                self._open[path].backup(copied, pages=PAGES_AT_ONCE, progress=told, sleep=0)
                copied.execute("PRAGMA journal_mode=DELETE")  # one file; whoever opens it makes it WAL again
                schema = int(copied.execute("PRAGMA user_version").fetchone()[0])
            finally:
                copied.close()
            on_disk(target)
        except (sqlite3.Error, OSError) as error:
            raise BackupError(f"{target}: {error}") from error
        progress(max(size - done, 0))
        return schema


def with_path(path: Path, connection: sqlite3.Connection, query: str) -> tuple[int, ...]:
    """The one row of a query.

    Raises:
        BackupError: with the name of the file.
    """
    try:
        row: tuple[int, ...] = connection.execute(query).fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"{path}: {error}") from error
    return row


def fault_of(copied: Path) -> str:
    """The first thing that SQLite finds wrong with a copy that nobody writes to; empty for none."""
    try:
        uri = f"{copied.absolute().as_uri()}?immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return next(damage(connection), "")
    except sqlite3.Error as error:
        return str(error)


def _connected(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        connection.execute("PRAGMA query_only=1")
        connection.execute("BEGIN")
    except sqlite3.Error as error:
        raise BackupError(f"{path}: {error}") from error
    return connection


def on_disk(path: Path) -> None:
    """See that a file, or what is in a folder, outlives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
