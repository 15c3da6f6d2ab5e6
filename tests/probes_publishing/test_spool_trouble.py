"""The spool in trouble: killed writers, bad bytes, full disks, disks that go back in time."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from probes.publishing.spool import Confirmation
from probes.publishing.spool_file import Opened, SpoolDamagedError, SpoolError
from telemetry.codec import decode
from telemetry.control import Stored
from telemetry.intervals import IntervalSet
from telemetry.messages import Tombstone
from telemetry.windows import WINDOW_NS
from tests.probes_publishing.spools import MADE, fill, open_spool, report


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agra.db"


def test_disk_that_went_back_in_time(path: Path) -> None:
    """Numbers given twice are noticed: what was made since gets a new epoch, what the hub truly has is not sent twice."""
    spool = open_spool(path)
    fill(spool, 5)
    spool.going_out()
    spool.close()
    earlier = path.read_bytes()
    spool = open_spool(path)
    fill(spool, 4)  # 6..9 reach the hub, then the disk forgets them
    old_epoch = spool.epoch
    spool.close()
    path.write_bytes(earlier)
    spool = open_spool(path)
    made_since = [
        spool.append(77 * WINDOW_NS, MADE, lambda slot: report(slot, 77 * WINDOW_NS)).seq for _ in range(2)
    ]
    assert made_since == [6, 7]
    stored = Stored(epoch=old_epoch, through=9, missing=((2, 2),))
    assert spool.confirm(stored) is Confirmation.FROM_THE_FUTURE
    assert spool.reports == 7
    spool.renumber(stored)
    assert spool.epoch != old_epoch
    assert list(spool.held()) == [(1, 3)]  # the missing 2, and the two made since
    envelopes = [decode(spool.read(seq).payload) for seq in (1, 2, 3)]  # type: ignore[union-attr]
    assert [(e.epoch, e.seq, e.start_ns // WINDOW_NS) for e in envelopes] == [
        (spool.epoch, 1, 0),
        (spool.epoch, 2, 77),
        (spool.epoch, 3, 77),
    ]
    assert fill(spool, 1) == [4]
    spool.close()
    again = open_spool(path)
    assert (again.epoch, again.next_seq, again.reports) == (spool.epoch, 5, 4)
    again.close()


def test_disk_that_went_back_and_has_passed_the_hub_since(path: Path) -> None:
    """Numbers that were given but never sent cannot be at the hub: whatever it has there is another report."""
    spool = open_spool(path)
    fill(spool, 5)
    spool.going_out()
    spool.stays_in()  # 1..5 went out
    fill(spool, 2)  # 6, 7 did not
    spool.close()
    spool = open_spool(path)
    assert spool.unsent_from == 6
    fill(spool, 4)  # 8..11, and 8 goes out
    old_epoch = spool.epoch
    sent = IntervalSet([(8, 8)])
    assert spool.confirm(Stored(epoch=old_epoch, through=5, missing=((2, 2),)), sent) is Confirmation.APPLIED
    assert (
        spool.confirm(Stored(epoch=old_epoch, through=8, missing=((2, 2), (6, 7))), sent)
        is Confirmation.APPLIED
    )
    assert list(spool.held()) == [(2, 2), (6, 7), (9, 11)]
    stored = Stored(epoch=old_epoch, through=9, missing=((2, 2), (6, 6)))
    assert spool.confirm(stored, sent) is Confirmation.NEVER_SENT
    assert list(spool.held()) == [(2, 2), (6, 7), (9, 11)]
    spool.renumber(stored, sent)
    assert list(spool.held()) == [(1, 6)]
    assert (spool.unsent_from, spool.next_seq) == (1, 7)
    spool.close()


def test_what_was_sent_under_numbers_of_the_future_stays(path: Path) -> None:
    """The hub has more than was ever given: also what this run has sent bears a number that was given before."""
    spool = open_spool(path)
    fill(spool, 3)
    spool.going_out()
    stored = Stored(epoch=spool.epoch, through=50)
    sent = IntervalSet([(1, 2)])
    assert spool.confirm(stored, sent) is Confirmation.FROM_THE_FUTURE
    spool.renumber(stored, sent)
    assert list(spool.held()) == [(1, 3)]
    spool.close()


def test_what_a_full_spool_dropped_before_it_was_sent_may_be_accounted_for(path: Path) -> None:
    """The hub knows of it from the tombstone: no sign of numbers given twice."""
    spool = open_spool(path, max_reports=3)
    fill(spool, 8)
    assert list(spool.held()) == [(6, 8)]
    sent = IntervalSet([(6, 6)])
    assert spool.confirm(Stored(epoch=spool.epoch, through=6), sent) is Confirmation.APPLIED
    assert list(spool.held()) == [(7, 8)]
    spool.close()


def test_spool_of_the_version_before_is_taken_over(path: Path) -> None:
    """Nothing is known of what it has sent: it counts as sent."""
    spool = open_spool(path)
    fill(spool, 3)
    spool.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE spool DROP COLUMN unsent_from")
        db.execute("PRAGMA user_version=1")
        db.commit()
    spool = open_spool(path)
    assert spool.opened is Opened.KEPT
    assert (spool.reports, spool.unsent_from) == (3, 4)
    assert fill(spool, 1) == [4]
    assert spool.confirm(Stored(epoch=spool.epoch, through=3), IntervalSet()) is Confirmation.APPLIED
    spool.close()


def test_damaged_file_is_moved_aside(path: Path) -> None:
    """A file that is no database is kept beside a new spool with a new epoch; of several only the latest two stay."""
    epochs = set()
    for _ in range(4):
        path.write_bytes(b"after the power cut, noise" * 400)
        spool = open_spool(path)
        assert spool.opened is Opened.DAMAGED
        assert fill(spool, 1) == [1]
        epochs.add(spool.epoch)
        spool.close()
    assert len(epochs) == 4
    assert sorted(p.name for p in path.parent.glob("*.damaged-*")) == [
        "agra.db.damaged-3",
        "agra.db.damaged-4",
    ]


def test_books_that_disagree_are_damage(path: Path) -> None:
    """A spool whose next number was already given is not trusted."""
    spool = open_spool(path)
    fill(spool, 3)
    spool.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE spool SET next_seq = 2")
    db.close()
    again = open_spool(path)
    assert again.opened is Opened.DAMAGED
    again.close()


def _overwrite_page(path: Path, marker: bytes) -> None:
    """Fill the page of the file that holds the marker with noise."""
    raw = bytearray(path.read_bytes())
    at = raw.index(marker) // 4096 * 4096
    raw[at : at + 4096] = b"\xa5" * 4096
    path.write_bytes(bytes(raw))


def test_damage_found_while_running_is_told_apart(path: Path) -> None:
    """A page of the index that turned to noise raises the damage error, not the try-again one."""
    spool = open_spool(path)
    for _ in range(300):
        spool.append(0, MADE, lambda slot: b"number %06d;" % slot.seq * 20)
    spool.close()
    _overwrite_page(path, b"number 000150;")
    spool = open_spool(path)
    assert spool.opened is Opened.KEPT
    assert spool.read(300) is not None
    with pytest.raises(SpoolDamagedError):
        spool.read(150)
    spool.close()


def test_bytes_that_went_bad_are_not_sent(path: Path) -> None:
    """A report whose bytes changed on the disk is dropped with a tombstone, the others stay."""
    spool = open_spool(path)
    for _ in range(3):
        spool.append(0, MADE, lambda slot: b"number %06d;" % slot.seq)
    spool.close()
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"number 000002;", b"numbex 000002;"))
    spool = open_spool(path)
    assert spool.read(2) is None
    assert list(spool.held()) == [(1, 1), (3, 3)]
    (tombstone,) = decode(spool.append(0, MADE, report).payload).items
    assert isinstance(tombstone, Tombstone)
    assert (tombstone.first_seq, tombstone.last_seq, tombstone.reason) == (2, 2, "spool_damaged")
    spool.close()


def test_newer_schema_is_refused(path: Path) -> None:
    """A spool of a newer version is neither used nor thrown away."""
    open_spool(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SpoolError, match="newer version"):
        open_spool(path)
    assert path.exists()


def test_full_disk_uses_no_number(path: Path) -> None:
    """When the disk is full the append fails as `try again later`, the books stay right, and it goes on afterwards."""
    spool = open_spool(path)
    fill(spool, 2)
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SpoolError, match="full") as caught:
        spool.append(0, MADE, lambda _: b"x" * 100_000)
    assert not isinstance(caught.value, SpoolDamagedError)
    assert (spool.reports, spool.next_seq) == (2, 3)
    spool._db.execute("PRAGMA max_page_count = 100000")
    assert fill(spool, 1) == [3]
    spool.close()


_APPENDER = """
import sys
from pathlib import Path
from probes.publishing.spool import Made, Spool
spool = Spool(Path(sys.argv[1]), site="agra", probe="p1")
print("open", flush=True)
while True:
    row = spool.append(0, Made("b", 1, 1), lambda slot: b"%d:" % slot.seq + b"x" * 6000)
    print(row.seq, flush=True)
"""


def test_kill_in_mid_append_loses_nothing_that_was_numbered(path: Path) -> None:
    """Killed -9 again and again while appending: every number that was given is there, and none is missing between."""
    told = 0
    for round_number in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", _APPENDER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        for _ in range(25 + 7 * round_number):
            told = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split("\n")
        told = max([told, *(int(line) for line in rest[:-1] if line)])
        process.wait()
        process.stdout.close()
    spool = open_spool(path)
    held = list(spool.held())
    assert spool.opened is Opened.KEPT
    assert len(held) == 1
    assert held[0][0] == 1
    assert told <= held[0][1] == spool.next_seq - 1
    assert all(spool.read(seq).payload.startswith(b"%d:" % seq) for seq in range(1, spool.next_seq))  # type: ignore[union-attr]
    assert spool._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    spool.close()


def test_an_opening_that_fails_lets_go_of_the_lock(path: Path) -> None:
    """When the disk refuses the first write, the next try is not told that another agent has the spool."""
    open_spool(path).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE spool SET unsent_from = NULL")
        db.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON spool BEGIN SELECT raise(ABORT, 'disk I/O error'); END"
        )
        with pytest.raises(SpoolError, match="disk I/O error"):
            open_spool(path)
        db.execute("DROP TRIGGER full")
    open_spool(path).close()
