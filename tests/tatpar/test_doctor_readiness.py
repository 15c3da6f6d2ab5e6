"""What the doctor makes of a collector's `/readyz`; a collector whose store is held is in tests/e2e/test_store_locked.py."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from collector.broker.ports import free_port
from tatpar.examination.finding import Level
from tatpar.examination.readiness import readiness

if TYPE_CHECKING:
    from collections.abc import Iterator

WELL = {"ok": True, "since": "2026-11-27T04:00:00Z"}
STORE = {"ok": False, "since": "2026-11-27T04:14:17Z", "problem": "reports.db: database is locked"}
BROKER = {"ok": False, "since": "2026-11-27T04:12:10Z", "problem": "not connected, or not subscribed"}


@contextmanager
def answering(status: int, page: object) -> Iterator[str]:
    """A server that answers every question so; its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(page).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, name="readyz")
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(60)


def test_each_check_that_is_not_well_is_told_with_since_when() -> None:
    """503 is an answer; what helps a store that is held is another thing than what helps a broker."""
    with answering(503, {"status": "not ready", "checks": {"store": STORE, "broker": BROKER}}) as address:
        found = readiness("collector", address)
    assert found.level is Level.BROKEN
    assert found.text == (
        "not ready: store: reports.db: database is locked (2026-11-27T04:14:17Z), "
        "broker: not connected, or not subscribed (2026-11-27T04:12:10Z)"
    )
    assert "which program holds the store's file" in found.remedy
    with answering(503, {"checks": {"store": WELL, "broker": BROKER}}) as address:
        assert "docs/operations.md" in readiness("collector", address).remedy
    with answering(200, {"checks": {"store": WELL, "broker": WELL}}) as address:
        assert readiness("collector", address).level is Level.FINE


def test_a_collector_that_has_just_been_started_is_not_broken() -> None:
    """It still connects: less than well for ten seconds, broken afterwards; a store that does not answer has been waited for already."""
    now = datetime.now(UTC)
    young, old = (
        BROKER | {"since": (now - timedelta(seconds=each)).isoformat(timespec="seconds")} for each in (3, 30)
    )
    held = STORE | {"since": now.isoformat(timespec="seconds")}
    for checks, level in (
        ({"broker": young}, Level.LESS),
        ({"broker": old}, Level.BROKEN),
        ({"broker": young, "lease": old}, Level.BROKEN),
        ({"broker": young, "store": held}, Level.BROKEN),
        ({"broker": {"ok": False, "since": "soon"}}, Level.BROKEN),
    ):
        with answering(503, {"checks": checks}) as address:
            assert readiness("collector", address).level is level, checks


@pytest.mark.parametrize("page", [[], {}, {"checks": ["store"]}, {"checks": {"store": 1}}, "ready"])
def test_a_page_of_another_kind_is_no_answer(page: object) -> None:
    """Something else has the port: that is less than well, and no fault of the store's."""
    with answering(200, page) as address:
        found = readiness("collector", address)
    assert (found.level, found.subject) == (Level.LESS, "readiness of collector")
    assert found.text.startswith(f"{address}/readyz does not answer: ")


def test_nobody_there_is_no_answer() -> None:
    """The port is closed."""
    address = f"127.0.0.1:{free_port()}"
    assert readiness("collector", address).text.startswith(f"{address}/readyz does not answer: ")
