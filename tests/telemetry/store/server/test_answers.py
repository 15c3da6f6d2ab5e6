"""What a server may answer to a write, and what becomes of the reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from telemetry.store.protocol import Selection
from telemetry.store.server.connect import connect
from telemetry.store.server.database import AwayError, DeniedError, RejectedError, TooLargeError
from telemetry.store.server.delivery import Delivery
from telemetry.store.server.quarantine import Quarantine
from telemetry.store.server.shipping import Shipping
from telemetry.store.server.wire import error_of
from telemetry.windows import DAY_NS
from tests.telemetry.store.servers import by_hand, free_port, ship_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.store.server import ServerStore

FOREVER_NS = 40_000 * DAY_NS


def drained(store: ServerStore, servers) -> None:
    """Ship until nothing waits, trying again after each refusal."""
    for _ in range(60):
        try:
            ship_all(store, servers)
        except AwayError:
            continue
        return
    pytest.fail("the server never took it")


@pytest.mark.parametrize(
    "plan",
    [
        ["500", "429", "cut", "500"],
        ["half", "half", "lost"],
        ["lost", "500", "half", "lost", "cut"],
        ["413", "413", "half"],
    ],
    ids=" ".join,
)
def test_whatever_the_server_answers_every_window_arrives_once(
    servers, kind, proxy, *, fleet, tmp_path, rows, expected, everything, plan
) -> None:
    """Errors, cut connections, half-stored batches, lost answers: in the end each window is there once, none twice."""
    store = by_hand(servers.settings(kind, url=proxy.url, batch_reports=10), tmp_path)
    reports = fleet.hours(["agra", "etah"], range(15))
    store.append(reports)
    proxy.faults.plan = list(plan)
    drained(store, servers)
    assert not proxy.faults.plan
    store.drop_shipped(FOREVER_NS)
    table = store.streams(everything)
    assert [(r["site"], r["path"], r["start_ns"]) for r in rows(table)] == [
        (r["site"], r["path"], r["start_ns"]) for r in expected(reports)
    ]
    assert table.columns["sent"].tolist() == [60] * len(table)
    assert store.shipping["journal_backlog_reports"] == 0
    store.close()


def test_a_report_that_is_refused_half_way_is_not_lost_from_reads(
    servers, kind, proxy, *, fleet, tmp_path, everything
) -> None:
    """While a batch is stored by half, reads give each window once: the journal and the server do not add up."""
    store = by_hand(servers.settings(kind, url=proxy.url), tmp_path)
    store.append(fleet.hours(["agra"], range(12)))
    proxy.faults.plan = ["half"]
    with pytest.raises(AwayError):
        store.ship()
    servers.flush()
    store.drop_shipped(FOREVER_NS)  # nothing is shipped yet: nothing may go
    assert len(store.streams(everything)) == 24
    store.close()


def test_answers_are_told_apart_by_who_must_act() -> None:
    """Statuses become outcomes; the text says what to do, and how long the server wants to be left alone."""

    def of(status: int, headers=None, body="") -> Exception:
        return error_of("http://x (b)", status, headers or {}, body)

    assert isinstance(of(400, body="unable to parse"), RejectedError)
    assert isinstance(of(422), RejectedError)
    assert isinstance(of(413), TooLargeError)
    denied = of(401)
    assert isinstance(denied, DeniedError)
    assert "store.token" in str(denied)
    assert "tatpar store init" in str(of(404))
    busy = of(429, {"Retry-After": "7"})
    assert isinstance(busy, AwayError)
    assert busy.retry_after_s == 7
    assert of(503).retry_after_s is None  # type: ignore[attr-defined]
    assert of(503, {"Retry-After": "soon"}).retry_after_s is None  # type: ignore[attr-defined]


def test_a_server_that_cannot_be_reached_is_away(servers, kind) -> None:
    """A refused connection is told in one line, without objects' addresses or a traceback's words."""
    settings = servers.settings(kind, url=f"http://127.0.0.1:{free_port()}")
    database = connect(settings)
    with pytest.raises(AwayError, match="cannot be reached") as caught:
        database.write(["a b=1i 1"])
    assert "0x" not in str(caught.value)
    assert "\n" not in str(caught.value)
    database.close()


class Picky:
    """A server that takes all lines but some, and names one fault at a time, as InfluxDB does."""

    strings = True
    where = "picky"

    def __init__(self, most: int = 10**9) -> None:
        self.stored: set[str] = set()
        self.most = most
        self.requests = 0

    def write(self, lines: Sequence[str]) -> None:
        self.requests += 1
        if len(lines) > self.most:
            raise TooLargeError("HTTP 413")
        bad = [line for line in lines if "bad" in line]
        self.stored |= set(lines) - set(bad)
        if bad:
            raise RejectedError(f"HTTP 400: unable to parse '{bad[0]}'")


def test_guilty_points_are_found_counted_and_put_aside(tmp_path) -> None:
    """Of a batch that is refused in part, all good points are stored and exactly the guilty ones put aside with a reason."""
    server, shipping = Picky(), Shipping("picky")
    file = tmp_path / "rejected"
    lines = [f"{'bad' if n in (3, 4, 700, 999) else 'good'}{n} v=1i {n}" for n in range(1000)]
    Delivery(server, shipping, Quarantine(file)).send(lines)  # type: ignore[arg-type]
    assert len(server.stored) == 996
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [entry["line"].split()[0] for entry in kept] == ["bad3", "bad4", "bad700", "bad999"]
    assert all("unable to parse" in entry["reason"] for entry in kept)
    assert shipping.figures()["rejected_points"] == 4
    assert server.requests < 100


def test_a_batch_that_is_too_large_is_cut_and_stays_cut(tmp_path) -> None:
    """After 413 batches are smaller, also the next ones; nothing is refused."""
    server, shipping = Picky(most=60), Shipping("picky")
    delivery = Delivery(server, shipping, Quarantine(tmp_path / "rejected"))  # type: ignore[arg-type]
    delivery.send([f"good{n} v=1i {n}" for n in range(500)])
    assert len(server.stored) == 500
    before = server.requests
    delivery.send([f"more{n} v=1i {n}" for n in range(500)])
    assert len(server.stored) == 1000
    assert server.requests - before <= 17
    assert shipping.figures()["rejected_points"] == 0


def test_the_real_engine_stores_the_good_lines_of_a_batch_that_it_refuses(servers, tmp_path) -> None:
    """InfluxDB 1: HTTP 400 is partial success; halving leaves exactly the guilty line outside."""
    settings = servers.settings("influxdb1")
    database, shipping = connect(settings), Shipping("x")
    good = [f"m,site=agra v={n}i {1_700_000_000_000 + n}" for n in range(50)]
    Delivery(database, shipping, Quarantine(tmp_path / "rejected")).send(
        [*good[:20], "m,site=agra v=", *good[20:], "m,site=agra v=1.5 1700000000999"]
    )
    assert shipping.figures()["rejected_points"] == 2
    (series,) = database.query("SELECT count(v) FROM m")  # type: ignore[attr-defined]
    assert series.values[0][1] == 50
    database.close()


def test_points_beyond_the_servers_retention_are_counted_and_not_searched_for(servers, tmp_path) -> None:
    """They are expired, not guilty: one request, no quarantine."""
    settings = servers.settings("influxdb1")
    database, shipping = connect(settings), Shipping("x")
    assert database.create()[1].startswith("retention policy tatpar: 50 days")
    Delivery(database, shipping, Quarantine(tmp_path / "rejected")).send(
        [f"m,site=agra v={n}i {1_500_000_000_000 + n}" for n in range(64)]
    )
    assert shipping.figures()["expired_points"] == 64
    assert not (tmp_path / "rejected").exists()
    database.close()


def test_nothing_that_was_ever_written_was_malformed(servers, fleet, tmp_path) -> None:
    """VictoriaMetrics answers 204 to rubbish and only counts it: after names with signs and floats of all sizes it counts none."""
    server = servers.of("victoriametrics")
    store = by_hand(servers.settings("victoriametrics"), tmp_path)
    store.append(fleet.hours(["agra"], range(5)))
    ship_all(store, servers)
    metrics = server.get("/metrics").data.decode()
    (invalid,) = [
        line for line in metrics.splitlines() if line.startswith('vm_rows_invalid_total{type="influx"}')
    ]
    assert invalid.split()[-1] == "0"
    assert store.streams(Selection(0, FOREVER_NS)).columns["sent"].sum() == 600
    store.close()
