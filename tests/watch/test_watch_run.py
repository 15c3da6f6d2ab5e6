"""The watch as a task: it works by itself, survives trouble with its files, and lets go when cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import tatpar.watching.rounds
from tatpar.watching.watch import Watch
from telemetry.clock import SystemClock
from telemetry.store.errors import StoreError
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from conftest import Town


async def eventually(town: Town, what: str, done: object, within_s: float = 60.0) -> None:
    """Real time is the subject here: polls are a third of a second apart."""
    for _ in range(int(within_s / 0.05)):
        if done():  # type: ignore[operator]
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not within {within_s} s: {what}; beats: {town.state.beats()}")


async def test_run_takes_in_reports_and_beats(town: Town) -> None:
    """Started as a task it loads the past, takes in what is committed, says verdicts and beats; cancelled, it gives the lease back."""
    clock = SystemClock()
    town.meet(town.meeting("review", (clock.now_ns() - town.t0) / 3.6e12 + 1))
    watch = Watch(town.live, town.reader, town.state, clock)
    task = asyncio.create_task(watch.run())
    await eventually(town, "the first verdicts", lambda: town.state.verdicts(0, 2**62))
    now_ns = clock.now_ns()
    start = now_ns - now_ns % WINDOW_NS - WINDOW_NS
    town.report(start, now_ns)
    await eventually(town, "windows taken in", lambda: watch.counters.windows == 8)
    await eventually(town, "the past", lambda: watch._hindsight.past is not None)
    assert town.state.lease_holder("watch", clock.now_ns()) is not None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert town.state.lease_holder("watch", clock.now_ns()) is None
    detail = town.state.beats()["watch"].detail
    assert {"windows", "late", "future", "looks", "look_ms", "forecasts_issued", "history_hours"} <= set(
        detail
    )


async def test_trouble_with_the_store_is_told_once_and_outlived(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While the store cannot be read the watch waits, warns once, and goes on when it can."""
    monkeypatch.setattr(tatpar.watching.rounds, "RETRY_S", 0.05)
    watch = Watch(town.live, town.reader, town.state, SystemClock())
    broken = True
    tail = town.reader.tail

    def failing(*arguments: int, **choice: bool) -> object:
        if broken:
            raise StoreError("disk full")
        return tail(*arguments, **choice)

    monkeypatch.setattr(town.reader, "tail", failing)
    task = asyncio.create_task(watch.run())
    await eventually(town, "trouble", lambda: watch.counters.troubles >= 3)
    broken = False
    await eventually(town, "work", lambda: watch.counters.looks >= 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    warnings = [record for record in caplog.records if "cannot go on" in record.message]
    assert len(warnings) == 1
    assert "disk full" in warnings[0].getMessage()
