"""The store's housekeeping: folding, rolling up, pruning; in the writer's thread, between commits."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from collector.commits import NOT_NOW
from collector.trouble import Trouble
from telemetry.clock import StepWatch
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.ground import Ground

log = logging.getLogger(__name__)
MAINTAIN_S: Final = 30.0
AGAIN_S: Final = 0.5
"""While there is more to do, work in such steps, with commits between them."""
DOUBT_NS: Final = DAY_NS
"""After the clock was set forward by more than this nothing is pruned for as long: what a wrong year throws away never comes back."""
SHARE: Final = 0.25
"""Of the writer's time at most, as long as there is more to do: reports go before housekeeping."""


class Upkeep:
    """Maintains every half minute, at once again while there is work left; prunes every hour."""

    def __init__(self, ground: Ground, every_s: float = MAINTAIN_S) -> None:
        self._ground = ground
        self._every_s = every_s
        self._prune_mono_ns = 0
        self._steps = StepWatch(ground.clock)
        self.trouble = Trouble("the store's upkeep fails", "trying again", "upkeep")

    async def run(self) -> None:
        """Keep house until cancelled, while we lead."""
        wait_s = self._every_s
        while True:
            await asyncio.sleep(wait_s)
            if not self._ground.leading.now:
                continue
            now_ns, began_s = self._ground.clock.now_ns(), time.monotonic()
            pieces = await self._do(self._ground.store.maintain, now_ns)
            rest_s = max(AGAIN_S, (time.monotonic() - began_s) * (1 / SHARE - 1))
            wait_s = min(rest_s, self._every_s) if pieces else self._every_s
            mono_ns = self._ground.clock.monotonic_ns()
            self._mind_the_clock(mono_ns)
            if mono_ns >= self._prune_mono_ns and not self.trouble.error:
                await self._do(self._ground.store.prune, now_ns)
                self._prune_mono_ns = mono_ns + HOUR_NS

    def _mind_the_clock(self, mono_ns: int) -> None:
        by_ns = self._steps.set_by_ns()
        if by_ns > DOUBT_NS:
            self._prune_mono_ns = mono_ns + DOUBT_NS
            extra = {"event": "upkeep.clock-set", "by_s": by_ns / SECOND_NS}
            text = "the clock was set forward by %.1f days: nothing is pruned for a day; is it right now?"
            log.warning(text, by_ns / DAY_NS, extra=extra)

    async def _do(self, work: Callable[[int], object], now_ns: int) -> object:
        """What the work returns (of `maintain`: how many pieces it did, when it says so); None when it failed."""
        try:
            result = await self._ground.writer.run(work, now_ns)
        except NOT_NOW as error:
            self._note(error)
            return None
        except Exception as error:
            if not self.trouble.error:
                log.exception("upkeep of the store", extra={"event": "upkeep.fault"})
            self._note(error)
            return None
        self.trouble.worked()
        return result

    def _note(self, error: Exception) -> None:
        self._ground.counters.upkeep_failures += 1
        self.trouble.failed(error)
