"""A room that fails is started again, and only it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from config.live import LiveConfig
from tatpar.hub.keeping import LONGEST_WAIT_S, Failure, kept
from tatpar.hub.up import Up, UpOptions
from telemetry.state.db import StateDb
from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """Sleeps in no time, and remembers."""

    def __init__(self, naps: int) -> None:
        self.now_s = 0.0
        self.naps: list[float] = []
        self._left = naps

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now_s += seconds
        self._left -= 1
        if not self._left:
            raise asyncio.CancelledError

    def monotonic(self) -> float:
        return self.now_s


async def test_failures_are_followed_by_starts_ever_further_apart(caplog: pytest.LogCaptureFixture) -> None:
    """A room that keeps failing is tried for ever, with waits that double up to a cap, a line each."""
    clock = Clock(8)

    async def room() -> None:
        raise ValueError("broken")

    with pytest.raises(asyncio.CancelledError):
        await kept("wall", room, sleep=clock.sleep, monotonic=clock.monotonic)
    assert clock.naps[:4] == [1, 2, 4, 8]
    assert clock.naps[-1] == LONGEST_WAIT_S
    assert sum("wall has failed" in line for line in caplog.messages) == 8


async def test_a_long_good_run_forgives(caplog: pytest.LogCaptureFixture) -> None:
    """After two minutes without a failure the next wait is the shortest again; ending is as bad as failing."""
    clock = Clock(5)

    async def room() -> None:
        if len(clock.naps) == 3:
            clock.now_s += 1000

    with pytest.raises(asyncio.CancelledError):
        await kept("watch", room, sleep=clock.sleep, monotonic=clock.monotonic)
    assert clock.naps == [1, 2, 4, 1, 2]
    assert "watch has ended by itself" in caplog.text


async def test_each_failure_is_told_with_what_was_at_its_bottom() -> None:
    """Who keeps the room hears how often it failed, why (through groups of tasks), and when it starts again."""
    clock, heard = Clock(3), list[Failure]()

    async def room() -> None:
        if len(clock.naps) == 2:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(broken())

    async def broken() -> None:
        raise OverflowError("cannot convert\na giant")

    with pytest.raises(asyncio.CancelledError):
        await kept("watch", room, failed=heard.append, sleep=clock.sleep, monotonic=clock.monotonic)
    assert [(each.room, each.count, each.wait_s) for each in heard] == [
        ("watch", 1, 1.0),
        ("watch", 2, 2.0),
        ("watch", 3, 4.0),
    ]
    assert [each.why for each in heard[1:]] == ["OverflowError: cannot convert", "it has ended by itself"]


async def test_cancelling_ends_it() -> None:
    """A kept room ends when it is cancelled, and is not started again."""
    started = asyncio.Event()

    async def room() -> None:
        assert not started.is_set()
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(kept("alerts", room))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_up_notes_a_failure_and_puts_a_young_change_back(tmp_path: Path) -> None:
    """A room's failure is noted for the doctor; over a young change of the settings it undoes that, over a full disk not."""
    file = tmp_path / "tatpar.toml"
    file.write_text("[watch]\ndark_after_s = 60\n", encoding="utf-8")
    live = LiveConfig(file)
    up = Up(live, UpOptions(tmp_path), lambda _: None)
    file.write_text("[watch]\ndark_after_s = 61.5\n", encoding="utf-8")
    live.refresh()
    up._failed(Failure("watch", 1, 1.0, StoreError("disk full")))
    assert live.current.settings.watch.dark_after_s == 61.5
    up._failed(Failure("watch", 2, 2.0, OverflowError("too much")))
    assert live.current.settings.watch.dark_after_s == 60
    with contextlib.closing(StateDb(tmp_path / "state.db")) as state:
        detail = state.beats()["failure:watch"].detail
    assert detail == {"why": "OverflowError: too much", "count": 2, "wait_s": 2.0}
