"""The heartbeat: the lease that makes this the only writer, and the counters that everyone may see."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import uuid
from typing import TYPE_CHECKING, Final

import psutil

from collector.trouble import Trouble
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.ground import Ground

BEAT_S: Final = 2.0
LEASE_TTL_NS: Final = 10 * SECOND_NS


class LeaseLostError(RuntimeError):
    """Another collector has taken over: this one must not write any more."""


class Heart:
    """Holds the lease and beats."""

    def __init__(self, ground: Ground, role: str, detail: Callable[[], dict[str, object]]) -> None:
        self._ground = ground
        self._role = role
        self._detail = detail
        self._holder = f"{socket.gethostname()}@{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.trouble = Trouble("the heartbeat cannot be written", "collecting goes on", "heartbeat")
        self._waiting = Trouble(
            "another collector is at work on this data", "waiting until it is gone", "lease"
        )

    async def take_lease(self) -> None:
        """Wait until no other collector writes."""
        while not await self._renew():
            if await self._ground.desk.run(self._dismiss_dead):
                continue
            self._waiting.failed(RuntimeError("its lease has not run out"))
            await asyncio.sleep(0.5)
        self._waiting.worked()

    def _dismiss_dead(self) -> bool:
        """Give back the lease of a collector of this machine that was killed, rather than wait for its end."""
        holder = self._ground.state.lease_holder(self._role, self._ground.clock.now_ns())
        host, _, rest = (holder or "").rpartition("@")
        pid = rest.partition(":")[0]
        if (
            holder is None
            or host != socket.gethostname()
            or not pid.isdecimal()
            or psutil.pid_exists(int(pid))
        ):
            return False
        self._ground.state.release_lease(self._role, holder)
        return True

    async def release(self) -> None:
        """Let the next collector start at once."""
        await self._ground.desk.run(self._ground.state.release_lease, self._role, self._holder)

    async def run(self) -> None:
        """Beat until cancelled.

        Raises:
            LeaseLostError: another collector has taken over.
        """
        while True:
            try:
                if not await self._renew():
                    raise LeaseLostError("another collector has taken over the data; stopping")
                await self._beat()
            except (sqlite3.Error, OSError, RuntimeError) as error:
                if isinstance(error, LeaseLostError):
                    raise
                self._ground.counters.state_failures += 1
                self.trouble.failed(error)
            else:
                self.trouble.worked()
            await asyncio.sleep(BEAT_S)

    async def _renew(self) -> bool:
        now_ns = self._ground.clock.now_ns()
        return await self._ground.desk.run(
            self._ground.state.acquire_lease, self._role, self._holder, now_ns, LEASE_TTL_NS
        )

    async def _beat(self) -> None:
        now_ns = self._ground.clock.now_ns()
        await self._ground.desk.run(self._ground.state.beat, self._role, now_ns, self._detail())


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
