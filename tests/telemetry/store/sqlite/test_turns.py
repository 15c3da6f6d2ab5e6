"""Several writers of one file: they take turns, and none that is stopped or killed holds up the others."""

from __future__ import annotations

import fcntl
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from telemetry.store.protocol import Fate
from telemetry.store.sqlite import SqliteStore
from telemetry.store.sqlite.connection import connect_writer, transaction
from telemetry.store.sqlite.turns import PATIENCE_S, Turns

ROOT = Path(__file__).parents[4]
TRIES = 200
DIES_WRITING = """
import sys, time
from pathlib import Path
from telemetry.store.sqlite.connection import connect_writer, transaction
from telemetry.store.sqlite.turns import Turns
file = Path(sys.argv[1])
with transaction(connect_writer(file), file, turns=Turns(file)):
    print("writing", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reports.db"
    connect_writer(path).execute("CREATE TABLE t (n)")
    return path


def queue_is_taken(path: Path) -> bool:
    with path.with_name(path.name + "-turns").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_whoever_has_just_written_comes_after_whoever_waits(file: Path) -> None:
    """A busy writer that begins again at once finds the waiting one before it, twenty times out of twenty."""
    busy, waiting = connect_writer(file), connect_writer(file)
    busy_turns, waiting_turns = Turns(file), Turns(file)
    order: list[str] = []
    proven = 0

    def write(name: str) -> None:
        with transaction(waiting, file, turns=waiting_turns):
            order.append(name)

    for _ in range(TRIES):
        order.clear()
        began = time.monotonic()
        with transaction(busy, file, turns=busy_turns):
            other = threading.Thread(target=write, args=("waiting",))
            other.start()
            while not queue_is_taken(file):
                time.sleep(0.001)
        with transaction(busy, file, turns=busy_turns):
            order.append("busy")
        took_s = time.monotonic() - began
        other.join()
        if took_s < PATIENCE_S:  # else the one that waits was gone past, as one that is stopped is
            assert order == ["waiting", "busy"]
            proven += 1
        if proven == 20:
            break
    assert proven == 20
    busy_turns.close()
    waiting_turns.close()


def test_a_writer_that_is_stopped_in_the_queue_is_gone_past(file: Path) -> None:
    """It costs the others a second once, not one each time, and the queue is used again when it has gone."""
    connection, turns = connect_writer(file), Turns(file)
    with file.with_name(file.name + "-turns").open("rb") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        took = []
        for _ in range(5):
            began = time.monotonic()
            with transaction(connection, file, turns=turns):
                took.append(time.monotonic() - began)
        assert took[0] >= PATIENCE_S
        assert sum(took[1:]) < 4 * PATIENCE_S  # what they would wait if each did
        assert turns.passed == 5
    for _ in range(3):
        with transaction(connection, file, turns=turns):
            pass
    assert turns.passed == 5
    turns.close()


def test_a_writer_killed_in_a_transaction_lets_the_next_go_on_at_once(file: Path) -> None:
    """Kill -9 in the middle: the kernel drops its locks, nothing of it is left, nobody waits for a lease to run out."""
    command = [sys.executable, "-c", DIES_WRITING, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"writing\n"
        got: list[float] = []

        def write() -> None:
            with transaction(connect_writer(file), file, turns=Turns(file)):
                got.append(time.monotonic())

        waiting = threading.Thread(target=write)
        waiting.start()
        while not queue_is_taken(file):
            time.sleep(0.001)
        assert got == []
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        dead = time.monotonic()
        waiting.join()
    assert got[0] - dead < 10.0  # a millisecond or two on an idle machine; a lease would be longer


def test_a_writer_that_never_ends_is_an_error_in_the_end(file: Path) -> None:
    """Somebody who keeps the file for longer than we wait: SQLite's own error, not a hang."""
    holder, connection, turns = connect_writer(file), connect_writer(file), Turns(file)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        turns.begin(connection, busy_ms=50)
    assert not queue_is_taken(file)
    turns.close()


def test_after_anothers_commit_only_the_accounts_of_the_batch_are_read_again_in_one_query(
    tmp_path: Path, fleet
) -> None:
    """Fifty probes known, two in the batch: one query that names two."""
    one, two = SqliteStore(tmp_path / "reports.db"), SqliteStore(tmp_path / "reports.db")
    assert one.append([fleet.report(f"site-{n}", 1, 1) for n in range(50)]) == [Fate.STORED] * 50
    assert two.append([fleet.report("site-7", 2, 2)]) == [Fate.STORED]
    asked: list[str] = []
    one._connection.set_trace_callback(asked.append)
    fates = one.append(
        [fleet.report("site-7", 2, 2), fleet.report("site-7", 3, 3), fleet.report("site-8", 2, 2)]
    )
    one._connection.set_trace_callback(None)
    assert fates == [Fate.DUPLICATE, Fate.STORED, Fate.STORED]
    queries = [text for text in asked if "ledger" in text and text.startswith(("WITH", "SELECT"))]
    assert len(queries) == 1
    assert queries[0].count("site-") == 2
    assert one.append([fleet.report("site-8", 3, 3)]) == [Fate.STORED]
    one.close()
    two.close()


def test_the_query_for_accounts_uses_the_key(tmp_path: Path) -> None:
    """A ledger of a hundred thousand probes is not read through for two of them."""
    store = SqliteStore(tmp_path / "reports.db")
    plan = store._connection.execute(
        "EXPLAIN QUERY PLAN WITH wanted(s, p, e) AS (VALUES ('a', 'b', 'c'), ('d', 'e', 'f'))"
        " SELECT site, probe, epoch, stored, written_off, holes FROM wanted"
        " CROSS JOIN ledger ON site = s AND probe = p AND epoch = e"
    ).fetchall()
    assert any("SEARCH ledger USING PRIMARY KEY (site=? AND probe=? AND epoch=?)" in row[3] for row in plan)
    store.close()
