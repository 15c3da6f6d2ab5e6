"""The bell between rooms: it wakes who waits, keeps a ring, and needs no ring to go on."""

from __future__ import annotations

import asyncio
import threading

from telemetry.bell import Bell

LONG_S = 3600.0


async def test_a_ring_from_a_thread_wakes_the_waiter() -> None:
    """Whoever waits an hour goes on when another thread rings."""
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(LONG_S))
    await asyncio.sleep(0)
    thread = threading.Thread(target=bell.ring)
    thread.start()
    assert await asyncio.wait_for(waiting, 60)
    thread.join()


async def test_rings_before_anybody_waits_are_kept_as_one() -> None:
    """Two rings while nobody waits wake once; the next wait lasts as long as it may."""
    bell = Bell()
    bell.ring()
    bell.ring()
    assert await asyncio.wait_for(bell.wait(LONG_S), 60)
    assert not await bell.wait(0.01)


async def test_nobody_rings() -> None:
    """Without a ring it goes on after the longest wait, and says that nobody rang."""
    assert not await Bell().wait(0.01)


async def test_a_cancelled_wait_leaves_the_bell_whole() -> None:
    """A ring after a wait was cancelled is kept for the next one."""
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(LONG_S))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    bell.ring()
    assert await asyncio.wait_for(bell.wait(LONG_S), 60)
