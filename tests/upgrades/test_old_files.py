"""Files of every released schema come up to today's, whoever is killed on the way, and read the same."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from probes.publishing.spool import Spool
from telemetry.state import migrations
from telemetry.state.beliefs import Believed
from telemetry.state.db import StateDb
from telemetry.store.derived import DerivedDays
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader, SqliteStore, schema
from telemetry.store.sqlite.inspection import inspect
from tests.keeping.killing import runs_through, stop_syncing
from tests.upgrades import record_store
from tests.upgrades.recordings import RECORDED, expected, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVERYTHING = Selection(record_store.FIRST_NS, record_store.FIRST_NS + 4 * record_store.HOUR_NS)


def at_every_statement(step: Callable[[], None]) -> None:
    """From now on every connection of this process takes a step before each statement, scripts' too."""
    connect = sqlite3.connect

    def connected(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **named)
        connection.set_trace_callback(lambda _statement: step())
        return connection

    sqlite3.connect = connected


def killed_at_each(recorded: Path, work: Callable[[Path], None], check: Callable[[Path], None]) -> int:
    """Open a file and be killed at its first statement, its second …; after each, whole again. How often."""
    file = recorded.with_name("killed.db")

    def opening(step: Callable[[], None]) -> None:
        at_every_statement(step)
        work(file)

    at = 0
    while True:
        for path in file.parent.glob("killed.db*"):
            path.unlink()
        shutil.copyfile(recorded, file)
        at += 1
        if runs_through(opening, at):
            return at - 1
        work(file)
        check(file)


def schema_of(path: Path) -> list[tuple[str, str]]:
    """Every table and index as SQLite keeps it."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql != '' ORDER BY name"
        ).fetchall()


def all_rows(path: Path, tables: list[str]) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables
        }


def opens_state(path: Path) -> None:
    StateDb(path).close()


def opens_store(path: Path) -> None:
    SqliteStore(path).close()


def test_the_first_releases_store_reads_the_same_numbers_today(tmp_path: Path) -> None:
    """Every column, histogram, item, hole and number, to the bit, as its own reader read them."""
    path = put("reports.db", tmp_path / "reports.db")
    with closing(SqliteStore(path)) as store:
        assert schema.version_of(store._connection) == len(schema.MIGRATIONS)
        read = json.loads(json.dumps(record_store.read(store, EVERYTHING)))
    wanted = expected()
    assert {name: read[name] for name in wanted} == wanted
    assert read["windows"] == 1968
    assert inspect(path).faults == ()


def test_the_first_releases_store_takes_reports_and_upkeep_today(tmp_path: Path) -> None:
    """The last minutes are folded by today's program, and read the same."""
    path = put("reports.db", tmp_path / "reports.db")
    with closing(SqliteStore(path)) as store:
        assert store._connection.execute("SELECT count(*) FROM report").fetchone()[0] > 0
        while store.maintain(2**62):
            pass
        assert store._connection.execute("SELECT count(*) FROM report").fetchone() == (0,)
        read = json.loads(json.dumps(record_store.read(store, EVERYTHING)))
    names = ("stream_columns", "stream_histograms", "items", "holes", "received")
    assert {name: read[name] for name in names} == {name: expected()[name] for name in names}
    assert inspect(path).faults == ()


def test_the_upgrade_of_a_store_is_killed_at_every_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start goes on, and no row is lost."""
    stop_syncing(monkeypatch)
    opens_store(tmp_path / "fresh.db")
    path = put("reports.db", tmp_path / "reports.db")
    tables = ["report", "part", "ledger", "tombstone", "contact"]
    before, fresh = all_rows(path, tables), schema_of(tmp_path / "fresh.db")

    def check(file: Path) -> None:
        assert schema_of(file) == fresh
        assert all_rows(file, tables) == before

    assert killed_at_each(path, opens_store, check) > 5


def test_the_upgrade_of_decisions_is_killed_at_every_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first release's file, with what its hub had decided, through all steps."""
    stop_syncing(monkeypatch)
    opens_state(tmp_path / "fresh.db")
    path = put("state.db", tmp_path / "state.db")
    tables = ["presence", "plan", "heartbeat"]
    before, fresh = all_rows(path, tables), schema_of(tmp_path / "fresh.db")
    assert len(before["presence"]) == 2

    def check(file: Path) -> None:
        assert sorted(name for name, _ in schema_of(file)) == sorted(name for name, _ in fresh)
        assert all_rows(file, tables) == before

    assert killed_at_each(path, opens_state, check) > 40


@pytest.mark.parametrize("released", range(1, len(migrations.MIGRATIONS) + 1))
def test_decisions_of_every_released_schema_come_up_to_today(tmp_path: Path, released: int) -> None:
    """With the same tables, columns and indexes as a file that is made today, and every row."""
    path = put("state.db", tmp_path / "state.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for number, name in enumerate(migrations.MIGRATIONS[1:released], start=2):
            for statement in migrations.script(name):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number}")
        connection.execute("INSERT INTO lease VALUES ('watch', 'one', 7)")
    before = all_rows(path, ["presence", "plan", "lease"])
    opens_state(tmp_path / "fresh.db")
    with closing(StateDb(path)) as state:
        assert sorted(site for site, _ in state.presence()) == ["agra", "etah"]
    assert columns_of(path) == columns_of(tmp_path / "fresh.db")
    assert all_rows(path, ["presence", "plan", "lease"]) == before


def test_after_the_upgrade_beliefs_are_kept(tmp_path: Path) -> None:
    """Of a file that knew of none: nobody has been believed yet, and what is put down is there at the next start; nobody is woken for it."""
    path = put("state.db", tmp_path / "state.db")
    believed = Believed(site="agra", path="main.state", at_ns=30, spent=1.5, windows_ns=(15, 30))
    with closing(StateDb(path)) as state:
        assert state.beliefs() == []
        before = state.revision()
        state.put_beliefs([believed])
        assert state.revision() == before
    with closing(StateDb(path)) as state:
        assert state.beliefs() == [believed]
        state.put_beliefs([])
        assert state.beliefs() == []


def test_after_the_upgrade_the_spans_of_imports_are_kept(tmp_path: Path) -> None:
    """Of a file that knew of none; what overlaps or touches is one span, and twice is once."""
    path = put("state.db", tmp_path / "state.db")
    with closing(StateDb(path)) as state:
        assert state.imported() == {}
        before = state.revision()
        for span in ((10, 20), (40, 50), (10, 20), (20, 25), (48, 60)):
            state.put_imported({"agra": span})
        state.put_imported({"etah": (1, 2), "agra": (70, 80)})
        assert state.revision() == before
    with closing(StateDb(path)) as state:
        assert state.imported() == {"agra": [(10, 25), (40, 60), (70, 80)], "etah": [(1, 2)]}
        state.put_imported({"agra": (5, 75)})
        assert state.imported() == {"agra": [(5, 80)], "etah": [(1, 2)]}


def columns_of(path: Path) -> dict[str, list[Any]]:
    """By table or index, its columns as SQLite understands them, whatever text made them."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT type, name FROM sqlite_master WHERE sql != ''").fetchall()
        return {
            name: connection.execute(
                f"PRAGMA {'table' if kind == 'table' else 'index'}_info({name})"
            ).fetchall()
            for kind, name in names
        }


def test_the_upgrade_of_a_spool_is_killed_at_every_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits at the office waits on, under its numbers."""
    stop_syncing(monkeypatch)
    path = put("spool.db", tmp_path / "spool.db")

    def work(file: Path) -> None:
        spool = Spool(file, site="agra", probe="p1")
        assert (spool.next_seq, spool.reports, spool.plan()) == (3, 2, b'{"valid_until_ns":1}')
        spool.close()

    def check(file: Path) -> None:
        before, after = all_rows(path, ["report"]), all_rows(file, ["report"])
        assert after == before
        assert len(after["report"]) == 2

    assert killed_at_each(path, work, check) > 5


def test_files_of_a_newer_version_are_refused_in_one_line(tmp_path: Path) -> None:
    """Each says which file and what to do; what may be made anew is made anew."""
    for name, opened in (("reports.db", SqliteStore), ("reports.db", SqliteReader), ("state.db", StateDb)):
        path = put(name, tmp_path / name)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version=99")
        with pytest.raises(
            Exception, match=r"the file has format 99, this version knows up to \d+; use the newer version$"
        ):
            opened(path)
    with closing(sqlite3.connect(tmp_path / "derived.db")) as connection:
        connection.execute("PRAGMA user_version=99")
    days = DerivedDays(tmp_path / "derived.db")
    days.put("agra", "kind", {1: (1, b"x")}, 0)
    assert days.get("agra", "kind", {1: 1}) == {1: b"x"}
    days.close()


def test_a_released_step_is_never_edited() -> None:
    """A change is a new step; whoever releases one adds its digest here."""
    pinned = json.loads((RECORDED / "steps.json").read_text("utf-8"))
    state = {name: _digest(migrations.script(name)) for name in migrations.MIGRATIONS}
    store = {
        str(number): _digest(schema.statements(step)) for number, step in enumerate(schema.MIGRATIONS, 1)
    }
    assert {name: state[name] for name in pinned["state"]} == pinned["state"]
    assert {number: store[number] for number in pinned["store"]} == pinned["store"]


def _digest(statements: list[str]) -> str:
    return sha256("\n".join(statements).encode()).hexdigest()
