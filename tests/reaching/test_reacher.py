"""Which questions an office asks, when, and in which window their answers are told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from config.reach import METHODS, ReachCheck, parse_check
from probes.publishing.office_settings import OfficeSettings
from probes.reaching import asking, reacher
from probes.reaching.reacher import AGAIN_S, Reacher
from probes.reaching.targets import Asked, Questions, questions
from probes.workers import Workers
from telemetry.clock import ManualClock
from telemetry.codec import decode, encode
from telemetry.control import Plan, PlannedReach
from telemetry.messages import Clock, Envelope, Reach, ReachOutcome, SelfReport
from telemetry.windows import SECOND_NS, WINDOW_NS
from tests.reaching.far_ends import device

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.reaching.far_ends import Device

T0 = 1_795_392_000 * SECOND_NS
OFFICE = "agra/p1"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sip:10.1.2.3", ("sip", "10.1.2.3", 5060)),
        ("sip+tcp:codec.office.example:5070", ("sip+tcp", "codec.office.example", 5070)),
        ("h323:[2001:db8::7]", ("h323", "2001:db8::7", 1720)),
        ("tcp:10.1.2.3:5061", ("tcp", "10.1.2.3", 5061)),
        ("tls:meet.example", ("tls", "meet.example", 443)),
        ("stun:[2001:db8::7]:3479", ("stun", "2001:db8::7", 3479)),
        ("tcp:10.1.2.3", None),
        ("10.1.2.3", None),
        ("sip:", None),
        ("sip:10.1.2.3:0", None),
        ("sip:a b", None),
        ("ftp:10.1.2.3", None),
        ("sip:" + "a" * 300, None),
    ],
)
def test_questions_as_people_write_them(text: str, found: tuple[str, str, int] | None) -> None:
    """Method, host and port, the port of the method where there is none; what is written out reads back the same."""
    check = parse_check(text)
    assert check == (None if found is None else ReachCheck(*found))
    if check is not None:
        assert parse_check(str(check)) == check


def settings(tmp_path: Path, **changes: Any) -> OfficeSettings:
    return OfficeSettings(
        site="agra", probe="p1", broker_host="127.0.0.1", broker_port=1, spool=tmp_path / "s.db", **changes
    )


def test_the_offices_own_questions_win_over_the_plans(tmp_path: Path) -> None:
    """Target by target; a plan's questions that we do not know or that are too many are left out and told; an office may ask nothing."""
    plan = Plan(
        valid_until_ns=1,
        reach=(
            PlannedReach(target="room", ask="sip:10.0.0.1:5060"),
            PlannedReach(target="room", ask="hologram:10.0.0.1"),
            *(PlannedReach(target="edge", ask=f"tls:e{n}.example") for n in range(5)),
            PlannedReach(target="printer", ask="tcp:10.0.0.9:9100"),
        ),
        reach_every_s=30.0,
    )
    found = questions(plan, settings(tmp_path))
    assert [str(one.check) for one in found.asked] == [
        "sip:10.0.0.1:5060",
        *(f"tls:e{n}.example:443" for n in range(4)),
    ]
    assert found.every_s == 30.0
    assert [line.partition(":")[0] for line in found.cut] == ["room", "edge"]
    own = questions(plan, settings(tmp_path, reach_room=("h323:10.0.0.2",)))
    assert [str(one.check) for one in own.asked if one.target == "room"] == ["h323:10.0.0.2:1720"]
    assert questions(plan, settings(tmp_path, reach_enabled=False)) == Questions()
    assert questions(None, settings(tmp_path)).asked == ()
    assert set(METHODS) == {"sip", "sip+tcp", "h323", "tcp", "tls", "stun"}


class Rig:
    """A reacher over a clock that the test moves, asking a real device."""

    def __init__(self, clock: ManualClock, made: Reacher, room: Device) -> None:
        self.clock, self.reacher, self.room = clock, made, room
        check = ReachCheck("sip", "127.0.0.1", room.port)
        made.set_questions(OFFICE, Questions((Asked("room", check),), every_s=60.0))

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not done():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)

    async def next_answer(self, seconds: float) -> Reach:
        """Let so much time pass, and wait for what comes of it."""
        self.clock.advance(round(seconds * SECOND_NS))
        found: list[Reach] = []

        def look() -> bool:
            found.extend(self.reacher.take(OFFICE, self.clock.now_ns() // WINDOW_NS * WINDOW_NS))
            return bool(found)

        await self.until(look)
        (item,) = found
        return item


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr(reacher, "TICK_S", 0.01)
    monkeypatch.setattr(asking, "REPEAT_S", 0.1)
    clock = ManualClock(T0, 5 * SECOND_NS)
    with Workers() as workers:
        made = Reacher(clock, workers)
        async with device("sip") as room:
            working = asyncio.create_task(made.run())
            yield Rig(clock, made, room)
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working


async def test_a_device_that_is_switched_off_and_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked soon at first, then every minute; without an answer again after 15 s; the item says all that a reader needs."""
    found = await rig.next_answer(AGAIN_S)
    assert (found.target, found.method, found.answered) == ("room", "sip", True)
    assert (found.outcome, found.address) == (ReachOutcome.ANSWERED, f"127.0.0.1:{rig.room.port}")
    asked = rig.room.asked
    rig.clock.advance(59 * SECOND_NS)
    await asyncio.sleep(0.05)
    assert rig.room.asked == asked
    with monkeypatch.context() as patched:
        patched.setattr(asking, "PATIENCE_S", 0.2)
        rig.room.off = True
        found = await rig.next_answer(1.0)
    assert (found.answered, found.outcome, found.took_ms) == (False, ReachOutcome.TIMEOUT, None)
    rig.room.off = False
    assert (await rig.next_answer(AGAIN_S)).answered


@pytest.mark.parametrize("step_s", [-86_400.0, -0.5, 0.5, 86_400.0])
async def test_a_stepped_clock_is_in_no_duration(rig: Rig, step_s: float) -> None:
    """The clock is set in both directions while the answer is under way: the time taken is the one that passed."""
    rig.room.off = True
    rig.clock.advance(round(AGAIN_S * SECOND_NS))
    await rig.until(lambda: rig.room.asked >= 1)
    rig.clock.step(round(step_s * SECOND_NS))
    rig.clock.advance(7_000_000)
    rig.room.off = False
    found = await rig.next_answer(0.0)
    assert found.took_ms == 7.0


async def test_what_is_no_longer_asked_is_forgotten(rig: Rig) -> None:
    """Another device in its place: the old one is asked no more, and what it answers late is not told."""
    rig.room.off = True
    rig.clock.advance(round(AGAIN_S * SECOND_NS))
    await rig.until(lambda: rig.room.asked >= 1)
    rig.reacher.set_questions(OFFICE, Questions())
    rig.room.off = False
    await rig.until(lambda: not rig.reacher._asking)
    now_ns = rig.clock.now_ns() // WINDOW_NS * WINDOW_NS
    assert rig.reacher.take(OFFICE, now_ns) == ()
    asked = rig.room.asked
    rig.clock.advance(600 * SECOND_NS)
    await asyncio.sleep(0.05)
    assert rig.room.asked == asked


def test_the_item_reads_at_older_and_newer_hubs() -> None:
    """All fields survive the wire; an outcome that only a newer probe knows keeps the item as it came."""
    item = Reach(
        target="edge",
        method="tls",
        answered=True,
        took_ms=30.5,
        outcome=ReachOutcome.EXPIRED,
        address="meet.example:443",
        connect_ms=10.0,
        handshake_ms=20.5,
        certificate_until_ns=T0,
    )
    envelope = Envelope(
        site="agra",
        probe="p1",
        epoch="0" * 16,
        seq=1,
        boot="b",
        mono_ns=0,
        start_ns=T0,
        clock=Clock(),
        self_report=SelfReport(),
        items=(item,),
    )
    raw = encode(envelope)
    assert decode(raw).items == (item,)
    newer = json.loads(raw)
    newer["items"][0]["outcome"] = 99
    kept = decode(json.dumps(newer).encode()).items[0]
    assert b'"outcome": 99' in kept.raw  # type: ignore[union-attr]
