"""A room that fails is started again, and only it."""

from __future__ import annotations

import asyncio

import pytest

from tatpar.keeping import LONGEST_WAIT_S, kept


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
