"""The heartbeat: what this collector does, for everyone to see; of several, also what they do as a group."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Final

from collector.mqtt import ROLE
from collector.trouble import Trouble
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.ground import Ground

BEAT_S: Final = 2.0
GROUP: Final = f"{ROLE}s"
"""The role under which the leader of several beats for them all."""
VANISH_NS: Final = 300 * SECOND_NS
"""A member that is started again has a new name: the old one is shown as silent for so long, then no more."""
Detail = dict[str, object]


class Heart:
    """Beats."""

    def __init__(
        self, ground: Ground, role: str, detail: Callable[[], Detail], of_group: Callable[[], Detail | None]
    ) -> None:
        self._ground = ground
        self._role = role
        self._detail = detail
        self._of_group = of_group
        self.trouble = Trouble("the heartbeat cannot be written", "collecting goes on")

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(BEAT_S)

    async def beat(self) -> None:
        """Beat once; of those that have long been silent the leader takes the names down."""
        leading = self._ground.leading
        beats = {self._role: self._detail()}
        group = self._of_group() if leading.shared and leading.now else None
        if group is not None:
            beats[GROUP] = {"leader": self._role} | group
        try:
            await self._ground.desk.run(self._write, beats, tidy=leading.now)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            self._ground.counters.state_failures += 1
            self.trouble.failed(error)
        else:
            self.trouble.worked()

    async def leave(self) -> None:
        """A member that ends in order is not missed: its name goes at once. (One that worked alone is.)."""
        if self._ground.leading.shared:
            await self._ground.desk.run(self._ground.state.forget_beats, (self._role,))

    def _write(self, beats: dict[str, Detail], *, tidy: bool) -> None:
        now_ns = self._ground.clock.now_ns()
        for role, detail in beats.items():
            self._ground.state.beat(role, now_ns, detail)
        if tidy:
            gone = [
                role
                for role, beat in self._ground.state.beats().items()
                if role.startswith(ROLE) and role not in beats and now_ns - beat.at_ns > VANISH_NS
            ]
            if gone:
                self._ground.state.forget_beats(gone)
