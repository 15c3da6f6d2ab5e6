"""What is stored is looked at because it was stored, and what is said goes on to the alerts: nobody waits for a timer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import alerts.service
import tatpar.watching.watch
from alerts.service import Alerts
from telemetry.bell import Bell
from telemetry.clock import SystemClock
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from conftest import Town

HOUR_S = 3600.0


async def eventually(what: str, done: Callable[[], object]) -> None:
    """A generous limit; nothing is said about how long it takes."""
    for _ in range(1200):
        if done():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not within a minute: {what}")


async def _stopped(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class CountingDelivery:
    """Counts the steps of the alerts."""

    steps = 0

    def step(self, *_: object) -> int:
        self.steps += 1
        return 0


async def test_a_commit_wakes_the_watch_and_the_watch_the_alerts(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With timers of an hour, a report that was stored is judged, and the alerts look, at the ring."""
    monkeypatch.setattr(tatpar.watching.watch, "POLL_S", HOUR_S)
    committed, spoken, clock = Bell(), Bell(), SystemClock()
    town.meet(town.meeting("review", (clock.now_ns() - town.t0) / 3.6e12 + 1))
    watch = tatpar.watching.watch.Watch(
        town.live, town.reader, town.state, clock, committed=committed, spoken=spoken
    )
    watching = asyncio.create_task(watch.run())
    try:
        await eventually("the first look and the past", lambda: watch._hindsight.past is not None)
        now_ns = clock.now_ns()
        town.report(now_ns - now_ns % WINDOW_NS - WINDOW_NS, now_ns)
        committed.ring()
        await eventually("windows taken in", lambda: watch.counters.windows == 8)
        assert await spoken.wait(60)
    finally:
        await _stopped(watching)


@pytest.mark.parametrize("how", ["ring", "another process"])
async def test_the_alerts_look_at_what_is_new(town: Town, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """With a timer of an hour the alerts take a step when the watch rings, or when somebody else writes."""
    monkeypatch.setattr(alerts.service, "PERIOD_S", HOUR_S)
    monkeypatch.setattr(alerts.service, "POLL_S", HOUR_S if how == "ring" else 0.02)
    news, delivery = Bell(), CountingDelivery()
    service = Alerts(town.live, town.state, delivery=delivery, news=news)
    working = asyncio.create_task(service.run())
    try:
        await eventually("the first step", lambda: delivery.steps)
        if how != "ring":
            await eventually("rest", lambda: not service._has_changed())
        before = delivery.steps
        if how == "ring":
            news.ring()
        else:
            town.state.beat("another", 1, {})
        await eventually("another step", lambda: delivery.steps > before)
    finally:
        await _stopped(working)


def test_up_hands_the_bells_on(monkeypatch: pytest.MonkeyPatch, town: Town) -> None:
    """`tatpar up` gives the collector's bell to the watch, and the watch's to the alerts."""
    import tatpar.hub.up as module

    got: dict[str, dict[str, Any]] = {}

    def room(name: str) -> type:
        class Room:
            def __init__(self, *_: object, **options: Any) -> None:
                got[name] = options

            async def run(self) -> None:
                """Nothing to do."""

        return Room

    for name in ("Collector", "Watch", "Alerts"):
        monkeypatch.setattr(module, name, room(name))
    up = module.Up(town.live, module.UpOptions(town.folder, lab=True), lambda _: None)
    broker: Any = None
    rooms: list[Coroutine[Any, Any, None]] = [up._collect(town.store, broker), up._watch(), up._alert()]
    for one in rooms:
        asyncio.run(one)
    assert got["Collector"]["committed"] == got["Watch"]["committed"].ring
    assert got["Watch"]["spoken"] is got["Alerts"]["news"]
