"""The hub's clock is put forward or back: nobody stands still until it has caught up, and nobody hurries."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from collector.upkeep import Upkeep
from dashboards.wall.live.poller import Poller
from telemetry.clock import ManualClock, StepWatch
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from conftest import Town


@pytest.mark.parametrize("hours", [2, -2])
def test_the_watch_begins_afresh(town: Town, caplog: pytest.LogCaptureFixture, hours: int) -> None:
    """It looks, beats and holds its lease by the new time at once, raises nothing because of it, and says so once."""
    caplog.set_level(logging.WARNING)
    town.play(60)
    town.watch.step()
    town.clock.step(hours * HOUR_NS)
    assert town.watch.step().looked
    now_ns = town.clock.now_ns()
    assert town.state.beats()["watch"].at_ns == now_ns
    assert town.state.lease_holder("watch", now_ns) is not None
    town.clock.advance(SECOND_NS)
    assert not town.watch.step().looked, "as ever"
    assert town.state.open_flags() == []
    assert [one.event for one in caplog.records if hasattr(one, "event")] == ["watch.clock-set"]


def test_the_walls_picture_goes_on(town: Town) -> None:
    """Set back by two hours, it is composed again after its second, not after two hours."""
    poller = Poller(town.live, town.reader, town.state, town.clock)
    assert poller._look() is not None
    assert poller._look() is None
    town.clock.step(-2 * HOUR_NS)
    town.clock.advance(SECOND_NS)
    assert poller._look() is not None


def test_a_wrong_year_throws_nothing_away() -> None:
    """Put forward by more than a day nothing is pruned for a day; by an hour, or back, pruning goes on each hour."""
    clock = ManualClock(100 * DAY_NS, 5 * SECOND_NS)
    pruned: list[int] = []
    maintained: list[int] = []

    async def run(work: Any, now_ns: int) -> object:
        await asyncio.sleep(0)
        return work(now_ns)

    ground: Any = SimpleNamespace(
        clock=clock,
        leading=SimpleNamespace(now=True),
        store=SimpleNamespace(maintain=maintained.append, prune=pruned.append),
        writer=SimpleNamespace(run=run),
    )

    async def rounds(count: int) -> None:
        enough = len(maintained) + count
        async with asyncio.timeout(60):
            while len(maintained) < enough:  # noqa: ASYNC110 - it has no bell for that
                await asyncio.sleep(0.001)

    async def looks() -> None:
        upkeep = Upkeep(ground, every_s=0.001)
        keeping = asyncio.create_task(upkeep.run())
        for step_ns, passed_ns, count in (
            (0, 0, 1),
            (HOUR_NS, HOUR_NS, 2),
            (-30 * DAY_NS, HOUR_NS, 3),
            (366 * DAY_NS, 2 * HOUR_NS, 3),
            (0, DAY_NS - 3 * HOUR_NS, 3),
            (0, 2 * HOUR_NS, 4),
        ):
            clock.step(step_ns)
            await rounds(3)
            clock.advance(passed_ns)
            await rounds(3)
            assert len(pruned) == count
        keeping.cancel()

    asyncio.run(looks())


def test_small_corrections_are_no_step() -> None:
    """Of a hub only what is beyond 5 s counts; each step once."""
    clock = ManualClock(DAY_NS, 0)
    watch = StepWatch(clock)
    clock.advance(HOUR_NS)
    clock.step(4 * SECOND_NS)
    assert watch.set_by_ns() == 0
    clock.step(-HOUR_NS)
    assert (watch.set_by_ns(), watch.set_by_ns()) == (-HOUR_NS, 0)
