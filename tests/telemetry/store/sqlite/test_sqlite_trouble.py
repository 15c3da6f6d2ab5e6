"""Trouble with the file: said in one line, and nothing half done."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from telemetry.store.errors import StoreError
from telemetry.store.protocol import Fate
from telemetry.store.sqlite import SqliteReader, SqliteStore, recent, schema
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteStore]:
    one = SqliteStore(tmp_path / "reports.db")
    yield one
    one.close()


def all_upkeep(store, now_ns) -> None:
    while store.maintain(now_ns):
        pass


def test_a_full_disk_leaves_nothing_half_done(store, fleet, everything) -> None:
    """The whole batch is refused, what was there is there, and the same batch goes in once there is room."""
    store.append(fleet.hours(["agra"], range(3)))
    cursor = store.tail(0)[0]
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages + 2}")
    batch = fleet.hours(["agra", "etah"], range(3, 60))
    with pytest.raises(StoreError, match=r"reports\.db: database or disk is full"):
        store.append(batch)
    assert len(store.streams(everything)) == 6
    assert list(store.received("agra", "p1")[fleet.epoch]) == [(1, 3)]
    assert store.received("etah", "p1") == {}
    assert store.tail(cursor)[0] == cursor
    store._connection.execute("PRAGMA max_page_count=1000000")
    assert store.append(batch) == [Fate.STORED] * len(batch)


def test_upkeep_on_a_full_disk_leaves_nothing_half_done(store, fleet, rows, expected, everything) -> None:
    """A fold that finds no room changes nothing, and succeeds later."""
    reports = fleet.hours(["agra", "etah"], range(0, 400, 3))
    store.append(reports)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="full"):
        all_upkeep(store, fleet.t0 + 9 * HOUR_NS)
    assert rows(store.streams(everything)) == expected(reports)
    store._connection.execute("PRAGMA max_page_count=1000000")
    all_upkeep(store, fleet.t0 + 9 * HOUR_NS)
    assert rows(store.streams(everything)) == expected(reports)


def test_an_error_in_the_middle_of_a_batch_leaves_the_ledger_as_it_was(store, fleet, monkeypatch) -> None:
    """The ledger in memory does not run ahead of the file: what failed is taken when it comes again."""
    batch = fleet.hours(["agra"], range(5))
    with monkeypatch.context() as patch:

        def fail(*_: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        patch.setattr(recent, "insert", fail)
        with pytest.raises(StoreError, match="disk I/O error"):
            store.append(batch)
    assert store.append(batch) == [Fate.STORED] * 5


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path) -> None:
    """One line that says which file."""
    file = tmp_path / "reports.db"
    file.write_bytes(b"this is no database, it is a letter to the editor" * 400)
    for opened in (SqliteStore, SqliteReader):
        with pytest.raises(StoreError, match=r"reports\.db: file is not a database"):
            opened(file)


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path) -> None:
    """A file where the folder should be."""
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreError, match="data"):
        SqliteStore(tmp_path / "data" / "reports.db")


def test_a_damaged_block_is_said_and_does_not_hide_other_sites(store, fleet, everything) -> None:
    """A read that meets damage fails with the reason; reads elsewhere go on."""
    store.append(fleet.hours(["agra", "etah"], range(10)))
    all_upkeep(store, fleet.t0 + 9 * HOUR_NS)
    store._connection.execute(
        "UPDATE part SET data = substr(data, 1, length(data) / 2)"
        " WHERE id / 32 = (SELECT id FROM block WHERE site = 'agra' AND kind = 0)"
    )
    with pytest.raises(StoreError, match="damaged"):
        store.streams(everything)
    assert len(store.streams(replace(everything, sites=("etah",)))) == 20


def test_a_file_of_a_newer_version_is_left_alone(tmp_path) -> None:
    """An older program does not touch what a newer one wrote."""
    SqliteStore(tmp_path / "reports.db").close()
    with sqlite3.connect(tmp_path / "reports.db") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    for opened in (SqliteStore, SqliteReader):
        with pytest.raises(StoreError, match=f"format 99, this version knows up to {len(schema.MIGRATIONS)}"):
            opened(tmp_path / "reports.db")


def test_a_migration_that_breaks_off_is_taken_up_again(tmp_path, monkeypatch, fleet, everything) -> None:
    """Each step is all or nothing: after a failure in the last the others hold, and the next start goes on."""
    file = tmp_path / "reports.db"
    with SqliteStore(file)._connection as connection:
        assert schema.version_of(connection) == len(schema.MIGRATIONS)
    connection.close()
    steps = schema.MIGRATIONS
    broken = (*steps, "CREATE TABLE note (text TEXT); CREATE TABLE note (again TEXT)")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(StoreError, match="already exists"):
            SqliteStore(file)
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(steps),)
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'note'").fetchall() == []
    connection.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*steps, "CREATE TABLE note (text TEXT)"))
    store = SqliteStore(file)
    assert schema.version_of(store._connection) == len(steps) + 1
    store.append(fleet.hours(["agra"], range(2)))
    assert len(store.streams(everything)) == 4
    store.close()


def test_commits_are_durable_and_readers_never_wait(store) -> None:
    """Write-ahead log, and every commit on the disk before `append` returns."""
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
