"""The spool: numbers without a hole, nothing lost without a word, nothing deleted before the hub has it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.publishing.spool import Confirmation, Made, Slot, Spool
from probes.publishing.spool_file import Opened, SpoolError
from telemetry.codec import decode
from telemetry.control import Stored
from telemetry.intervals import IntervalSet
from telemetry.messages import Tombstone
from telemetry.windows import WINDOW_NS
from tests.probes_publishing.spools import MADE, fill, open_spool, report


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agra.db"


def test_numbers_run_on_across_restarts(path: Path) -> None:
    """Seq counts from 1 without a hole over any number of restarts, even when all rows have gone."""
    spool = open_spool(path)
    assert (spool.opened, spool.epoch) == (Opened.NEW, spool.epoch)
    assert fill(spool, 3) == [1, 2, 3]
    spool.confirm(Stored(epoch=spool.epoch, through=3))
    epoch = spool.epoch
    spool.close()
    again = open_spool(path)
    assert (again.opened, again.epoch, again.reports, again.bytes) == (Opened.KEPT, epoch, 0, 0)
    assert fill(again, 2) == [4, 5]
    again.close()


def test_rows_come_back_as_they_went_in(path: Path) -> None:
    """Payload, boot and both clocks of a row are kept; a row that has gone is None."""
    spool = open_spool(path)
    spool.append(0, Made("boot-x", 11, 22), lambda slot: b"%d of %s" % (slot.seq, slot.epoch.encode()))
    row = spool.read(1)
    assert row is not None
    assert (row.seq, row.made, row.payload) == (1, Made("boot-x", 11, 22), b"1 of " + spool.epoch.encode())
    assert spool.read(2) is None
    spool.close()


def test_only_stored_rows_go(path: Path) -> None:
    """A `stored` deletes what it covers and keeps what it calls missing."""
    spool = open_spool(path)
    fill(spool, 10)
    assert (
        spool.confirm(Stored(epoch=spool.epoch, through=7, missing=((2, 3), (6, 6)))) is Confirmation.APPLIED
    )
    assert list(spool.held()) == [(2, 3), (6, 6), (8, 10)]
    assert spool.reports == 6
    spool.close()


def test_stored_for_another_epoch_is_ignored(path: Path) -> None:
    """What the hub says of an earlier spool deletes nothing."""
    spool = open_spool(path)
    fill(spool, 3)
    assert spool.confirm(Stored(epoch="f" * 16, through=3)) is Confirmation.OTHER_EPOCH
    assert spool.reports == 3
    spool.close()


def test_backward_missing_is_refused_whole(path: Path) -> None:
    """A `stored` whose missing range runs backwards deletes nothing at all."""
    spool = open_spool(path)
    fill(spool, 3)
    with pytest.raises(ValueError, match="runs backwards"):
        spool.confirm(Stored(epoch=spool.epoch, through=3, missing=((3, 1),)))
    assert spool.reports == 3
    spool.close()


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 8)),
            st.tuples(
                st.just("store"),
                st.tuples(
                    st.integers(0, 60), st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5)), max_size=4)
                ),
            ),
            st.tuples(st.just("reopen"), st.none()),
        ),
        max_size=14,
    )
)
def test_spool_holds_exactly_what_is_not_stored(steps: list[tuple[str, Any]]) -> None:
    """After any mix of appends, confirmations and restarts the spool holds made minus stored, and its books agree."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.db"
        spool, made, stored = open_spool(path), 0, set()
        for kind, value in steps:
            if kind == "append":
                fill(spool, value)
                made += value
            elif kind == "reopen":
                spool.close()
                spool = open_spool(path)
            else:
                through, spans = value
                through = min(through, made)
                missing = IntervalSet((first, first + length) for first, length in spans)
                spool.confirm(Stored(epoch=spool.epoch, through=through, missing=tuple(missing)))
                stored |= {seq for seq in range(1, through + 1) if seq not in missing}
        expected = IntervalSet((seq, seq) for seq in range(1, made + 1) if seq not in stored)
        assert spool.held() == expected
        sizes = [len(spool.read(seq).payload) for a, b in expected for seq in range(a, b + 1)]  # type: ignore[union-attr]
        assert (spool.reports, spool.bytes, spool.next_seq) == (len(sizes), sum(sizes), made + 1)
        spool.close()


def test_full_spool_drops_the_oldest_and_says_so(path: Path) -> None:
    """Past its limit the oldest report goes and the next report carries a tombstone for it."""
    spool = open_spool(path, max_reports=4)
    fill(spool, 4)
    row = spool.append(5 * WINDOW_NS, MADE, report)
    assert list(spool.held()) == [(2, 5)]
    assert decode(row.payload).items == (
        Tombstone(first_seq=1, last_seq=1, from_ns=WINDOW_NS, until_ns=2 * WINDOW_NS, reason="spool_full"),
    )
    spool.close()


def test_bytes_are_bounded_too(path: Path) -> None:
    """The spool passes its byte limit by at most one report."""
    spool = open_spool(path, max_bytes=10_000)
    for _ in range(40):
        spool.append(0, MADE, lambda _: b"x" * 999)
        assert spool.bytes <= 10_000 + 999
    assert spool.reports == 11
    spool.close()


@settings(max_examples=25, deadline=None)
@given(limit=st.integers(1, 6), lost=st.sets(st.integers(1, 40)), count=st.integers(1, 40))
def test_every_number_is_accounted_for(limit: int, lost: set[int], count: int) -> None:
    """Whatever is dropped, also rows that carried tombstones: received plus entombed plus held is everything made."""
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Path(folder) / "s.db", max_reports=limit)
        received, entombed = IntervalSet(), IntervalSet()
        for _ in range(count):
            row = spool.append(spool.next_seq * WINDOW_NS, MADE, report)
            if row.seq in lost:
                continue  # the hub never gets this one
            received.add(row.seq)
            for tombstone in decode(row.payload).items:
                assert isinstance(tombstone, Tombstone)
                entombed.add_range(tombstone.first_seq, tombstone.last_seq)
                assert tombstone.from_ns == tombstone.first_seq * WINDOW_NS
                assert tombstone.until_ns == (tombstone.last_seq + 1) * WINDOW_NS
            spool.confirm(
                Stored(epoch=spool.epoch, through=row.seq, missing=tuple(received.holes(1, row.seq)))
            )
        for first, last in spool.held():  # the line is good again: what is left arrives
            for seq in range(first, last + 1):
                held = spool.read(seq)
                assert held is not None
                received.add(seq)
                for tombstone in decode(held.payload).items:
                    assert isinstance(tombstone, Tombstone)
                    entombed.add_range(tombstone.first_seq, tombstone.last_seq)
        waiting = spool.append(0, MADE, report)  # one more report brings what still waited for a ride
        for tombstone in decode(waiting.payload).items:
            assert isinstance(tombstone, Tombstone)
            entombed.add_range(tombstone.first_seq, tombstone.last_seq)
        assert all(seq in received or seq in entombed for seq in range(1, count + 1))
        spool.close()


def test_failed_encoding_uses_no_number(path: Path) -> None:
    """When a report cannot be encoded nothing is stored and its number goes to the next one."""
    spool = open_spool(path)

    def broken(_: Slot) -> bytes:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        spool.append(0, MADE, broken)
    assert fill(spool, 1) == [1]
    spool.close()


def test_spool_of_another_probe_is_moved_aside(path: Path) -> None:
    """A spool copied from another office is not published under this office's name."""
    spool = open_spool(path)
    fill(spool, 2)
    spool.close()
    other = Spool(path, site="jhansi", probe="p1")
    assert (other.opened, other.reports) == (Opened.FOREIGN, 0)
    other.close()
    assert (path.parent / "agra.db.foreign-1").exists()


def test_second_agent_is_refused(path: Path) -> None:
    """One spool has one agent; the second is told so in one line."""
    spool = open_spool(path)
    with pytest.raises(SpoolError, match="another agent has this spool open"):
        open_spool(path)
    spool.close()
    open_spool(path).close()


def test_run_notes_survive(path: Path) -> None:
    """What a run noted of itself is told to the next one."""
    spool = open_spool(path)
    assert spool.begin_run("b1", "1.0") is None
    spool.close()
    spool = open_spool(path)
    killed = spool.begin_run("b1", "1.0")
    assert killed is not None
    assert (killed.boot, killed.version, killed.clean) == ("b1", "1.0", False)
    spool.end_run()
    spool.close()
    spool = open_spool(path)
    stopped = spool.begin_run("b2", "1.1")
    assert stopped is not None
    assert stopped.clean is True
    spool.close()


def test_plan_survives(path: Path) -> None:
    """The last plan is there after a restart, byte for byte."""
    spool = open_spool(path)
    assert spool.plan() is None
    spool.put_plan(b'{"valid_until_ns":1}')
    spool.close()
    spool = open_spool(path)
    assert spool.plan() == b'{"valid_until_ns":1}'
    spool.close()
