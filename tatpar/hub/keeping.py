"""Keeping a room going: one that fails is started again after a while, and says so once each time."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

_log = logging.getLogger(__name__)
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
GOOD_RUN_S: Final = 120.0
"""After so long without a failure the next one is the first again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A room has failed, or has ended by itself, and is started again after `wait_s`."""

    room: str
    count: int
    """How often since the start of the process."""
    wait_s: float
    error: Exception | None = None
    """None: it has ended without one."""

    @property
    def why(self) -> str:
        """In a line."""
        if self.error is None:
            return "it has ended by itself"
        return f"{type(self.error).__name__}: {self.error}".splitlines()[0].rstrip(": ")


async def kept(
    name: str,
    room: Callable[[], Coroutine[Any, Any, None]],
    *,
    failed: Callable[[Failure], None] = lambda _: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Run a room until cancelled, starting it again whenever it ends; waits double up to half a minute.

    `failed` hears of each end, so that who asks (`tatpar doctor`) learns of it; it must not raise.
    A NOC would rather have a wall without alerts for a second than neither, so no room's fault is another's.
    """
    wait_s, count = FIRST_WAIT_S, 0
    while True:
        began_s, error = monotonic(), None
        try:
            await room()
            extra = {"event": "room.ended", "room": name}
            _log.error("%s has ended by itself; started again in %g s", name, wait_s, extra=extra)
        except Exception as raised:  # noqa: BLE001 - whatever it was, the others go on
            extra = {"event": "room.failed", "room": name}
            _log.exception("%s has failed; started again in %g s", name, wait_s, extra=extra)
            error = raised
        count += 1
        failed(Failure(name, count, wait_s, _innermost(error)))
        if monotonic() - began_s > GOOD_RUN_S:
            wait_s = FIRST_WAIT_S
        await sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def _innermost(error: Exception | None) -> Exception | None:
    """The first error within groups of them: a room is a group of tasks, and the group says nothing."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
