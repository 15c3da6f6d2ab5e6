"""How far a running measurer is: what it has sent, and what a stop at this moment would report."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from telemetry.windows import LATE_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from probes.measuring.measurer import Measurer
    from probes.measuring.session import ClosedWindow
    from telemetry.messages import Stream


async def gather(measurer: Measurer) -> list[ClosedWindow]:
    """Stop it, and take every window, the last partial ones too."""
    await measurer.stop()
    return [window async for window in measurer.windows()]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the measurer does by itself within seconds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - there is nothing to await
            await asyncio.sleep(0.05)


def sent(measurer: Measurer, office: str = "office", path: str = "main.state") -> int:
    """Packets that are known to be sent, those of closed windows too."""
    return _sent(measurer, office, path, 0)


def judged(measurer: Measurer, office: str = "office", path: str = "main.state") -> int:
    """Packets that a stop at this moment would report: they have had their 3 s."""
    return _sent(measurer, office, path, LATE_NS)


def _sent(measurer: Measurer, office: str, path: str, age_ns: int) -> int:
    assembly = measurer._assembly
    closed = sum(stream.sent for stream in streams_of(list(measurer._closed), office, path))
    if not assembly._frames:
        return closed
    opened = max(assembly._frames.items())[1].opened
    until_ns = assembly._progress_ns + opened.start_ns - opened.mono_ns - age_ns
    numbers = [n for n, one in assembly._running.items() if (one.office, one.path) == (office, path)]
    records = assembly._pool._sent.all()
    return closed + int((np.isin(records["session"], numbers) & (records["t1_ns"] <= until_ns)).sum())


def streams_of(windows: list[ClosedWindow], office: str, path: str = "main.state") -> list[Stream]:
    return [s for window in windows if window.office == office for s in window.streams if s.path == path]
