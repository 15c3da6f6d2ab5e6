"""Connections to the store's file: how they are set up, and their errors in the words of the store."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from telemetry import write_ahead
from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from telemetry.store.sqlite.turns import Turns

BUSY_MS: Final = 10_000
PAGE_BYTES: Final = 8192  # a report with its payload is about 3 kB: two fit a page


def connect_writer(path: Path) -> sqlite3.Connection:
    """A connection that writes: WAL, and every commit on the disk before it returns."""
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        write_ahead.switch_on(connection, BUSY_MS)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=67108864")
        return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads.

    Raises:
        StoreError: there is no such file, or it is no database.
    """
    with translated(path):
        if not path.exists():
            raise StoreError(f"{path}: there is no report store here; a collector makes it")
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
        )
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        connection.execute("PRAGMA query_only=1")
        return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the file system as `StoreError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: {error}") from error


@contextmanager
def transaction(
    connection: sqlite3.Connection, path: Path, kind: str = "IMMEDIATE", *, turns: Turns | None = None
) -> Iterator[None]:
    """All or nothing: commits at the end, rolls back on any error. A DEFERRED one is a stable view for reads.

    With `turns` it is a writing one that begins when its turn has come among the processes that write to the file.
    """
    with translated(path):
        if turns is None:
            connection.execute(f"BEGIN {kind}")
        else:
            turns.begin(connection, BUSY_MS)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
