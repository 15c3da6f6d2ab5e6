"""A report that was prepared is stored exactly as one that was not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from telemetry.codec import encode
from telemetry.messages import Clock, Direction, Envelope, Link, SelfReport, Stamps, Stream, Tombstone
from telemetry.store.packing import decompress, squeeze_all
from telemetry.store.protocol import Fate, Preparing, Received, Selection
from telemetry.store.sqlite import SqliteStore
from telemetry.store.sqlite.prepared import prepare
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from pathlib import Path

ALL = Selection(0, 2**62)


def report(seq: int) -> Received:
    """Two streams, a link and a tombstone."""
    one = Direction(sent=10, received=10, lost=0, pdv_hist=(3, 10), jitter_ms=0.5)
    streams = [
        Stream(path=path, stamps=Stamps(), rate_pps=10.0, sent=10, received=10, lost=0, up=one, down=one)
        for path in ("main.state", "main.national")
    ]
    gone = Tombstone(
        first_seq=90 + seq, last_seq=90 + seq, from_ns=0, until_ns=WINDOW_NS, reason="spool_full"
    )
    envelope = Envelope(
        site="agra",
        probe="p1",
        epoch="0" * 16,
        seq=seq,
        boot="b",
        mono_ns=1,
        start_ns=seq * WINDOW_NS,
        clock=Clock(error_ms=1.0),
        self_report=SelfReport(late_sends=2),
        items=(*streams, Link(interface="eth0"), gone),
    )
    return Received(envelope, seq * WINDOW_NS + 1, payload=encode(envelope))


def test_prepared_and_unprepared_reports_leave_the_same_rows(tmp_path: Path) -> None:
    """The whole file says the same, whichever way a batch came; duplicates and tombstones included."""
    dumps = []
    for name, way in (("as-it-came", lambda one: one), ("prepared", prepare)):
        with contextlib.closing(SqliteStore(tmp_path / f"{name}.db")) as store:
            assert isinstance(store, Preparing)
            fates = store.append([way(report(seq)) for seq in (1, 2, 2, 4)])
            assert fates == [Fate.STORED, Fate.STORED, Fate.DUPLICATE, Fate.STORED]
            assert len(store.streams(ALL)) == 6
            assert [one.item for one in store.items("link", ALL)] == [Link(interface="eth0")] * 3
            assert list(store.received("agra", "p1")["0" * 16]) == [(1, 2), (4, 4), (91, 92), (94, 94)]
            dumps.append("\n".join(store._connection.iterdump()))
    assert dumps[0] == dumps[1]


def test_preparing_lets_go_of_all_but_what_the_commit_needs() -> None:
    """Identity, times and tombstones stay; what is prepared already stays as it is."""
    whole = report(7)
    ready = prepare(whole)
    assert [type(item) for item in ready.envelope.items] == [Tombstone]
    assert ready.values.paths == ("main.state", "main.national")
    assert ready.payload is whole.payload
    assert prepare(ready) is ready


def test_a_report_without_its_payload_is_encoded() -> None:
    """Whoever has only the envelope gets the same row."""
    whole = report(7)
    assert prepare(Received(whole.envelope, whole.received_ns)).payload == whole.payload


def test_payloads_squeezed_together_come_back_one_by_one() -> None:
    """Each is a frame of its own."""
    payloads = [b"x", b'{"a":1}' * 500, bytes(range(256)) * 30]
    assert [decompress(bytes(one)) for one in squeeze_all(payloads)] == payloads
    assert squeeze_all([]) == []
