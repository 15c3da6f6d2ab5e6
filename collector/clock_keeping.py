"""Keeps what is known of offices' clocks in the state database, so that it outlives us and is shared by all collectors."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Final

from collector.trouble import Trouble
from telemetry.state.clocks import NewBoots
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collector.ground import Ground
    from collector.office_clocks import OfficeClocks
    from telemetry.state.clocks import ClockSaid, KnownBoot

_KEEP_S: Final = 1.0
_OTHERS_NS: Final = 600 * SECOND_NS
"""What others have kept is read so far back each time: their clock is ours, and a database may be slow."""


class ClockKeeping:
    """The duty."""

    def __init__(self, ground: Ground, clocks: OfficeClocks) -> None:
        self._ground = ground
        self._clocks = clocks
        self._boots: dict[tuple[str, str, str], KnownBoot] = {}
        self._others = NewBoots(ground.state)
        self._said: list[ClockSaid] = []
        """What could not be written yet."""
        self.trouble = Trouble(
            "what is known of offices' clocks cannot be kept",
            "reports are dated by it all the same",
            "clocks",
        )

    async def recall(self) -> None:
        """Go on with what was known before we started.

        Raises:
            StateError: the state database cannot be read.
        """
        await self._ground.desk.run(self._recall)

    async def run(self) -> None:
        """Keep until cancelled."""
        while True:
            await asyncio.sleep(_KEEP_S)
            await self.keep()

    async def keep(self) -> None:
        """Write what is new; where several share the work, read what the others have found."""
        boots, said = self._clocks.news()
        self._boots |= {(one.site, one.probe, one.boot): one for one in boots}
        self._said += said
        try:
            if self._boots or self._said:
                await self._ground.desk.run(self._write)
            if self._ground.leading.shared:
                await self._ground.desk.run(self._take_over_others)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            self._ground.counters.state_failures += 1
            self.trouble.failed(error)
        else:
            self._boots, self._said = {}, []
            self.trouble.worked()

    def _write(self) -> None:
        self._ground.state.put_boots(self._boots.values())
        self._ground.state.put_clocks(self._said)

    def _recall(self) -> None:
        self._clocks.take_over(self._ground.state.boots(), self._wrong())

    def _take_over_others(self) -> None:
        wrong = self._wrong()  # first: a boot is told once
        self._clocks.take_over(self._others.since(self._ground.clock.now_ns() - _OTHERS_NS), wrong)

    def _wrong(self) -> dict[tuple[str, str], int]:
        """By site and probe, by how many ns clocks are ahead that are wrong as far as was heard."""
        wrong = self._ground.state.wrong_clocks(self._ground.clock.now_ns())
        return {(one.site, one.probe): one.ahead_ns for one in wrong if one.until_ns is None}
