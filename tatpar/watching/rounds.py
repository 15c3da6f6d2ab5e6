"""The watch's rounds: work done on a thread again and again, whatever happens to the files meanwhile."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from telemetry.state.errors import StateError
from telemetry.store.by_blocks import SchedulerError
from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tatpar.watching.counters import Counters

RETRY_S: Final = 5.0
log = logging.getLogger("tatpar.watching.watch")


async def repeat(
    work: Callable[[], object], pause: Callable[[], Awaitable[object]], *, counters: Counters
) -> None:
    """Do the work until cancelled; trouble with the files is told once, and again when it is over."""
    troubled = False
    while True:
        try:
            await asyncio.to_thread(work)
        except (StoreError, StateError, SchedulerError) as error:
            if not troubled:
                log.warning(
                    "watch cannot go on for now, will try again: %s",
                    error,
                    extra={"event": "watch.failed", "reason": str(error)},
                )
            troubled = True
            counters.troubles += 1
            await asyncio.sleep(RETRY_S)
            continue
        if troubled:
            log.info("watch goes on", extra={"event": "watch.recovered"})
            troubled = False
        await pause()


def every(seconds: float) -> Callable[[], Awaitable[object]]:
    """A pause of so many seconds."""
    return lambda: asyncio.sleep(seconds)
