"""Killed brokers and killed collectors: every report is in the store exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any

    from telemetry.messages import Envelope

    Eventually = Callable[..., Awaitable[None]]
    Maker = Callable[..., Envelope]

pytestmark = pytest.mark.server
ALL = Selection(start_ns=0, end_ns=2**62)

KILLED_BETWEEN_COMMIT_AND_ACK = """
import asyncio, os, signal, sys
from pathlib import Path
from collector.broker import BrokerAddress
from collector.service import Collector
from config.live import LiveConfig
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteStore

class Killed(SqliteStore):
    commits = 0
    def append(self, reports):
        fates = super().append(reports)
        Killed.commits += 1
        if Killed.commits == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return fates

config, data, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
state = StateDb(data / "state.db")
collector = Collector(LiveConfig(config), Killed(data / "reports.db"), state, BrokerAddress("127.0.0.1", port))
asyncio.run(collector.run())
"""


async def test_a_collector_killed_between_commit_and_acknowledgement_loses_and_doubles_nothing(
    killable_hub: Any, config_file: Path, tmp_path: Path, eventually: Eventually, make_envelope: Maker
) -> None:
    """Kill -9 after the third commit; the broker delivers again what was not acknowledged, the store knows it."""
    with config_file.open("a", encoding="utf-8") as file:
        file.write("[collector]\nbatch_reports = 50\n")
    arguments = [str(config_file), str(tmp_path), str(killable_hub.broker.port)]
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_BETWEEN_COMMIT_AND_ACK, *arguments
    )
    async with killable_hub.office() as agra:
        await wait_for_subscriber(agra.client)
        for seq in range(1, 501):
            await agra.report(make_envelope(seq))
        assert await victim.wait() == -signal.SIGKILL

    with contextlib.closing(SqliteStore(tmp_path / "reports.db")) as store:  # what the victim has left
        before = len(store.streams(ALL))
        assert 0 < before <= 150
        async with dataclasses.replace(killable_hub, store=store).collecting() as collector:
            await eventually(lambda: collector.counters.stored == 500 - before)
            await eventually(lambda: collector.counters.duplicates >= 1)  # committed, killed, delivered again
        assert list(store.received("agra", "p1")[make_envelope().epoch]) == [(1, 500)]
        assert len(store.streams(ALL)) == 500


async def wait_for_subscriber(client: Any, within_s: float = 60.0) -> None:
    """Publish to the collector's answer topic until the broker says that someone listens."""
    end_s = time.monotonic() + within_s
    codes: list[int] = []
    client._client.on_publish = lambda *arguments: codes.append(arguments[3].value)
    while time.monotonic() < end_s:
        client._client.publish("tatpar/1/agra/p1/answer", b'{"ok":true}', qos=1)
        await asyncio.sleep(0.05)
        if codes and codes[-1] == 0:
            client._client.on_publish = client._on_publish
            return
    pytest.fail("no collector subscribed")


async def test_a_killed_broker_is_reconnected_to_and_reports_flow_again(
    killable_hub: Any, mosquitto: Any, eventually: Eventually, make_envelope: Maker
) -> None:
    """Kill -9 of the broker with its queue: what the probes send again is stored once, and plans are said again."""
    async with killable_hub.collecting() as collector:
        async with killable_hub.office() as agra:
            for seq in range(1, 51):
                await agra.report(make_envelope(seq))
            await eventually(lambda: collector.counters.stored >= 25)
        mosquitto.kill()
        await eventually(lambda: not collector.bridge.connected)
        mosquitto.start()
        await eventually(lambda: collector.bridge.connects == 2)
        async with killable_hub.office() as agra:
            await eventually(lambda: agra.on("plan"))
            for seq in range(1, 101):
                await agra.report(make_envelope(seq))
            await eventually(lambda: collector.counters.stored == 100)
            await eventually(lambda: agra.on("stored"))
    assert list(killable_hub.store.received("agra", "p1")[make_envelope().epoch]) == [(1, 100)]
    assert len(killable_hub.store.streams(ALL)) == 100


async def test_a_resumed_session_delivers_its_backlog_without_deadlock(
    killable_hub: Any, eventually: Eventually, make_envelope: Maker
) -> None:
    """Two thousand reports come before the answer to our subscription, with room for two hundred."""
    live = killable_hub.live
    config = live.current
    settings = replace(config.settings.collector, queue_reports=200, batch_reports=100)
    live._current = replace(config, settings=replace(config.settings, collector=settings))
    async with killable_hub.collecting():
        pass  # leaves a session behind
    async with killable_hub.office() as agra:
        for seq in range(1, 2001):
            await agra.report(make_envelope(seq))
    async with killable_hub.collecting() as collector:
        await eventually(lambda: collector.counters.stored == 2000, within_s=120)
        assert collector.bridge.session_resumed == 1
        assert collector.bridge.pauses > 0
        assert collector.bridge.connects == 1


async def test_a_connection_without_progress_is_made_anew(
    killable_hub: Any,
    mosquitto: Any,
    eventually: Eventually,
    make_envelope: Maker,
) -> None:
    """A broker that is stopped keeps its sockets open: the echo that does not come back tells, not the socket."""
    live = killable_hub.live
    config = live.current
    settings = replace(config.settings.collector, stalled_s=1.0)
    live._current = replace(config, settings=replace(config.settings, collector=settings))
    async with killable_hub.collecting() as collector:
        os.kill(mosquitto._process.pid, signal.SIGSTOP)
        try:
            await eventually(lambda: collector.bridge.stalls == 1)
        finally:
            os.kill(mosquitto._process.pid, signal.SIGCONT)
        await eventually(lambda: collector.bridge.connects == 2)
        async with killable_hub.office() as agra:
            await agra.report(make_envelope(1))
            await eventually(lambda: collector.counters.stored == 1)


def kill_brought(data_dir: Path) -> None:
    """Kill -9 of the broker that keeps its pid file in the data folder."""
    [pid_file] = data_dir.glob("*/*.pid")
    os.kill(int(pid_file.read_text()), signal.SIGKILL)


async def test_a_brought_broker_that_dies_is_started_again_on_its_port(
    hub: Any, tmp_path: Path, eventually: Eventually, make_envelope: Maker
) -> None:
    """Kill -9 of our own broker: collector and offices find it again where it was."""
    async with hub.collecting() as collector:
        kill_brought(tmp_path)
        await eventually(lambda: collector.bridge.connects == 2)
        async with hub.office() as agra:
            await agra.report(make_envelope(1))
            await eventually(lambda: collector.counters.stored == 1)
    assert len(hub.store.streams(ALL)) == 1
