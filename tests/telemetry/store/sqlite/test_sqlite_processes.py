"""The file between processes: a reader beside a writer, and a writer that is killed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from telemetry.store.errors import StoreError
from telemetry.store.protocol import Fate, Selection
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).with_name("writing_process.py")
ROOT = Path(__file__).parents[4]


@contextmanager
def writer(file: Path, sites: int, batch: int) -> Iterator[subprocess.Popen[str]]:
    """A process that appends for ever; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(file), str(sites), str(batch)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_reader_in_another_process_sees_whole_commits_while_the_writer_writes(tmp_path) -> None:
    """Every read sees whole batches only, in rising number, through folds, and the tail misses none."""
    file = tmp_path / "reports.db"
    everything = Selection(0, 30_000 * DAY_NS)
    with writer(file, sites=3, batch=20) as process:
        assert process.stdout.readline().strip() == "20"
        reader = SqliteReader(file)
        cursor, sizes, tailed = 1, [], 0
        while not sizes or (sizes[-1] < 3 * 20 * 2 * 40 and len(sizes) < 400):
            table = reader.streams(everything, histograms=False, columns=("sent",))
            assert len(table) % (3 * 20 * 2) == 0
            assert (table.columns["sent"] == 10).all()
            sizes.append(len(table))
            cursor, new = reader.tail(cursor)
            tailed += len(new)
        assert sizes == sorted(sizes)
        assert sizes[-1] > sizes[0]
    while True:
        after, new = reader.tail(cursor)
        tailed += len(new)
        if after == cursor:
            break
        cursor = after
    assert tailed == len(reader.streams(everything, histograms=False))
    reader.close()


@pytest.mark.parametrize("acknowledged", [1, 2, 5])
def test_a_writer_killed_in_the_middle_leaves_all_or_nothing_of_a_batch(tmp_path, acknowledged) -> None:
    """After kill -9 what was acknowledged is there, batches are whole, the file is sound, resending stores the rest."""
    file = tmp_path / "reports.db"
    with writer(file, sites=2, batch=150) as process:
        said = [int(process.stdout.readline()) for _ in range(acknowledged)][-1]
        process.send_signal(signal.SIGKILL)  # it is in the next batch by now
        process.wait()
    store = SqliteStore(file)
    assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    counts = {site: len(store.received(site, "p1")["0" * 16]) for site in ("site-0", "site-1")}
    assert counts["site-0"] == counts["site-1"] >= said
    assert counts["site-0"] % 150 == 0
    table = store.streams(Selection(0, 30_000 * DAY_NS), histograms=False)
    assert len(table) == 2 * sum(counts.values())
    namespace: dict[str, object] = {"__name__": "writing"}
    exec(compile(PROGRAM.read_text("utf-8"), PROGRAM, "exec"), namespace)
    again = [namespace["report"]("site-0", seq) for seq in range(1, counts["site-0"] + 3)]
    assert store.append(again) == [Fate.DUPLICATE] * counts["site-0"] + [Fate.STORED] * 2
    store.close()


def test_two_writers_take_turns_and_know_of_each_others_reports(tmp_path, fleet, everything) -> None:
    """A ledger that another process has moved on is read again: no report is stored twice."""
    one, two = SqliteStore(tmp_path / "reports.db"), SqliteStore(tmp_path / "reports.db")
    reports = fleet.hours(["agra"], range(12))
    for i, report in enumerate(reports):
        first, second = (one, two) if i % 2 else (two, one)
        assert first.append([report]) == [Fate.STORED]
        assert second.append([report]) == [Fate.DUPLICATE]
    assert len(one.streams(everything)) == 24
    assert list(two.received("agra", "p1")[fleet.epoch]) == [(1, 12)]
    one.close()
    two.close()


def test_a_reader_may_come_before_the_writer(tmp_path, fleet, everything) -> None:
    """A wall that starts first shows nothing, then what comes."""
    reader = SqliteReader(tmp_path / "new" / "reports.db")
    assert len(reader.streams(everything)) == 0
    store = SqliteStore(tmp_path / "new" / "reports.db")
    store.append(fleet.hours(["agra"], range(2)))
    assert len(reader.streams(everything)) == 4
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM report")
    reader.close()
    store.close()


def test_threads_may_share_a_store(tmp_path, fleet, everything) -> None:
    """Appends and reads from several threads at once neither fail nor lose anything."""
    store = SqliteStore(tmp_path / "reports.db")
    batches = [[fleet.report(f"site-{t}", n, n) for n in range(1, 21)] for t in range(4)]
    failures: list[BaseException] = []

    def work(batch) -> None:
        try:
            for report in batch:
                store.append([report])
                store.streams(everything, histograms=False, columns=())
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.streams(everything)) == 4 * 20 * 2
    store.close()
