"""Keeping a room going: one that fails is started again after a while, and says so once each time."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

_log = logging.getLogger(__name__)
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
_GOOD_RUN_S: Final = 120.0
"""After so long without a failure the next one is the first again."""


async def kept(
    name: str,
    room: Callable[[], Coroutine[Any, Any, None]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Run a room until cancelled, starting it again whenever it ends; waits double up to half a minute.

    A NOC would rather have a wall without alerts for a second than neither, so no room's fault is another's.
    """
    wait_s = FIRST_WAIT_S
    while True:
        began_s = monotonic()
        try:
            await room()
            extra = {"event": "room.ended", "room": name}
            _log.error("%s has ended by itself; started again in %g s", name, wait_s, extra=extra)
        except Exception:  # noqa: BLE001 - whatever it was, the others go on
            extra = {"event": "room.failed", "room": name}
            _log.exception("%s has failed; started again in %g s", name, wait_s, extra=extra)
        if monotonic() - began_s > _GOOD_RUN_S:
            wait_s = FIRST_WAIT_S
        await sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
