"""An enrolled office whose clock nobody keeps, but which is right: what waited in its spool is taken at its own dates."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace as changed
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from probes.counters import Counters
from probes.measuring.session import ClosedWindow
from probes.publishing.agent import Agent
from probes.publishing.probe_file import load_probe_file
from probes.publishing.report import Draft, report_bytes
from probes.publishing.restart_reason import boot_id
from probes.publishing.spool import Made, Spool
from telemetry.clock import SystemClock
from telemetry.messages import Clock, ClockState, SelfReport
from telemetry.windows import LATE_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from probes.publishing.office_settings import OfficeSettings

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
WINDOWS = 40
UNSYNCHRONISED = Clock(state=ClockState.UNSYNCHRONISED)


def spooled(office: OfficeSettings) -> list[int]:
    """Ten minutes of windows that could not be sent, by both clocks of this machine as they were; their starts, ns."""
    booted_ns = time.time_ns() - time.monotonic_ns()
    begin_ns = window_start(time.time_ns()) - (WINDOWS + 2) * WINDOW_NS
    starts = [begin_ns + index * WINDOW_NS for index in range(WINDOWS)]
    with contextlib.closing(Spool(office.spool, site=office.site, probe=office.probe)) as spool:
        for start_ns in starts:
            closed = ClosedWindow(
                office.key, start_ns, start_ns - booted_ns, UNSYNCHRONISED, SelfReport(), ()
            )
            made_ns = start_ns + WINDOW_NS + LATE_NS
            draft = Draft(closed, (), Made(boot_id(), made_ns - booted_ns, made_ns))
            row = partial(report_bytes, draft, site=office.site, probe=office.probe, counters=Counters())
            spool.append(start_ns, draft.made, row)
    return starts


async def test_what_it_spooled_is_taken_at_once_at_its_own_dates(
    hub: Any, running_probe: Any, quiet_measurer: Any, tmp_path: Path, eventually: Eventually
) -> None:
    """Nobody vouches for its dates and its boot is not known, but dates and ages agree: nothing is in doubt, or moved."""
    async with running_probe(hub):
        pass
    folder = tmp_path / "office"
    office = changed(load_probe_file(folder / "probe.toml", folder), ping_targets=(), interface="")
    starts = await asyncio.to_thread(spooled, office)
    stop = asyncio.Event()
    running = asyncio.create_task(Agent([office], quiet_measurer, clock=SystemClock()).run(stop))
    await eventually(lambda: hub.counts["stored"] >= WINDOWS)
    stop.set()
    await running
    stored = list(hub.store.envelopes("agra", 0, 2**62))
    assert sorted(one.start_ns for one in stored) == starts
    assert {one.clock.state for one in stored} == {ClockState.UNSYNCHRONISED}
    assert hub.collector.counters.refused["undated"] == hub.collector.counters.redated == 0
    assert hub.state.wrong_clocks(0) == []
