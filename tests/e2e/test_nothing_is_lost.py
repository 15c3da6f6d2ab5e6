"""Kill -9 of collector and broker in mid-flow, with ten minutes of spooled reports: every report is stored exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from config.live import LiveConfig
from probes.counters import Counters
from probes.measuring.session import ClosedWindow, Session
from probes.publishing.agent import Agent
from probes.publishing.office_settings import OfficeSettings, Patience
from probes.publishing.report import Draft, report_bytes
from probes.publishing.restart_reason import boot_id
from probes.publishing.spool import Made, Spool
from tatpar.watching.watch import Watch
from telemetry.clock import SystemClock
from telemetry.messages import Clock, Direction, RoundTrip, SelfReport, Stamps, Stream
from telemetry.state.db import StateDb
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader
from telemetry.windows import SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.server]
OFFICES = ("agra", "etah", "kannauj")
SPOOLED = 40
"""Ten minutes."""
LIVE = 24
SEED = 20261123


def window(office: str, start_ns: int, lost: int) -> ClosedWindow:
    """A window of 150 packets; what is lost was lost on the way up."""
    received = 150 - lost
    stream = Stream(
        path="main.state",
        stamps=Stamps(),
        rate_pps=10.0,
        sent=150,
        received=received,
        lost=lost,
        up=Direction(sent=150, received=received, lost=lost, jitter_ms=0.5),
        down=Direction(sent=received, received=received, lost=0, jitter_ms=0.5),
        rtt=RoundTrip(min_ms=9, mean_ms=10, p50_ms=10, p95_ms=12, p99_ms=14, max_ms=20),
        stateful=True,
    )
    return ClosedWindow(office, start_ns, start_ns, Clock(), SelfReport(), (stream,))


class Windows:
    """Hands out live windows, a few a second, as if measured; measures nothing."""

    def __init__(self, offices: Sequence[str]) -> None:
        self._offices = offices
        self.done = asyncio.Event()

    async def start(self) -> None: ...

    async def set_sessions(self, sessions: Sequence[Session]) -> None: ...

    async def stop(self) -> None: ...

    async def windows(self) -> AsyncIterator[ClosedWindow]:
        last = window_start(time.time_ns()) - WINDOW_NS
        for index in range(LIVE):
            for office in self._offices:
                yield window(office, last - (LIVE - 1 - index) * WINDOW_NS, 0)
            await asyncio.sleep(0.5)
        self.done.set()
        await asyncio.Event().wait()


def fill(settings: OfficeSettings) -> None:
    """Ten minutes of reports with 10 % loss, made an hour ago and never sent."""
    spool = Spool(settings.spool, site=settings.site, probe=settings.probe)
    with contextlib.closing(spool):
        begin_ns = window_start(time.time_ns()) - 3600 * SECOND_NS
        for index in range(SPOOLED):
            start_ns = begin_ns + index * WINDOW_NS
            made = Made(boot_id(), max(time.monotonic_ns() - 3000 * SECOND_NS, 0), start_ns + WINDOW_NS)
            draft = Draft(
                window(settings.key, start_ns, 15), window(settings.key, start_ns, 15).streams, made
            )
            spool.append(
                start_ns,
                made,
                lambda slot, d=draft: report_bytes(d, slot, settings.site, settings.probe, Counters()),
            )


async def test_every_report_is_stored_once_whoever_is_killed(deployment, mosquitto, tmp_path: Path) -> None:
    """Reports made = rows stored, by count and by seq; the late ones raise no flag."""
    deployment.write()
    where = f"{mosquitto.host}:{mosquitto.port}"
    offices = [
        OfficeSettings(
            site=site,
            probe="p1",
            broker_host=mosquitto.host,
            broker_port=mosquitto.port,
            spool=tmp_path / f"{site}.db",
            ping_targets=(),
            interface="",
            patience=Patience(resend_s=15),
        )
        for site in OFFICES
    ]
    for office in offices:
        fill(office)
    live = Windows([office.key for office in offices])
    stop = asyncio.Event()
    agent = Agent(offices, live, clock=SystemClock())
    working = asyncio.create_task(agent.run(stop), name="agent under test")
    await kill_things(deployment, mosquitto, where, live.done)
    made = SPOOLED + LIVE
    try:
        async with asyncio.timeout(300):  # sent but not stored for a while: sent again
            while any(one.counters.stored < made for one in agent.offices.values()):
                assert not working.done(), working.result()
                await asyncio.sleep(0.5)
    finally:
        stop.set()
        await working
    check(deployment, made)


async def kill_things(deployment: Any, mosquitto: Any, where: str, done: asyncio.Event) -> None:
    """Kill the collector three times and the broker twice, at moments drawn from the seed, while reports flow."""
    chance = random.Random(SEED)
    collector = deployment.start("collect", "--broker", where)
    for victim in ("collector", "broker", "collector", "broker", "collector"):
        await asyncio.sleep(chance.uniform(1.0, 3.0))
        if victim == "broker":
            mosquitto.kill()
            await asyncio.sleep(0.3)
            mosquitto.start()
        else:
            collector.kill()
            collector.wait()
            collector = deployment.start("collect", "--broker", where)
    await done.wait()


def check(deployment: Any, made: int) -> None:
    """Count what is in the store, report by report, and let the watch look at it."""
    now_ns = time.time_ns()
    with contextlib.closing(SqliteReader(deployment.data / "reports.db")) as reader:
        table = reader.streams(Selection(now_ns - 7200 * SECOND_NS, now_ns))
        assert len(table) == made * len(OFFICES)
        for site in OFFICES:
            ((_, seqs),) = reader.received(site, "p1").items()
            assert list(seqs) == [(1, made)]
        assert int(table.columns["lost"].sum()) == SPOOLED * 15 * len(OFFICES)
        assert not reader.gaps(Selection(now_ns - 7200 * SECOND_NS, now_ns)).holes
        with contextlib.closing(StateDb(deployment.data / "state.db")) as state:
            watch = Watch(LiveConfig(deployment.config), reader, state, SystemClock())
            for step in range(4):
                watch.step(now_ns + step * SECOND_NS)
            assert not [flag for flag in state.open_flags() if flag.reason.code.value != "dark"]
            assert not [
                spell
                for spell in state.flag_history(0, now_ns + 60 * SECOND_NS)
                if "loss" in spell.flag.reason.code
            ]
