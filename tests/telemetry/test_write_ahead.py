"""A file that several parts of a hub make at the same moment is made by one and opened by all."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from telemetry import write_ahead
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path


def other(path: Path) -> sqlite3.Connection:
    """A process that is about to write a file that is not yet written ahead."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    return connection


@pytest.mark.parametrize("made", [StateDb, SqliteStore])
def test_who_opens_a_file_that_another_is_making_waits_for_it(tmp_path: Path, made: Any) -> None:
    """SQLite refuses the switch at once, whatever its busy timeout is; the collector or the watch would not start."""
    path = tmp_path / "made.db"
    with closing(other(path)) as holding:
        with closing(sqlite3.connect(path, timeout=60.0)) as plain, pytest.raises(sqlite3.OperationalError):
            plain.execute("PRAGMA journal_mode=WAL")
        ended = threading.Timer(0.3, holding.execute, ["COMMIT"])
        ended.start()
        with closing(made(path)):
            pass
        ended.join()
    with closing(sqlite3.connect(path)) as asked:
        assert asked.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_it_does_not_wait_for_ever_nor_for_another_trouble(tmp_path: Path) -> None:
    """A file that stays held is said to be locked; one that is no database is said to be so at once."""
    held = tmp_path / "held.db"
    with (
        closing(other(held)),
        closing(sqlite3.connect(held)) as waiting,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        write_ahead.switch_on(waiting, within_ms=50)
    (tmp_path / "text.db").write_text("no database, " * 100, encoding="ascii")
    with closing(sqlite3.connect(tmp_path / "text.db")) as wrong, pytest.raises(sqlite3.DatabaseError):
        write_ahead.switch_on(wrong, within_ms=3_600_000)
