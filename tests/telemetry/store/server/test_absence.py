"""The database is away, dies, comes back; collectors die; the disk fills: the journal holds everything."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from telemetry.store.errors import StoreError
from telemetry.store.protocol import Fate, Selection
from telemetry.store.server import ServerReader, ServerStore, tables
from telemetry.store.server.connect import connect
from telemetry.store.server.database import ServerError
from telemetry.store.server.journal_reader import JournalReader
from telemetry.windows import DAY_NS, HOUR_NS
from tests.telemetry.store.servers import RETENTION, Influx1, Store, Victoria, by_hand, free_port, ship_all

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from telemetry.store.server.cursor import OnlyOne

FOREVER_NS = 40_000 * DAY_NS
SCRIPT = Path(__file__).parent / "shipping_process.py"


@pytest.fixture(params=[Victoria, Influx1], ids=["victoriametrics", "influxdb1"])
def mortal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Victoria | Influx1]:
    """A server of the test's own, to be killed."""
    server = request.param(tmp_path / "server")
    server.start()
    yield server
    server.kill()


def settings_of(server: Victoria | Influx1, **more: object) -> Store:
    if isinstance(server, Influx1):
        server.make("tatpar")
    kind = "influxdb1" if isinstance(server, Influx1) else "victoriametrics"
    return Store(**({"kind": kind, "url": server.url, **RETENTION} | more))  # type: ignore[arg-type]


def _is_taken(place: OnlyOne) -> bool:
    """Whether another process holds it; tried without keeping it."""
    if place.take():
        place.leave()
        return False
    return True


def read_back(settings: Store, folder: Path, server: Victoria | Influx1) -> list[tuple[str, int]]:
    """(site, window) of every row that the server has, asked past the journal."""
    if isinstance(server, Victoria):
        server.flush()
    with closing(by_hand(settings, folder)) as store:
        store._shipper._cursor.write(store._own.identity(), store._own.last_commit())
        store.drop_shipped(FOREVER_NS)
        table = store.streams(Selection(0, FOREVER_NS), histograms=False, columns=("sent",))
        sites, starts = table.columns["site"].tolist(), table.columns["start_ns"].tolist()
        return [(table.sites[site], start) for site, start in zip(sites, starts, strict=True)]


def test_a_server_killed_while_it_is_written_to_has_everything_once_in_the_end(
    mortal, fleet, tmp_path, comes_true
) -> None:
    """Killed with -9 in the middle of shipping, away for a while, started again: the shipper goes on by itself."""
    settings = settings_of(mortal, batch_reports=5)
    reports = fleet.hours(["agra", "etah"], range(60))
    with closing(ServerStore(settings, tmp_path, connect(settings))) as store:
        store.append(reports[:60])
        comes_true(lambda: store.shipping["points_written"], "the first points arrive")
        mortal.kill()
        store.append(reports[60:])
        comes_true(lambda: store.shipping["retries"], "the absence is noticed")
        assert store.shipping["server_available"] is False
        assert "reached" in str(store.shipping["last_error"]) or "broke" in str(store.shipping["last_error"])
        assert len(store.streams(Selection(0, FOREVER_NS))) == 240
        assert store.append(reports[:3]) == [Fate.DUPLICATE] * 3
        mortal.start()
        comes_true(lambda: not store.shipping["journal_backlog_reports"], "all is shipped")
        assert store.shipping["server_available"] is True
    wanted = sorted((r.envelope.site, r.envelope.start_ns) for r in reports for _ in range(2))
    assert sorted(read_back(settings, tmp_path, mortal)) == wanted


def test_when_the_shipping_collector_dies_another_takes_its_place(mortal, tmp_path, comes_true) -> None:
    """Two processes on one journal: one ships; killed with -9, the other ships what both have committed."""
    settings = settings_of(mortal, batch_reports=7)
    told = msgspec.json.encode(settings).decode()
    started = []

    def starts(site: str, reports: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(SCRIPT), told, str(tmp_path), site, str(reports)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[4])
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    try:
        first = starts("agra", 400)
        second = starts("etah", 400)
        first.kill()
        done, _ = first.communicate()
        committed = 5 * (1 + done.count(b"\n"))
        assert second.stdout is not None
        last = 5
        while last < 400:
            last = int(second.stdout.readline())
        with closing(by_hand(settings, tmp_path)) as watching:
            place = watching._only_one
            comes_true(lambda: _is_taken(place), "the second takes the place")
            wanted = watching._own.last_commit()

            def arrived() -> bool:
                if isinstance(mortal, Victoria):
                    mortal.flush()
                span = Selection(0, FOREVER_NS)
                found = tables.windows(watching._database, span, ("agra", "etah"), (), histograms=False)
                return len(found) == wanted

            comes_true(arrived, "the second ships all")
            assert watching.shipping["points_written"] == 0
    finally:
        for process in started:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
    found = read_back(settings, tmp_path, mortal)
    assert len(found) == len(set(found))
    of_first = len([site for site, _ in found if site == "agra"])
    assert committed <= of_first <= committed + 5
    assert len([site for site, _ in found if site == "etah"]) == 400


def test_recent_time_can_be_read_while_the_server_is_away_and_old_time_says_why_not(
    servers, fleet, tmp_path, everything
) -> None:
    """What the journal has whole needs no server; what it has let go of gives one clear line."""
    settings = servers.settings("influxdb1")
    with closing(by_hand(settings, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(700)))
        while store.maintain(fleet.t0 + 9 * HOUR_NS):
            pass
        ship_all(store, servers)
        store.drop_shipped(fleet.t0 + 2 * HOUR_NS)
    away = msgspec.structs.replace(settings, url=f"http://127.0.0.1:{free_port()}")
    with closing(ServerReader(JournalReader(tmp_path / "journal.db"), connect(away))) as reader:
        recent = Selection(fleet.t0 + 2 * HOUR_NS, fleet.t0 + 9 * HOUR_NS)
        assert len(reader.streams(recent)) == 2 * (700 - 480)
        assert len(reader.gaps(recent).silences) == 1
        assert len(reader.items("ping", recent)) == 220
        assert len(reader.latest()) == 2
        assert reader.tail(0)[0] == 701
        for read in (reader.streams, reader.gaps, lambda span: reader.items("ping", span)):
            with pytest.raises(ServerError, match="cannot be reached") as caught:
                read(everything)
            assert "\n" not in str(caught.value)


def test_hours_of_absence_are_survived_and_late_reports_mend_what_the_journal_let_go_of(
    servers, kind, fleet, tmp_path, everything
) -> None:
    """Journal empty, server away, late reports come, the server returns: windows and roll-ups are whole, each version once."""
    settings = servers.settings(kind)
    present = [n for n in range(240) if n % 20 != 7]
    with closing(by_hand(settings, tmp_path)) as store:
        store.append(fleet.hours(["agra"], present))
        while store.maintain(fleet.t0 + 9 * HOUR_NS):
            pass
        ship_all(store, servers)
        store.drop_shipped(FOREVER_NS)
    away = msgspec.structs.replace(settings, url=f"http://127.0.0.1:{free_port()}")
    late = [fleet.report("agra", 1000 + n, n, late_ns=9 * HOUR_NS) for n in range(7, 240, 20)]
    with closing(by_hand(away, tmp_path)) as store:
        assert store.append(late) == [Fate.STORED] * 12
        store.maintain(fleet.t0 + 10 * HOUR_NS)  # their slots wait: the other windows are on the server
        with pytest.raises(StoreError):
            store.ship()
        store.drop_shipped(FOREVER_NS)
    with closing(by_hand(settings, tmp_path)) as store:
        while store.maintain(fleet.t0 + 11 * HOUR_NS):
            pass
        ship_all(store, servers)
        store.drop_shipped(FOREVER_NS)
        assert len(store.streams(everything)) == 480
        table = store.rollups(everything)
        assert table.columns["windows"].tolist() == [20] * 24
        assert np.isfinite(table.window_values["rtt_p95_ms"]).all()
        assert store.shipping["journal_backlog_rollups"] == 0


def test_the_journal_lets_go_only_of_what_is_old_and_shipped(servers, fleet, tmp_path, everything) -> None:
    """Pruning with nothing shipped keeps all; with all shipped it keeps `journal_days`, and the newest of each line."""
    settings = servers.settings("influxdb1", journal_days=0.05)
    now_ns = fleet.t0 + 9 * HOUR_NS
    with closing(by_hand(settings, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(600)))
        while store.maintain(now_ns):
            pass
        store.prune(now_ns)
        with closing(JournalReader(tmp_path / "journal.db")) as journal:
            assert len(journal.streams(everything)) == 1200
            ship_all(store, servers)
            while store.maintain(now_ns):
                pass
            store.prune(now_ns)
            kept = journal.streams(everything).columns["start_ns"]
            assert 2 <= len(kept) <= 2 * 240  # the hour of the newest window
            assert kept.max() == fleet.t0 + 599 * 15_000_000_000
        assert len(store.streams(everything)) == 1200


def test_a_full_disk_is_told_and_loses_nothing(servers, fleet, tmp_path, everything) -> None:
    """When the journal cannot grow, the append fails as a whole with StoreError; with room again all goes on."""
    settings = servers.settings("influxdb1")
    with closing(by_hand(settings, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(3)))
        connection: sqlite3.Connection = store._writer._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 1}")
        more = fleet.hours(["etah"], range(200))
        with pytest.raises(StoreError, match="full"):
            store.append(more)
        assert len(store.streams(everything)) == 6
        ship_all(store, servers)  # shipping goes on while the disk is full
        connection.execute("PRAGMA max_page_count=1073741823")
        assert store.append(more) == [Fate.STORED] * 200
        ship_all(store, servers)
        store.drop_shipped(FOREVER_NS)
        assert len(store.streams(everything)) == 406


def test_a_journal_that_grows_too_large_is_told_and_kept(servers, fleet, tmp_path, caplog) -> None:
    """Past `journal_megabytes` the operator is told, once; nothing is dropped."""
    settings = servers.settings("influxdb1", journal_megabytes=0.1)
    with closing(by_hand(settings, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(100)))
        store.maintain(fleet.t0)
        store.maintain(fleet.t0)
        told = [
            record.getMessage() for record in caplog.records if "journal_megabytes" in record.getMessage()
        ]
        assert len(told) == 1
        assert store.shipping["journal_too_large"] is True
        assert store.shipping["journal_backlog_reports"] == 100


def test_an_unreadable_cursor_only_makes_the_same_points_be_written_again(
    servers, kind, fleet, tmp_path, everything
) -> None:
    """A cursor that is lost, or of another journal, starts anew; the points are the same, so nothing is doubled."""
    with closing(by_hand(servers.settings(kind), tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(10)))
        ship_all(store, servers)
        for content in ("", "12 5\n", f"{store._own.identity()} 999\n"):
            (tmp_path / "journal.cursor").write_text(content)
            assert store.shipping["journal_backlog_reports"] == 10
            ship_all(store, servers)
            assert store.shipping["journal_backlog_reports"] == 0
        store.drop_shipped(FOREVER_NS)
        assert len(store.streams(everything)) == 20
