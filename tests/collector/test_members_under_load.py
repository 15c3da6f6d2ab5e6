"""Several `tatpar collect --share` under load, killed and stopped: every report is stored exactly once and confirmed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.beat import GROUP
from telemetry.codec import decode_control
from telemetry.control import Stored
from telemetry.intervals import IntervalSet
from telemetry.state.db import StateDb
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
ALL = Selection(start_ns=0, end_ns=2**62)
SEED = 20261125
SITES = tuple(f"office-{n}" for n in range(16))
WAITING, LIVE = 150, 150
"""Reports of a probe in its spool at the start, and made while it is connected."""


@dataclass
class Members:
    """`tatpar collect --share` processes on one data folder."""

    config: Path
    data: Path
    port: int
    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tatpar", "collect", "--share", "--broker", f"127.0.0.1:{self.port}"),
            *("--config", str(self.config), "--data", str(self.data)),
            stderr=asyncio.subprocess.DEVNULL,
        )
        self.running.append(process)
        return process

    async def end(self, process: asyncio.subprocess.Process, number: int) -> int:
        self.running.remove(process)
        process.send_signal(number)
        return await asyncio.wait_for(process.wait(), 60)

    def leader(self) -> asyncio.subprocess.Process | None:
        """Whose process holds the leader's seat, as the kernel knows."""
        inode = (self.data / "collector-leader.lock").stat().st_ino
        with Path("/proc/locks").open(encoding="ascii") as locks:
            holders = {
                int(line.split()[4])
                for line in locks
                if line.split()[5].endswith(f":{inode}") and "->" not in line
            }
        return next((process for process in self.running if process.pid in holders), None)

    async def stop(self) -> list[int]:
        return list(await asyncio.gather(*(self.end(each, signal.SIGTERM) for each in tuple(self.running))))


@contextlib.asynccontextmanager
async def members(config: Path, data: Path, port: int, count: int) -> AsyncIterator[Members]:
    group = Members(config, data, port)
    try:
        for _ in range(count):
            await group.start()
        yield group
    finally:
        for process in group.running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
                os.kill(process.pid, signal.SIGCONT)
            await process.wait()


class Ear:
    """Hears every `stored`, and whether one takes back what an earlier one has said."""

    def __init__(self) -> None:
        self.covered: dict[tuple[str, str], IntervalSet] = {}
        self.taken_back: list[str] = []
        self.count = 0

    def hear(self, topic: str, payload: bytes) -> None:
        stored = decode_control(payload, Stored)
        now = IntervalSet(IntervalSet(stored.missing).holes(1, stored.through))
        before = self.covered.get((topic, stored.epoch), IntervalSet())
        if any(now.holes(first, last) for first, last in before):
            self.taken_back.append(f"{topic}: {before} then {now}")
        self.covered[topic, stored.epoch] = now
        self.count += 1

    async def listen(self, port: int) -> None:
        import aiomqtt

        version = aiomqtt.ProtocolVersion.V5
        async with aiomqtt.Client("127.0.0.1", port, protocol=version, timeout=60) as client:
            await client.subscribe("tatpar/1/+/+/stored", 1)
            async for message in client.messages:
                self.hear(str(message.topic), bytes(message.payload))  # type: ignore[arg-type]


def write_sites(config_file: Path) -> None:
    rows = "".join(f"{site},{site},{site},west,27.{n:02},78.{n:02},linked\n" for n, site in enumerate(SITES))
    (config_file.parent / "sites.csv").write_text(
        f"id,name_en,name_hi,region,lat,lon,status\n{rows}", encoding="utf-8"
    )
    with config_file.open("a", encoding="utf-8") as file:
        file.write("[collector]\nconfirm_s = 1.0\nbatch_ms = 20.0\n")


async def test_members_killed_and_stopped_under_load_store_every_report_once_and_confirm_it(
    mosquitto: Any, config_file: Path, tmp_path: Path, eventually: Eventually, make_probe: Callable[..., Any]
) -> None:
    """Three members; one is killed, then the leader is killed, then one is told to end; each is replaced.

    Spools empty only by `stored`: an empty spool says that the hub has confirmed every report.
    """
    rng = random.Random(SEED)
    write_sites(config_file)
    total = len(SITES) * (WAITING + LIVE)
    moments = [round(rng.uniform(low, low + 0.15) * total) for low in (0.1, 0.3, 0.5)]
    data = tmp_path / "data"
    ear = Ear()
    probes = [make_probe(site, mosquitto.port) for site in SITES]
    for probe in probes:
        for _ in range(WAITING):
            await probe.wait()
    async with members(config_file, data, mosquitto.port, 3) as group:
        await eventually(lambda: beating(data) == 3, within_s=120)

        def confirmed() -> int:
            return sum(probe.spool.confirmed for probe in probes)

        async def measured() -> None:
            for _ in range(LIVE):
                for probe in probes:
                    await probe.report()

        listening = asyncio.create_task(ear.listen(mosquitto.port))
        publishing = [asyncio.create_task(probe.publisher.run()) for probe in probes]
        measuring = asyncio.create_task(measured())
        await eventually(lambda: confirmed() >= moments[0], within_s=120)
        await group.end(rng.choice(group.running), signal.SIGKILL)
        await group.start()
        await eventually(lambda: confirmed() >= moments[1], within_s=120)
        await eventually(group.leader, within_s=120)
        leader = group.leader()
        assert leader is not None
        await group.end(leader, signal.SIGKILL)
        await group.start()
        await eventually(lambda: confirmed() >= moments[2], within_s=120)
        assert await group.end(group.running[0], signal.SIGTERM) == 0
        await group.start()
        await asyncio.wait_for(measuring, 120)
        await eventually(lambda: not any(probe.spool.reports for probe in probes), within_s=120)
        for probe in probes:
            probe.publisher.stop()
        await asyncio.gather(*publishing)
        assert await group.stop() == [0, 0, 0]
        listening.cancel()
    epochs = {probe.spool.path.stem: probe.spool.epoch for probe in probes}
    with contextlib.closing(SqliteReader(data / "reports.db")) as reader:
        for site, epoch in epochs.items():
            assert {e: list(s) for e, s in reader.received(site, "p1").items()} == {
                epoch: [(1, WAITING + LIVE)]
            }
        assert len(reader.streams(ALL, histograms=False)) == total
        assert reader.gaps(ALL).holes == ()
    assert ear.taken_back == []
    assert {topic.split("/")[2] for topic, _ in ear.covered} == set(SITES)


async def test_a_leader_that_hangs_is_replaced_and_says_nothing_stale_when_it_wakes(
    mosquitto: Any, config_file: Path, tmp_path: Path, eventually: Eventually, make_probe: Callable[..., Any]
) -> None:
    """Stopped (SIGSTOP) it keeps its lock, yet another leads within seconds; woken it takes in reports as a member."""
    write_sites(config_file)
    data = tmp_path / "data"
    ear = Ear()
    probe = make_probe(SITES[0], mosquitto.port)
    async with members(config_file, data, mosquitto.port, 2) as group:
        await eventually(lambda: beating(data) == 2, within_s=120)
        listening = asyncio.create_task(ear.listen(mosquitto.port))
        publishing = asyncio.create_task(probe.publisher.run())
        first = group.leader()
        assert first is not None
        first.send_signal(signal.SIGSTOP)
        await eventually(lambda: group.leader() not in (None, first), within_s=120)
        second = group.leader()
        for _ in range(40):
            await probe.report()
        first.send_signal(signal.SIGCONT)
        for _ in range(40):
            await probe.report()
        await eventually(lambda: probe.spool.confirmed == 80, within_s=120)
        assert group.leader() is second
        probe.publisher.stop()
        await publishing
        assert await group.stop() == [0, 0]
        listening.cancel()
    epoch = probe.spool.epoch
    with contextlib.closing(SqliteReader(data / "reports.db")) as reader:
        assert list(reader.received(SITES[0], "p1")[epoch]) == [(1, 80)]
        assert len(reader.streams(ALL, histograms=False)) == 80
    assert ear.taken_back == []


def beating(data: Path) -> int:
    """How many members have beaten, once somebody leads."""
    if not (data / "state.db").exists():
        return 0
    with contextlib.closing(StateDb(data / "state.db")) as state:
        roles = state.beats()
        return sum(role.startswith("collector-") for role in roles) if GROUP in roles else 0
