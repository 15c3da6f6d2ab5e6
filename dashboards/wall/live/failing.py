"""Who has failed a meeting that still runs, asked now and then beside the poller: it takes all windows of the meeting, and the picture must not wait for it."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING, Final

from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from dashboards.wall.sources import Failing, Failures
    from telemetry.clock import WallClock

_EVERY_S: Final = WINDOW_NS / SECOND_NS
"""Nothing can change sooner than with the next window."""
_SHARE: Final = 30.0
"""After an answer that took t seconds it rests at least 30 t: a large fleet's takes seconds."""
_log = logging.getLogger(__name__)


class FailedAlready:
    """What was answered last; nothing where nobody can be asked (`ask` is None)."""

    def __init__(self, ask: Failing | None, clock: WallClock) -> None:
        self._ask = ask
        self._clock = clock
        self._problem = ""
        self._over = False
        self.known: Failures = {}

    async def run(self) -> None:
        """Ask, rest; until cancelled."""
        if self._ask is None:
            return
        try:
            while True:
                began = perf_counter()
                await asyncio.to_thread(self.look, self._ask)
                await asyncio.sleep(max(_EVERY_S, _SHARE * (perf_counter() - began)))
        finally:
            self._over = True

    def look(self, ask: Failing) -> None:
        """Ask once. While no answer comes the last one stands: who had failed cannot hold any more."""
        problem = ""
        try:
            self.known = ask(self._clock.now_ns())
        except Exception as error:  # noqa: BLE001 - whatever the store says, the wall goes on without this
            problem = f"{type(error).__name__}: {error}"
        if problem == self._problem or self._over:
            return
        self._problem = problem
        if problem:
            extra = {"event": "wall.failed", "reason": problem}
            _log.warning("the wall cannot tell who has failed a running meeting: %s", problem, extra=extra)
        else:
            _log.info("the wall can tell again who has failed", extra={"event": "wall.recovered"})
