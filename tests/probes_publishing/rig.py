"""A publisher with its spool, clock and counters to hand."""

from __future__ import annotations

import asyncio
import contextlib
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from probes.backoff import Backoff
from probes.counters import Counters
from probes.publishing.presence import Identity
from probes.publishing.publisher import Publisher
from probes.publishing.report import Draft, report_bytes
from probes.publishing.restart_reason import RestartReason
from probes.publishing.spool import Made, Spool
from telemetry.clock import ManualClock
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from probes.publishing.office_settings import OfficeSettings
    from probes.workers import Workers
    from telemetry.control import Plan


BOOT = "boot-now"


class Rig:
    """A publisher with its spool, clock and counters to hand."""

    def __init__(self, office: OfficeSettings, make_window: Callable[..., Any], workers: Workers) -> None:
        self.office = office
        self.clock = ManualClock(1_800_000_000 * SECOND_NS, 5_000 * SECOND_NS)
        self.counters = Counters()
        self.spool = Spool(office.spool, site=office.site, probe=office.probe)
        self.plans: list[Plan] = []
        self.meeting = False
        self.publisher = Publisher(
            office,
            self.spool,
            Identity("1.2.3", BOOT, RestartReason.POWER),
            clock=self.clock,
            workers=workers,
            counters=self.counters,
            on_plan=self.plans.append,
            in_meeting=lambda: self.meeting,
            backoff=Backoff(base_s=0.05, cap_s=0.1),
        )
        self._make_window = make_window

    def spool_one(self, *, age_s: float = 0.0, boot: str = BOOT, live: bool = True) -> int:
        made = Made(
            boot,
            self.clock.monotonic_ns() - int(age_s * SECOND_NS),
            self.clock.now_ns() - int(age_s * SECOND_NS),
        )
        draft = Draft(self._make_window(self.office.key), (), made)
        row = self.spool.append(
            0,
            made,
            lambda slot: report_bytes(draft, slot, self.office.site, self.office.probe, self.counters),
        )
        if live:
            self.publisher.submit(row)
        return row.seq

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(int(seconds * SECOND_NS))
        self.publisher.wake()


@contextlib.asynccontextmanager
async def publishing(rig: Rig) -> AsyncIterator[None]:
    task = asyncio.create_task(rig.publisher.run())
    try:
        yield
    finally:
        rig.publisher.stop()
        await asyncio.wait_for(task, 60)


async def steadily(rig: Rig, condition: Callable[[], bool], step_s: float = 0.05, within: int = 400) -> None:
    """Let rig time pass in small steps until a condition holds; a broker that is slow is waited for while it stands still."""
    patience = time.monotonic() + 60
    for step in count():
        if condition():
            return
        if step < within:
            rig.pass_time(step_s)
        elif time.monotonic() > patience:
            pytest.fail("it did not come true")
        await asyncio.sleep(0.01)
