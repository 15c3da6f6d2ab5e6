"""One office floods through a real broker: the others get through, the broker accepts the refusals, nothing is lost."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from telemetry.messages import Envelope
    from telemetry.store.protocol import Fate, Received
    from telemetry.store.sqlite import SqliteStore

    Eventually = Callable[..., Awaitable[None]]
    Maker = Callable[..., Envelope]

pytestmark = pytest.mark.server


class Slow:
    """A store that waits until it may."""

    def __init__(self, inner: SqliteStore) -> None:
        self._inner = inner
        self.may = threading.Event()
        self.asked = threading.Event()

    def append(self, reports: Sequence[Received]) -> list[Fate]:
        self.asked.set()
        if not self.may.wait(60):
            raise StoreError("the disk is stalled")  # nothing that a report could be blamed for
        return self._inner.append(reports)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


async def test_a_flood_through_the_broker_is_refused_for_now_and_stored_when_it_comes_again(
    hub: Any, eventually: Eventually, make_envelope: Maker
) -> None:
    """Five hundred of Agra against a stalled disk: half of the inbox is theirs, Meerut's five are taken all the same."""
    config = hub.live.current
    narrow = replace(
        config.settings.collector, queue_reports=200, site_queue_reports=20, batch_reports=50, batch_ms=5
    )
    hub.live._current = replace(config, settings=replace(config.settings, collector=narrow))
    store = Slow(hub.store)
    epoch = make_envelope().epoch
    async with dataclasses.replace(hub, store=store).collecting() as collector, hub.office() as office:
        await office.report(make_envelope(1))
        await eventually(store.asked.is_set)  # the first is a batch of its own, however fast the others come
        for seq in range(2, 501):
            await office.report(make_envelope(seq))
        await eventually(lambda: collector.detail()["deferred"] == 399)
        for seq in range(1, 6):
            await office.report(make_envelope(seq, site="meerut"), site="meerut")
        await eventually(lambda: collector.detail()["queue_messages"] == 106)
        assert collector.detail()["deferred_by_site"] == {"agra": 399}
        assert collector.bridge.pauses == 0
        store.may.set()
        await eventually(lambda: collector.counters.stored == 106)
        assert list(hub.store.received("meerut", "p1")[epoch]) == [(1, 5)]
        for _ in range(20):  # the spool sends again what `stored` does not cover
            for first, last in hub.store.received("agra", "p1")[epoch].holes(1, 500):
                for seq in range(first, last + 1):
                    await office.report(make_envelope(seq))
            await eventually(lambda: collector.detail()["queue_messages"] == 0)
            if collector.counters.stored == 505:
                break
        assert list(hub.store.received("agra", "p1")[epoch]) == [(1, 500)]
        assert collector.counters.stored == 505
        assert collector.bridge.connects == 1
        assert not collector.counters.refused
