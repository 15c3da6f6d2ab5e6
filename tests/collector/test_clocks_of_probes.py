"""Whole probes whose clocks are wrong, and are set while they run: the hub knows, says so, and dates every window right."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench._faults.campaign import libfaketime
from telemetry.windows import HOUR_NS, MINUTE_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from telemetry.state.clocks import WrongClock

    Eventually = Callable[..., Awaitable[None]]

pytestmark = [pytest.mark.server, pytest.mark.e2e]
SLEEPER = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n"
"""Libfaketime answers `clock_nanosleep` with EINVAL once its moment is over; what runs under it rests another way."""
NEAR_NS = 2 * WINDOW_NS
"""A window is opened up to one late, and dates are whole windows."""


@dataclass
class Clocked:
    """A probe that lives by a clock of its own."""

    folder: Path
    site: str
    probe: str

    def set_clock(self, ahead_ns: int) -> None:
        new = self.folder / "new"
        new.write_text(f"{ahead_ns // SECOND_NS:+d}\n", encoding="ascii")
        new.replace(self.folder / "clock")  # at no moment is it empty

    @contextlib.asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[None]:
        (self.folder / "sitecustomize.py").write_text(SLEEPER, encoding="ascii")
        settings = self.folder / "probe.toml"
        settings.write_text(
            f'site = "{self.site}"\nprobe = "{self.probe}"\n[broker]\nhost = "127.0.0.1"\nport = {port}\n'
            '[ends]\nstate = "127.0.0.1:9"\n[ping]\ntargets = []\n[link]\ninterface = ""\n',
            encoding="ascii",
        )
        house = Path(__file__).parents[2]
        faked = dict.fromkeys(
            ("FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "DONT_FAKE_MONOTONIC"), "1"
        )
        with (self.folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tatpar", "probe", "--config", str(settings)),
                *("--data", str(self.folder / "data")),
                stderr=log,
                cwd=house,
                env=os.environ
                | faked
                | {
                    "LD_PRELOAD": str(libfaketime()),
                    "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock"),
                    "PYTHONPATH": f"{self.folder}{os.pathsep}{house}",
                },
            )
        try:
            yield
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 60)
        assert "Traceback" not in (self.folder / "log").read_text(encoding="utf-8")

    def reports_made(self) -> int:
        """As its spool counts them."""
        spools = list((self.folder / "data" / "spool").glob("*.db"))
        if not spools:
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{spools[0]}?mode=ro", uri=True)) as spool:
            try:
                return int(spool.execute("SELECT count(*) FROM report").fetchone()[0])
            except sqlite3.Error:
                return 0

    def misplaced(self, store: Any) -> dict[int, float]:
        """By number, the windows by which stored reports are off; the monotonic clock is this machine's, which has the truth."""
        truth_ns = time.time_ns() - time.monotonic_ns()
        off: dict[int, float] = {}
        for one in store.envelopes(self.site, 0, 2**62):
            if one.probe == self.probe and abs(by := one.start_ns - one.mono_ns - truth_ns) > NEAR_NS:
                off[one.seq] = by / WINDOW_NS
        return off

    def has_all(self, store: Any) -> bool:
        """Whether no number is missing below the newest."""
        return [len(list(ranges)) for ranges in store.received(self.site, self.probe).values()] == [1]

    def numbers(self, store: Any) -> list[int]:
        return sorted(one.seq for one in store.envelopes(self.site, 0, 2**62) if one.probe == self.probe)


@pytest.fixture
def make_clocked(tmp_path: Path) -> Callable[[str, str, int], Clocked]:
    def make(site: str, probe: str, ahead_ns: int) -> Clocked:
        folder = tmp_path / f"{site}-{probe}"
        folder.mkdir()
        made = Clocked(folder, site, probe)
        made.set_clock(ahead_ns)
        return made

    return make


async def test_four_wrong_clocks_through_a_restart_of_the_hub_until_they_are_set_right(
    killable_hub: Any, make_clocked: Callable[..., Clocked], eventually: Eventually
) -> None:
    """Slow, fast by little behind a queue, a wrong time zone, a dead battery; beside them one that is right."""
    ahead = {
        ("agra", "slow"): -3 * HOUR_NS - 4 * MINUTE_NS,
        ("agra", "right"): 0,
        ("meerut", "fast"): 75 * SECOND_NS,
        ("meerut", "zone"): 5 * HOUR_NS + 30 * MINUTE_NS,
        ("meerut", "battery"): -time.time_ns() + HOUR_NS,
    }
    probes = [make_clocked(*who, ahead_ns) for who, ahead_ns in ahead.items()]
    wrong = {who for who, ahead_ns in ahead.items() if ahead_ns}
    state, store = killable_hub.state, killable_hub.store

    def said() -> dict[tuple[str, str], WrongClock]:
        return {(one.site, one.probe): one for one in state.wrong_clocks(0)}

    async with contextlib.AsyncExitStack() as stack:
        for probe in probes:
            await stack.enter_async_context(probe.running(killable_hub.broker.port))
        async with killable_hub.collecting():
            await eventually(lambda: set(said()) == wrong, within_s=180)
        for who, one in said().items():
            assert one.until_ns is None
            assert abs(one.ahead_ns - ahead[who]) <= NEAR_NS
        before = max(probe.numbers(store)[-1] for probe in probes)
        await asyncio.sleep(45)  # three windows wait at the broker: the physics of a queue
        async with killable_hub.collecting() as collector:
            await eventually(lambda: all(p.numbers(store)[-1] >= before + 4 for p in probes), within_s=180)
            for probe in probes:
                probe.set_clock(0)
            await eventually(lambda: all(one.until_ns for one in said().values()), within_s=180)
            assert collector.counters.refused["undated"] == 0, "every boot was known"
            await eventually(lambda: all(p.has_all(store) for p in probes), within_s=180)
    for probe in probes:
        slow_at_first = [1, 2] if probe.probe == "slow" else []
        assert [seq for seq in probe.misplaced(store) if seq not in slow_at_first] == [], probe


@pytest.mark.parametrize("ahead_ns", [-3 * HOUR_NS, 2 * HOUR_NS])
async def test_a_clock_that_was_wrong_until_the_network_came_up(
    killable_hub: Any,
    mosquitto: Any,
    make_clocked: Callable[..., Clocked],
    eventually: Eventually,
    ahead_ns: int,
) -> None:
    """It measures without a network, is set right with it, and sends what waited: the hub only ever sees it right."""
    mosquitto.kill()
    agra = make_clocked("agra", "p1", ahead_ns)
    async with agra.running(killable_hub.broker.port):
        await eventually(lambda: agra.reports_made() >= 2, within_s=180)
        waited = agra.reports_made()
        agra.set_clock(0)
        mosquitto.start()
        async with killable_hub.collecting():
            await eventually(
                lambda: (
                    len(agra.numbers(killable_hub.store)) >= waited + 3 and agra.has_all(killable_hub.store)
                ),
                within_s=180,
            )
            assert agra.misplaced(killable_hub.store) == {}
    assert killable_hub.state.wrong_clocks(0) == []


async def test_an_office_without_ntp_is_heard_at_once_when_the_hub_comes_back(
    killable_hub: Any, make_clocked: Callable[..., Clocked], eventually: Eventually
) -> None:
    """Nothing is known of its boot, and the broker kept three windows: those alone wait, and come again by themselves."""
    probes = [make_clocked("agra", "p1", 0), make_clocked("meerut", "p1", 0)]
    store = killable_hub.store
    async with killable_hub.collecting():  # from here on there is a session
        pass
    async with contextlib.AsyncExitStack() as stack:
        for probe in probes:
            await stack.enter_async_context(probe.running(killable_hub.broker.port))
        await eventually(lambda: all(probe.reports_made() >= 3 for probe in probes), within_s=180)
        async with killable_hub.collecting() as collector:
            await eventually(lambda: collector.bridge.echo_ms is not None)
            waited = [probe.reports_made() for probe in probes]
            await eventually(
                lambda: all(p.numbers(store)[-1:] > [n] for p, n in zip(probes, waited, strict=True))
            )
            assert collector.counters.refused["undated"] <= sum(waited), "no report that came as it was made"
            await eventually(lambda: all(p.has_all(store) for p in probes), within_s=180)
    assert [probe.misplaced(store) for probe in probes] == [{}, {}]
    assert killable_hub.state.wrong_clocks(0) == []
