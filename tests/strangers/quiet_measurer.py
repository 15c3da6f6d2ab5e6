"""A measurer that measures nothing.

Its machine came up a day ago and has a clock that NTP keeps; its windows wait until the test has them closed. So its
clocks agree with each other, and its dates, as old as they are, are to be believed. (A machine whose clock nobody keeps
and that counts hours in seconds there is not: its hub would wait for two reports that tell the same, decision 189.)
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from probes.measuring.session import ClosedWindow
from telemetry.messages import Clock, ClockState, SelfReport
from telemetry.windows import DAY_NS, WINDOW_NS, window_start
from tests.reported import quiet_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


T0 = window_start(time.time_ns()) - DAY_NS
KEPT_RIGHT = Clock(state=ClockState.SYNCHRONISED)


class QuietMeasurer:
    """Closes a window whenever the test says so."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[ClosedWindow | None] = asyncio.Queue()
        self._index = 0

    def close_window(self) -> None:
        self._index += 1
        self.queue.put_nowait(
            ClosedWindow(
                office="agra/p1",
                start_ns=T0 + self._index * WINDOW_NS,
                mono_ns=self._index * WINDOW_NS,
                clock=KEPT_RIGHT,
                self_report=SelfReport(),
                streams=(quiet_stream(),),
            )
        )

    async def start(self) -> None:
        return

    async def set_sessions(self, _sessions: object) -> None:
        return

    async def windows(self) -> AsyncIterator[ClosedWindow]:
        while (closed := await self.queue.get()) is not None:
            yield closed

    async def stop(self) -> None:
        self.queue.put_nowait(None)
