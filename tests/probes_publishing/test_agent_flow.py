"""The agent: offices from window to hub, and what becomes of their troubles."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probes.measuring.session import Session
from probes.publishing.agent import run_offices
from probes.publishing.office_settings import BacklogPace
from probes.publishing.restart_reason import RestartReason
from telemetry.clock import SystemClock
from telemetry.codec import encode_control
from telemetry.control import Plan, PlannedEnd, Rate
from telemetry.messages import Stream
from telemetry.windows import SECOND_NS
from tests.probes_publishing.agents import running, said

pytestmark = pytest.mark.server


async def test_windows_become_stored_reports(
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any
) -> None:
    """Every window becomes one report, numbered from 1, live, within the second of its spread; then the spool is empty."""
    hub = make_hub()
    office = make_office()
    async with running([office], fake_measurer) as agent:
        for index in range(5):
            fake_measurer.queue.put_nowait(make_window(office.key, index))
        await eventually(lambda: agent.offices[office.key].counters.stored == 5)
    assert sorted(hub.seqs()) == [1, 2, 3, 4, 5]
    assert {leaf for leaf, _, _ in hub.arrivals} == {"report"}
    assert all(int(properties["age-ms"]) < 5_000 for _, _, properties in hub.arrivals)
    assert [type(item) for item in hub.envelopes[0].items] == [Stream]
    assert (fake_measurer.started, fake_measurer.stopped) == (True, True)


async def test_presence_is_retained_and_says_goodbye(
    make_hub: Any, make_office: Any, fake_measurer: Any, eventually: Any
) -> None:
    """A probe says online, retained, and offline when it is stopped; its next start was the operator's doing."""
    hub = make_hub()
    office = make_office()
    async with running([office], fake_measurer):
        await eventually(lambda: hub.presence["agra"])
        late = make_hub()
        await eventually(lambda: late.presence["agra"])
        assert late.presence["agra"][0][1] is True
    await eventually(lambda: len(hub.presence["agra"]) == 2)
    async with running([office], fake_measurer):
        await eventually(lambda: len(hub.presence["agra"]) == 3)
    assert [one.online for one in said(hub)[:3]] == [True, False, True]
    assert [one.left for one in said(hub)[:3]] == [False, True, False]
    assert [one.restart_reason for one in said(hub)[:3]] == ["unknown", "unknown", "operator"]


async def test_cancelled_agent_says_goodbye_too(
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any
) -> None:
    """Cancelled instead of stopped, the agent still spools what it has, says offline, and ends as cancelled."""
    hub = make_hub()
    office = make_office()
    task = asyncio.create_task(run_offices([office], fake_measurer))
    fake_measurer.queue.put_nowait(make_window(office.key))
    await eventually(lambda: hub.presence["agra"])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)
    await eventually(lambda: [one.online for one in said(hub)] == [True, False])
    assert fake_measurer.stopped


async def test_plan_is_followed_and_outlives_the_hub(
    make_hub: Any, make_office: Any, fake_measurer: Any, mosquitto: Any, eventually: Any
) -> None:
    """The measurer gets the plan's sessions, the rate of the moment, and after a restart without a hub the same again."""
    hub = make_hub()
    office = make_office(ends={"national": "127.0.0.1:9"})
    clock, key = SystemClock(), office.key
    ends = (
        PlannedEnd(end="state", reflectors=("127.0.0.1:7",)),
        PlannedEnd(end="national", reflectors=("x:1",)),
    )
    slow, fast = (
        [
            Session(key, "main.state", "127.0.0.1", 7, rate),
            Session(key, "main.national", "127.0.0.1", 9, rate),
        ]
        for rate in (10.0, 50.0)
    )
    async with running([office], fake_measurer):
        await eventually(
            lambda: fake_measurer.sessions == [Session(key, "main.national", "127.0.0.1", 9, 10.0)]
        )
        for lead_s in (2.5, 10.0, 40.0):
            now = clock.now_ns()
            from_ns, until_ns = now + int(lead_s * SECOND_NS), now + 3600 * SECOND_NS
            rates = (Rate(from_ns=from_ns, until_ns=until_ns, rate_pps=50.0),)
            plan = Plan(valid_until_ns=until_ns, ends=ends, rates=rates)
            hub.publish("agra/p1/plan", encode_control(plan), retain=True)
            await eventually(
                lambda from_ns=from_ns: fake_measurer.sessions == slow or clock.now_ns() >= from_ns
            )
            if fake_measurer.sessions == slow:
                break  # else the machine took longer to hear of the plan than the plan waited
        assert fake_measurer.sessions == slow
        await eventually(lambda: fake_measurer.sessions == fast)
    hub.stop()
    mosquitto.kill()
    fake_measurer.sessions = []
    async with running([office], fake_measurer):
        await eventually(lambda: fake_measurer.sessions == fast)


async def test_last_windows_are_spooled_before_the_goodbye(
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any
) -> None:
    """The partial windows that come when measuring stops are reports too: spooled, and sent after the next start."""
    hub = make_hub()
    office = make_office()
    fake_measurer.last = [make_window(office.key, 7)]
    async with running([office], fake_measurer) as agent:
        await eventually(lambda: agent.offices[office.key].counters.connections == 1)
    fake_measurer.last = []
    async with running([office], fake_measurer):
        await eventually(lambda: hub.seqs() == [1])
    assert hub.envelopes[0].start_ns == make_window(office.key, 7).start_ns


async def test_same_office_twice_is_refused(make_office: Any, fake_measurer: Any) -> None:
    """Two agents for one probe, or two probes on one spool, are a mistake that is told at once."""
    office = make_office()
    with pytest.raises(ValueError, match="same name"):
        await run_offices([office, office], fake_measurer)
    with pytest.raises(ValueError, match="same spool"):
        await run_offices([office, make_office("jhansi", spool=office.spool)], fake_measurer)


_PROGRAM = """
import asyncio, sys, time
from pathlib import Path
from probes.publishing.agent import run_offices
from probes.publishing.office_settings import OfficeSettings
from probes.measuring.session import ClosedWindow
from telemetry.messages import Clock, SelfReport

class Measurer:
    async def start(self): pass
    async def set_sessions(self, sessions): pass
    async def stop(self): pass
    async def windows(self):
        for n in range(10**9):
            yield ClosedWindow("agra/p1", n * 15 * 10**9, 0, Clock(), SelfReport(), ())
            await asyncio.sleep(0.02)

office = OfficeSettings(site="agra", probe="p1", broker_host="127.0.0.1", broker_port=int(sys.argv[1]),
                        spool=Path(sys.argv[2]), ping_targets=(), interface="")
asyncio.run(run_offices([office], Measurer()))
"""


async def test_killed_probe_leaves_its_will_and_loses_nothing(
    make_hub: Any, make_office: Any, mosquitto: Any, eventually: Any
) -> None:
    """Killed -9 three times in full flow: the broker says offline, the next start says crash, every report arrives."""
    hub = make_hub()
    office = make_office()
    for round_number in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _PROGRAM,
            str(mosquitto.port),
            str(office.spool),
            cwd=Path(__file__).parents[2],
        )
        seen = len(hub.seqs())
        await eventually(lambda n=seen: len(hub.seqs()) > n + 10)
        process.kill()
        await process.wait()
        await eventually(lambda n=round_number: [one.online for one in said(hub)] == [True, False] * (n + 1))
    assert [one.restart_reason for one in said(hub)[::2]] == ["unknown", "crash", "crash"]
    assert not any(one.left for one in said(hub))

    class Silent:
        async def start(self) -> None: ...
        async def stop(self) -> None: ...
        async def set_sessions(self, sessions: Any) -> None: ...
        async def windows(self) -> Any:
            await asyncio.sleep(3600)
            yield

    quick = replace(office, backlog=BacklogPace(per_second=500.0))
    async with running([quick], Silent()) as agent:
        ours = agent.offices[office.key]
        await eventually(
            lambda: ours._publisher is not None and ours._publisher._spool.reports == 0, within_s=120
        )
        made = ours._publisher._spool.next_seq - 1  # type: ignore[union-attr]
    assert ours._reason is RestartReason.CRASH
    assert sorted(set(hub.seqs())) == list(range(1, made + 1))
    assert len({envelope.epoch for envelope in hub.envelopes}) == 1


def test_agent_imports_nothing_of_the_hub() -> None:
    """What an office installs is enough: the agent pulls in no hub-only library and no room but telemetry and config."""
    code = (
        "import sys, probes.publishing.agent, probes.publishing.probe_file; "
        "print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    ).stdout.split()
    forbidden = {
        "scipy",
        "zstandard",
        "babel",
        "icalendar",
        "starlette",
        "jinja2",
        "pandas",
        "uvicorn",
        "recurring_ical_events",
        "psutil",
    }
    rooms = {"collector", "analytics", "alerts", "dashboards", "reports", "lab", "tatpar"}
    assert not (forbidden | rooms) & set(loaded)


def test_the_measuring_process_stays_small() -> None:
    """It loads neither numpy nor a codec, nor OpenSSL before there is something to sign: a third of the memory of both."""
    code = "import sys, probes.measuring.measuring_process; print(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    ).stdout.split()
    assert "probes.measuring.reply_reader" in loaded
    assert not {"numpy", "msgspec", "_hashlib", "ssl", "asyncio", "dataclasses", "logging"} & set(loaded)
