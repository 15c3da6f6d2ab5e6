"""A store on a server is opened like any other: it ships by itself, is read from other processes' readers, and says how it fares."""

from __future__ import annotations

import os
from contextlib import closing

from telemetry.store.memory import MemoryStore
from telemetry.store.open import open_reader, open_writer, store_file
from telemetry.store.server.cursor import OnlyOne
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import HOUR_NS


def test_a_writer_ships_by_itself_and_a_reader_reads_beside_it(
    servers, kind, fleet, tmp_path, *, comes_true, everything
) -> None:
    """Opened by the settings: what is appended is on the server soon; tail, latest and streams see it at once."""
    settings = servers.settings(kind)
    with (
        closing(open_writer(settings, tmp_path)) as store,
        closing(open_reader(settings, tmp_path)) as reader,
    ):
        assert store_file(settings, tmp_path).exists()
        cursor, _ = reader.tail(0)
        store.append(fleet.hours(["agra", "etah"], range(30)))
        assert len(reader.tail(cursor)[1]) == 120
        assert len(reader.streams(everything)) == 120
        assert len(reader.latest()) == 4
        comes_true(lambda: store.shipping["points_written"], "points are written")
        comes_true(lambda: not store.shipping["journal_backlog_reports"], "all are written")
        while store.maintain(fleet.t0 + HOUR_NS):
            pass
        comes_true(
            lambda: not store.shipping["journal_backlog_rollups"] or store.shipping["batches"], "roll-ups too"
        )
        assert store.shipping["server_available"] is True
        assert store.shipping["last_error"] == ""
        assert store.shipping["oldest_unshipped_ns"] is None
        assert len(reader.rollups(everything)) == 8


def test_stores_without_a_server_have_nothing_to_ship(tmp_path) -> None:
    """The embedded store and the fake answer with an empty mapping."""
    assert MemoryStore().shipping == {}
    with closing(SqliteStore(tmp_path / "reports.db")) as store:
        assert store.shipping == {}


def test_only_one_holds_the_place_and_it_is_free_when_left(tmp_path) -> None:
    """The lock is one process's and one store's; it does not pass to children."""
    first, second = OnlyOne(tmp_path / "place"), OnlyOne(tmp_path / "place")
    assert first.take()
    assert first.take()
    assert not second.take()
    assert first._file is not None
    assert not os.get_inheritable(first._file.fileno())
    first.leave()
    assert second.take()
    second.leave()


def test_maintenance_and_appends_never_wait_for_the_server(
    servers, kind, proxy, fleet, tmp_path, *, comes_true
) -> None:
    """While the server keeps a write hanging, reports are committed and kept house of all the same."""
    settings = servers.settings(kind, url=proxy.url)
    proxy.faults.plan = ["slow"]
    with closing(open_writer(settings, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(5)))
        comes_true(lambda: proxy.faults.seen["slow"], "the write hangs")
        store.append(fleet.hours(["agra"], range(5, 40)))
        while store.maintain(fleet.t0 + HOUR_NS):
            pass
        assert store.shipping["journal_backlog_reports"] == 40
        proxy.faults.hold.set()
        comes_true(lambda: not store.shipping["journal_backlog_reports"], "all arrives")
