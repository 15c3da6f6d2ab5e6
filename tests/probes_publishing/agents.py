"""An agent at work beside a test."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from probes.publishing.agent import Agent
from telemetry.clock import SystemClock
from telemetry.control import Presence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def running(offices: list[Any], measurer: Any) -> AsyncIterator[Agent]:
    stop = asyncio.Event()
    agent = Agent(offices, measurer, clock=SystemClock())
    task = asyncio.create_task(agent.run(stop))
    try:
        yield agent
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


def said(hub: Any, site: str = "agra") -> list[Presence]:
    return [msgspec.json.decode(payload, type=Presence) for payload, _ in hub.presence[site]]
