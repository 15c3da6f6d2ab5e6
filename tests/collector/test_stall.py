"""When the store cannot keep up or cannot write, reading stops and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
from typing import TYPE_CHECKING

import psutil
import pytest
from msgspec.structs import replace

from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from typing import Any

    from telemetry.messages import Envelope
    from telemetry.store.protocol import Fate, Received
    from telemetry.store.sqlite import SqliteStore

    Eventually = Callable[..., Awaitable[None]]
    Maker = Callable[..., Envelope]

pytestmark = pytest.mark.server
TRIES = 8
SILENT_S = 0.7
"""Less than what is left of one and a half keepalives of a second after the last echo, and some for the broker's own clock."""


class Gate:
    """A store whose disk can be slow (closed: it waits) or full (it raises)."""

    def __init__(self, inner: SqliteStore) -> None:
        self._inner = inner
        self.opened = threading.Event()
        self.opened.set()
        self.disk_full = False
        self.attempts = 0

    def append(self, reports: Sequence[Received]) -> list[Fate]:
        self.attempts += 1
        assert self.opened.wait(60)
        if self.disk_full:
            raise StoreError("database or disk is full")
        return self._inner.append(reports)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def small_queue(hub: Any) -> Any:
    """A hub with room for 200 reports, in batches of 100, before a gate; with each broker."""
    return narrowed(hub)


@pytest.fixture
def small_queue_at_mosquitto(killable_hub: Any) -> Any:
    """The same with mosquitto alone."""
    return narrowed(killable_hub)


def narrowed(hub: Any) -> Any:
    config = hub.live.current
    collector = replace(config.settings.collector, queue_reports=200, batch_reports=100, batch_ms=20)
    hub.live._current = replace(config, settings=replace(config.settings, collector=collector))
    return dataclasses.replace(hub, store=Gate(hub.store))


async def test_reading_stops_while_the_store_stalls_and_memory_stays_bounded(
    small_queue: Any, eventually: Eventually, make_envelope: Maker
) -> None:
    """Two thousand reports against a stalled disk: the queue holds 200, the rest wait at the broker, all are stored."""
    store = small_queue.store
    async with small_queue.collecting() as collector, small_queue.office() as agra:
        store.opened.clear()
        before = psutil.Process().memory_info().rss
        for seq in range(1, 2001):
            await agra.client.publish(
                "tatpar/1/agra/p1/report", encoded(make_envelope(seq), pad=2000), qos=1, timeout=60
            )
        await eventually(lambda: collector.bridge.pauses == 1)
        assert collector.detail()["queue_high_messages"] <= 200 + 64
        assert psutil.Process().memory_info().rss - before < 30_000_000
        assert collector.counters.stored == 0
        store.opened.set()
        await eventually(lambda: collector.counters.stored == 2000, within_s=120)
        assert list(store.received("agra", "p1")[make_envelope().epoch]) == [(1, 2000)]
        assert collector.detail()["queue_high_messages"] <= 200 + 64
        await eventually(lambda: collector.detail()["queue_messages"] == 0)


async def test_a_full_disk_is_said_once_and_outlasted(
    small_queue_at_mosquitto: Any,
    eventually: Eventually,
    make_envelope: Maker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is acknowledged while nothing can be stored; it goes on by itself when there is room."""
    store = small_queue_at_mosquitto.store
    store.disk_full = True
    async with small_queue_at_mosquitto.collecting() as collector, small_queue_at_mosquitto.office() as agra:
        for seq in range(1, 11):
            await agra.report(make_envelope(seq))
        await eventually(lambda: collector.counters.commit_failures >= 3)
        assert "disk is full" in str(collector.detail()["trouble"])
        assert agra.on("stored") == []
        store.disk_full = False
        await eventually(lambda: collector.counters.stored == 10)
        assert collector.detail()["trouble"] == []
    said = [record.getMessage() for record in caplog.records if "cannot be stored" in record.getMessage()]
    assert len(said) == 2  # that it fails, and that it works again


async def test_a_long_pause_does_not_cost_the_connection(
    small_queue_at_mosquitto: Any,
    eventually: Eventually,
    make_envelope: Maker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While we do not read, the broker still hears from us: three seconds' stall at a keepalive of one second."""
    from collector import mqtt

    monkeypatch.setattr(mqtt, "ECHO_S", 0.3)
    store = small_queue_at_mosquitto.store
    for turn in range(TRIES):
        async with (
            small_queue_at_mosquitto.collecting(keepalive_s=1) as collector,
            small_queue_at_mosquitto.office() as agra,
            standing_still() as longest_s,
        ):
            store.opened.clear()
            for seq in range(400 * turn + 1, 400 * turn + 401):
                await agra.report(make_envelope(seq))
            await eventually(lambda bridge=collector.bridge: bridge.pauses == 1)
            threading.Timer(3.0, store.opened.set).start()
            await eventually(lambda counters=collector.counters: counters.stored == 400, within_s=120)
        if longest_s[0] < SILENT_S:
            assert collector.bridge.connects == 1
            assert collector.counters.duplicates == 0
            return
    pytest.fail("the machine is too busy")


@contextlib.asynccontextmanager
async def standing_still() -> AsyncIterator[list[float]]:
    """For how long this process stood still at the worst: a keepalive cannot be kept meanwhile."""
    longest_s = [0.0]

    async def feel() -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            await asyncio.sleep(0.02)
            longest_s[0] = max(longest_s[0], loop.time() - began_s)

    feeling = asyncio.create_task(feel())
    yield longest_s
    feeling.cancel()


def encoded(envelope: Envelope, pad: int) -> bytes:
    """A report that is larger by a field which this version ignores."""
    from telemetry.codec import encode

    return encode(envelope)[:-1] + b',"later":"' + b"x" * pad + b'"}'
