"""An office obeys no order that a meeting, a call, its line's rate or its budget forbid; and leaves off when one comes."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from probes.call.watch import CallWatch
from probes.publishing.office_settings import OfficeSettings, RehearsalLimits
from probes.publishing.plan import chart
from probes.rehearsing.budget import DayBudget
from probes.rehearsing.call_messages import Said
from probes.rehearsing.rehearser import REHEARSE, STOP, Rehearser
from telemetry.clock import SystemClock
from telemetry.control import Busy, Plan, PlannedEnd
from telemetry.messages import Rehearsal
from telemetry.rehearsing import OfficeProgress, OfficeState, heard_of
from telemetry.windows import DAY_NS, SECOND_NS
from tests.probes_call.rtp_traffic import rtp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from probes.rehearsing.call_messages import Begin
    from telemetry.control import Answer


ROOM = "127.77.0.1"
"""The room's device: an address of its own, for others talk on this machine's loopback too."""


@dataclass
class Child:
    """Instead of the process: begins, and ends when it is told to."""

    begun: list[Begin] = field(default_factory=list)
    halted: list[str] = field(default_factory=list)
    has_halted: asyncio.Event = field(default_factory=asyncio.Event)
    told: Callable[[Said], None] = print

    async def begin(self, begin: Begin, told: Callable[[Said], None]) -> None:
        self.begun.append(begin)
        self.told = told

    async def halt(self, office: str, why: str) -> None:
        self.halted.append(why)
        self.has_halted.set()
        self.end(OfficeState.ABORTED, office, why)

    def end(self, state: OfficeState, office: str = "agra/p1", why: str = "") -> None:
        progress = OfficeProgress(site="x", probe="x", state=state, why=why, step=5)
        item = Rehearsal(path="main.state", rehearsal_id="r1", aborted=why or None)
        self.told(Said(office=office, progress=progress, item=item, octets=1000))


@dataclass
class LiveCall:
    seen: bool = False

    def seen_within(self, _ns: int) -> bool:
        return self.seen


class SetClock(SystemClock):
    """The machine's, and by how much somebody has set it."""

    step_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.step_ns


class Office:
    """A rehearser with everything around it."""

    def __init__(self, tmp_path: Path, **limits: Any) -> None:
        self.clock = SetClock()
        now_ns = self.clock.now_ns()
        self.plan = Plan(
            valid_until_ns=now_ns + DAY_NS, ends=(PlannedEnd(end="state", reflectors=("127.0.0.1:862",)),)
        )
        self.live, self.child, self.said = LiveCall(), Child(), []
        self.mark = (7, b"k" * 32)
        settings = OfficeSettings(
            site="agra", probe="p1", broker_host="x", broker_port=1, spool=tmp_path / "s.db",
            rehearsal=RehearsalLimits(**limits),
        )  # fmt: skip
        self.budget = DayBudget(tmp_path / "day", settings.rehearsal.day_octets)
        self.rehearser = Rehearser(
            settings,
            clock=self.clock,
            child=self.child,  # type: ignore[arg-type]
            live_call=self.live,
            budget=self.budget,
            course=lambda: chart(self.plan),
            mark=lambda: self.mark,
            tell=self.said.append,
        )

    said: list[Answer]

    def busy(self, from_s: float, until_s: float) -> None:
        """A meeting, seconds from now."""
        now_ns = self.clock.now_ns()
        span = Busy(from_ns=now_ns + round(from_s * SECOND_NS), until_ns=now_ns + round(until_s * SECOND_NS))
        self.plan = msgspec.structs.replace(self.plan, busy=(span,))

    def told(self, order: Any, verb: str = REHEARSE) -> Answer:
        text = msgspec.json.encode(order).decode()
        return self.rehearser.verbs[verb]({"order": text, "id": order.id})

    def last(self) -> OfficeProgress:
        heard = heard_of(self.said[-1])
        assert heard is not None
        return heard[1]


def run(work: Callable[[], Any]) -> None:
    async def inner() -> None:
        await work()

    asyncio.run(inner())


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("meeting", "meeting"),
        ("meeting soon", "meeting"),
        ("call", "live-call"),
        ("no plan", "no-plan"),
        ("old plan", "no-plan"),
        ("no key", "no-key"),
        ("off", "off"),
        ("budget", "budget"),
        ("ceiling", "ceiling"),
        ("late", "start -"),
        ("early", "start 9"),
        ("long", "too-long"),
        ("nowhere", "no-path"),
    ],
)
def test_refused(tmp_path: Path, helpers: Any, what: str, why: str) -> None:
    """Each with its reason, and nothing is begun."""
    limits: dict[str, dict[str, Any]] = {
        "off": {"enabled": False},
        "budget": {"day_octets": 10_000},
        "ceiling": {"most_up_bps": 50e3},
    }
    office = Office(tmp_path, **limits.get(what, {}))
    now_ns = office.clock.now_ns()
    order = helpers.order()
    if what == "meeting":
        office.busy(-60, 60)
    elif what == "meeting soon":
        office.busy(3, 60)
    elif what == "no plan":
        office.plan = None  # type: ignore[assignment]
    elif what == "old plan":
        office.plan = msgspec.structs.replace(office.plan, valid_until_ns=now_ns)
    changes = {
        "late": {"start_ns": now_ns - 10 * SECOND_NS},
        "early": {"start_ns": now_ns + 950 * SECOND_NS},
        "long": {"rung_s": 60.0},
        "nowhere": {"path": "main.moon"},
    }
    if what in {"nowhere", "no plan"}:
        office.plan = office.plan or Plan(valid_until_ns=0)
    office.live.seen = what == "call"
    if what == "no key":
        office.mark = (0, b"")
    if what == "no plan":
        office.rehearser._course = lambda: replace(chart(Office(tmp_path).plan), plan=None)
    answer = office.told(msgspec.structs.replace(order, **changes.get(what, {})))
    assert not answer.ok
    assert answer.detail.startswith(why), answer
    assert not office.child.begun


def test_obeyed_reported_and_counted(tmp_path: Path, helpers: Any) -> None:
    """What came of it goes to the hub and into the report, and is taken from the day's budget."""

    async def work() -> None:
        office = Office(tmp_path)
        office.busy(600, 900)
        answer = office.told(helpers.order())
        assert answer.ok, answer
        assert abs(int(answer.detail.removeprefix("clock_ns=")) - office.clock.now_ns()) < 60 * SECOND_NS
        assert not office.told(helpers.order()).ok, "one at a time"
        await asyncio.sleep(0)
        office.child.end(OfficeState.HELD)
        assert office.last().state is OfficeState.HELD
        assert (office.last().site, office.last().probe) == ("agra", "p1")
        assert [one.rehearsal_id for one in office.rehearser.take()] == ["r1"]
        assert not office.rehearser.take()
        assert office.budget.left(office.clock.now_ns()) == 300_000_000 - 1000
        await office.rehearser.close()

    run(work)


@pytest.mark.parametrize(
    ("what", "why"), [("call", "live-call"), ("meeting", "meeting"), ("command", "stopped")]
)
def test_broken_off_at_once(tmp_path: Path, helpers: Any, what: str, why: str) -> None:
    """A call that begins, a meeting that somebody calls meanwhile, the hub's word."""

    async def work() -> None:
        office = Office(tmp_path)
        order = helpers.order()
        assert office.told(order).ok
        await asyncio.sleep(0)
        if what == "call":
            office.live.seen = True
        elif what == "meeting":
            office.busy(-1, 60)
        else:
            assert office.told(order, STOP).ok
        async with asyncio.timeout(60):
            await office.child.has_halted.wait()
        assert office.child.halted == [why]
        assert office.last().state is OfficeState.ABORTED
        await office.rehearser.close()

    run(work)


@pytest.mark.parametrize("hours", [3, -3, 48])
def test_a_clock_that_is_set_ends_nothing_and_hides_no_meeting(
    tmp_path: Path, helpers: Any, caplog: pytest.LogCaptureFixture, hours: int
) -> None:
    """Neither the plan's end nor a meeting at that hour breaks it off; a meeting now does; and it is said once."""

    async def work() -> None:
        office = Office(tmp_path)
        order = helpers.order()
        office.busy(3600 * hours - 60, 3600 * hours + 60)
        told_mono_ns = office.clock.monotonic_ns() + order.start_ns - office.clock.now_ns()
        assert office.told(order).ok
        await asyncio.sleep(0)
        assert abs(office.child.begun[0].start_mono_ns - told_mono_ns) < SECOND_NS
        office.clock.step_ns = hours * 3600 * SECOND_NS
        async with asyncio.timeout(60):
            while "clock was set" not in caplog.text:  # noqa: ASYNC110 - a log has no bell
                await asyncio.sleep(0.02)
        assert not office.child.halted
        office.clock.step_ns = 0
        office.busy(-1, 60)
        office.clock.step_ns = hours * 3600 * SECOND_NS
        async with asyncio.timeout(60):
            await office.child.has_halted.wait()
        assert office.child.halted == ["meeting"]
        assert caplog.text.count("clock was set") == 1
        office.clock.step_ns = 0
        assert office.budget.left(office.clock.now_ns()) == 300_000_000 - 1000, "of the day on which it began"
        await office.rehearser.close()

    run(work)


def test_the_lines_stated_rate_is_never_passed(tmp_path: Path, helpers: Any) -> None:
    """Rungs above it are left out, and the top that was left is not the meeting's profile."""

    async def work() -> None:
        office = Office(tmp_path, most_down_bps=300e3)
        assert office.told(helpers.order()).ok
        await asyncio.sleep(0)
        assert [rung.name for rung in office.child.begun[0].order.rungs] == ["audio", "low"]
        office.child.end(OfficeState.HELD)
        assert (office.last().state, office.last().why) == (OfficeState.BROKE, "ceiling")
        await office.rehearser.close()

    run(work)


@pytest.mark.needs("capture")
async def test_the_real_meter_ends_a_rehearsal_and_forbids_the_next(tmp_path: Path, helpers: Any) -> None:
    """RTP on the office's interface while it rehearses: broken off; and nothing begins for a minute after."""
    office = Office(tmp_path)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
    ):
        there.bind((ROOM, 0))
        here.connect(there.getsockname())
        meter = OfficeSettings(
            site="agra", probe="p1", broker_host="x", broker_port=1, spool=tmp_path / "m.db",
            call_interface="lo", call_hosts=(ROOM,),
        )  # fmt: skip
        watch = CallWatch(meter, office.clock)
        office.rehearser._live_call = watch.live
        looking = asyncio.create_task(watch.run())
        order = helpers.order()
        assert office.told(order).ok
        sent = 0
        async with asyncio.timeout(60):
            while not office.child.halted:
                here.send(rtp(sent, sent * 160, 7, 0, payload=bytes(160)))
                sent += 1
                await asyncio.sleep(0.02)
        assert office.child.halted == ["live-call"]
        assert sent >= 8, "a few packets are no call yet"
        assert office.last().why == "live-call"
        await office.rehearser.close()
        assert office.told(order).detail == "live-call"
        looking.cancel()
