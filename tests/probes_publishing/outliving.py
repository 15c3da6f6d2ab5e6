"""An office at work whose patience is short, and what it says in the log."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from probes.publishing.agent import Agent
from probes.publishing.office_settings import Patience
from telemetry.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


QUICK = Patience(
    disk_s=0.05, reconnect_s=0.05, reconnect_cap_s=0.1, hold_s=0.05, hold_cap_s=0.1, settle_s=0.0
)
SITE = "firozabad"
"""Sends its reports 7 ms after they are made, by the hash of its name; others spread over a second."""


@contextlib.asynccontextmanager
async def running(office: Any, measurer: Any) -> AsyncIterator[Any]:
    """The office's agent at work."""
    stop = asyncio.Event()
    agent = Agent([office], measurer, clock=SystemClock())
    task = asyncio.create_task(agent.run(stop))
    try:
        yield agent.offices[office.key]
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


def events(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    """The reasons given with an event of the log."""
    return [vars(record)["reason"] for record in caplog.records if vars(record).get("event") == name]
