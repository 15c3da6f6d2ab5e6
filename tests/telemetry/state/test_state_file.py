"""The file of the state database: made, upgraded, shared, in trouble."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from telemetry.alerting import Post
from telemetry.state import migrations
from telemetry.state.db import StateDb
from telemetry.state.errors import StateError


def test_a_new_file_is_made_with_its_folder_and_all_steps(file) -> None:
    """From empty to the present version; opening again changes nothing."""
    state = StateDb(file)
    assert state._connection.execute("PRAGMA user_version").fetchone() == (len(migrations.MIGRATIONS),)
    before = state._connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    state.beat("watch", 1, {})
    assert {one.stat().st_mode & 0o777 for one in file.parent.glob(f"{file.name}*")} == {0o600}
    state.close()
    again = StateDb(file)
    assert again._connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before
    assert "watch" in again.beats()
    again.close()


def test_a_step_that_breaks_off_is_taken_up_again(file, monkeypatch) -> None:
    """A step is all or nothing: a half of it is never seen, and the next start goes on from there."""
    StateDb(file).close()
    released = len(migrations.MIGRATIONS)
    steps = {"next.sql": ["CREATE TABLE note (text TEXT)", "CREATE TABLE note (again TEXT)"]}
    original = migrations.script
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, "next.sql"))
    monkeypatch.setattr(migrations, "script", lambda name: steps.get(name) or original(name))
    with pytest.raises(StateError, match="already exists"):
        StateDb(file)
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA user_version").fetchone() == (released,)
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'note'").fetchall() == []
    connection.close()
    steps["next.sql"].pop()
    state = StateDb(file)
    assert state._connection.execute("PRAGMA user_version").fetchone() == (released + 1,)
    state.close()


def test_many_openings_at_once_make_one_file(file) -> None:
    """Processes that start together do not trip over each other's steps."""
    failures: list[Exception] = []

    def work() -> None:
        try:
            StateDb(file).close()
        except StateError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_file_of_a_newer_version_is_left_alone(file) -> None:
    """One line that says what to do."""
    StateDb(file).close()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StateError, match=r"state\.db: the file has format 99, .* use the newer version"):
        StateDb(file)


def test_a_file_that_is_no_database_is_refused_by_name(file) -> None:
    """One line that says which file."""
    file.parent.mkdir()
    file.write_bytes(b"this is no database, it is a letter to the editor" * 400)
    with pytest.raises(StateError, match=r"state\.db: file is not a database"):
        StateDb(file)


def test_a_change_that_fails_changes_nothing(state, verdict) -> None:
    """A full disk in the middle of many verdicts leaves those before, and the revision."""
    state.put_verdicts([verdict()])
    before = state.revision()
    pages = state._connection.execute("PRAGMA page_count").fetchone()[0]
    state._connection.execute(f"PRAGMA max_page_count={pages + 1}")
    with pytest.raises(StateError, match="full"):
        state.put_verdicts([verdict(f"site-{n}") for n in range(2_000)])
    assert state.verdicts(0, 10_000) == [verdict()]
    assert state.revision() == before


def test_a_row_that_cannot_be_read_is_said(state, verdict) -> None:
    """Damage is an error of this database, not a crash elsewhere."""
    state.put_verdicts([verdict()])
    state._connection.execute("UPDATE verdict SET body = 'nonsense'")
    with pytest.raises(StateError, match="a stored Verdict cannot be read"):
        state.verdicts(0, 10_000)


def letter(key: str) -> Post:
    return Post(key=key, person="", channel="c", recipient="r", subject="s", body="b", due_ns=1)


def test_threads_may_share_one(state) -> None:
    """Changes from several threads at once are all there."""
    threads = [
        threading.Thread(target=lambda t=t: [state.post([letter(f"{t}-{n}")], n) for n in range(25)])
        for t in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(state.outbox(1_000)) == 100
