"""A task that must not end: what fails in it is said, and it is started again after a wait."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from probes.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 60.0
SOUND_S: Final = 300.0
"""Having run so long, the next fault is a new one: the wait starts short again."""

_log = logging.getLogger(__name__)


async def kept_going(name: str, work: Callable[[], Awaitable[None]], backoff: Backoff | None = None) -> None:
    """Do the work again and again, until cancelled. Neither its end nor its fault goes further."""
    waits = backoff or Backoff(base_s=FIRST_WAIT_S, cap_s=LONGEST_WAIT_S)
    clock = asyncio.get_running_loop().time
    while True:
        began_s = clock()
        try:
            await work()
            _log.warning(
                "%s: ended by itself; started again", name, extra={"event": "duty.ended", "duty": name}
            )
        except Exception:  # noqa: BLE001 - whatever it is, the rest of the agent goes on
            _log.exception("%s: failed; started again", name, extra={"event": "duty.fault", "duty": name})
        if clock() - began_s >= SOUND_S:
            waits.reset()
        await asyncio.sleep(waits.next_s())
