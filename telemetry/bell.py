"""A bell between the rooms of one process: what has news rings it, what waits for news goes on at once.

It carries nothing: whoever is woken looks for itself, as it does when nobody rings (another process has no bell).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Lock


class Bell:
    """Wakes the one task that waits; a ring while nobody waits is kept, many count as one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_rung = False
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def ring(self) -> None:
        """There is news; may be called from any thread."""
        with self._lock:
            self._is_rung = True
            if self._waiter is None:
                return
            loop, event = self._waiter
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(event.set)

    async def wait(self, longest_s: float) -> bool:
        """Wait until it rings, `longest_s` seconds at most; whether it rang."""
        event = asyncio.Event()
        with self._lock:
            waits = not self._is_rung
            if waits:
                self._waiter = (asyncio.get_running_loop(), event)
        try:
            if waits:
                async with asyncio.timeout(longest_s):
                    await event.wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiter = None
        with self._lock:
            rung, self._is_rung = self._is_rung, False
        return rung
