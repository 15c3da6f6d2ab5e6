"""Who is checked when: a check of a password is dear on purpose, and strangers get only a share of it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from dashboards.wall.web.answers import BadRequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

AT_ONCE: Final = 2
"""A check takes 19 MB and some 50 ms of a core; more than that wait."""
MOST_WAITING: Final = 32
_TOO_MANY: Final = "too many are signing in at this moment; try again in a few seconds"


class Lane:
    """Checks of one kind of people: so many at once, so many waiting, each turn with its rest."""

    def __init__(self, at_once: int, *, rest: float = 0.0, most_waiting: int = MOST_WAITING) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._rest = rest
        self._most_waiting = most_waiting
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn, and have it.

        Raises:
            BadRequestError: too many wait already.
        """
        if self._waiting >= self._most_waiting:
            raise BadRequestError(_TOO_MANY, 503)
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        begin_s, resting_s = time.monotonic(), 0.0
        try:
            yield
        finally:
            resting_s = self._rest * (time.monotonic() - begin_s)
            asyncio.get_running_loop().call_later(resting_s, self._turn.release)


class Checking:
    """Two lanes: addresses from which somebody has signed in, and all others.

    Whoever guesses from a thousand addresses fills the second lane alone, and that gives a guess half a core at most.
    """

    def __init__(self) -> None:
        self._known = Lane(AT_ONCE)
        self._strangers = Lane(1, rest=1.0)

    def lane(self, *, known: bool) -> Lane:
        """The one for an address."""
        return self._known if known else self._strangers
