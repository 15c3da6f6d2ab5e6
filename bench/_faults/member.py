"""One member of the house under trial: started, killed, started again; minded like a service manager would."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bench._faults.processes import Running

RESTART_S: Final = 0.2
"""A member that ends by itself is started again after so long."""


class Member:
    """A process with a role; its faults take turns."""

    def __init__(self, name: str, start: Callable[[], Awaitable[Running]]) -> None:
        self.name = name
        self._start = start
        self._running: Running | None = None
        self._minding: asyncio.Task[None] | None = None
        self.turn = asyncio.Lock()
        self.ended_by_itself: list[int] = []
        """Status of each process that ended unasked."""

    async def up(self) -> None:
        """Start it."""
        self._running = await self._start()
        self._minding = asyncio.create_task(self._mind(self._running), name=f"minding {self.name}")

    async def kill(self) -> None:
        """Kill -9; nobody starts it again but `up`."""
        running = self._let_go()
        if running is not None:
            await running.kill()

    async def end(self) -> int:
        """Ask it to end; its status."""
        running = self._let_go()
        return 0 if running is None else await running.end()

    def limit_files(self, size: int | None) -> int | None:
        """Let no file of its grow beyond a size (None: as it may); the process that this was done to."""
        if self._running is None or not self._running.alive:
            return None
        pid = self._running.pid
        with contextlib.suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))
        return pid

    def _let_go(self) -> Running | None:
        if self._minding is not None:
            self._minding.cancel()
        running, self._running = self._running, None
        return running

    async def _mind(self, running: Running) -> None:
        status = await asyncio.shield(running.over)
        self.ended_by_itself.append(status)
        await asyncio.sleep(RESTART_S)
        self._minding = None
        await self.up()
