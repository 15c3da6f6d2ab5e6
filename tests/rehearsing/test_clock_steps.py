"""Either machine's clock is set under a rung, forward and back, by hours and by 20 ms: the rehearsal finds what it would have."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from probes.rehearsing.call import Call
from probes.rehearsing.door import Door
from probes.rehearsing.flow import connected, prepared
from probes.rehearsing.responder import Session
from telemetry.rehearsing import OfficeState
from telemetry.windows import MS_NS, SECOND_NS
from tests.rehearsing import stepped_clock
from tests.rehearsing.stepped_clock import Machine, here, true_ns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from probes.rehearsing.call import Outcome
    from telemetry.rehearsing import OfficeProgress

KEY = b"k" * 32
HOUR = 3600 * SECOND_NS
STEPS = {"an hour on": HOUR, "an hour back": -HOUR, "20 ms on": 20 * MS_NS, "20 ms back": -20 * MS_NS}
FAR = {
    "far and old, an hour on": HOUR,
    "far and old, an hour back": -HOUR,
    "far and old, 0.3 s on": 300 * MS_NS,
}
RUNG_S = 1.6
CALM_MS = 4.0
"""A machine on which a line without a step has more delay than this is too busy to tell one of 20 ms."""
STILL_S = 0.5
"""Less than what lies between a step and the end of its rung."""
TRIES = 40


class OldTime:
    """How a headquarters' program of before stamps: by real time, whatever is done to it."""

    steps = 0

    def now_ns(self) -> int:
        return time.time_ns()

    def look(self, *, emptied: bool = True) -> None:
        """It does not."""

    def of_stamps(self, stamps_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return stamps_ns, np.ones(len(stamps_ns), dtype=bool)


class Found(NamedTuple):
    outcome: Outcome
    began_mono_ns: list[int]
    start_mono_ns: int


async def served(sock: socket.socket, *, old: bool) -> None:
    """A headquarters for one office: the real door, the real session."""
    door, session = Door(50e6), None
    while session is None or session.tick():
        await asyncio.sleep(0.004)
        if session is not None:
            continue
        try:
            data, peer = sock.recvfrom(4096)
        except BlockingIOError:
            continue
        knock = door.knock(data, repr(peer).encode(), {7: KEY}, time.monotonic_ns())
        if knock.reply:
            sock.sendto(knock.reply, peer)
        if knock.admitted is not None:
            sock.connect(peer)
            session = Session(sock, knock.admitted)
            if old:
                session._flow.time = OldTime()  # type: ignore[assignment]
    session.close()


async def one(helpers: Any, near: Machine, far: Machine, when_s: float, *, old: bool = False) -> Found:
    """One rehearsal between two machines; the step so long after the load's start."""
    sock = prepared(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind(("127.0.0.1", 0))
    here.set(far)
    serving = asyncio.create_task(served(sock, old=old))
    here.set(near)
    order = helpers.order(RUNG_S, names=("audio", "low"))
    began: list[int] = []

    def say(_progress: OfficeProgress) -> None:
        began.append(time.monotonic_ns())

    call = Call(order, connected(*sock.getsockname()), (7, KEY), say)
    start_mono_ns = time.monotonic_ns() + order.start_ns - true_ns()
    near.at_ns = far.at_ns = order.start_ns + round(when_s * SECOND_NS)
    async with asyncio.timeout(60.0):
        outcome = await helpers.played(call)
        await serving
    return Found(outcome, began, start_mono_ns)


async def all_at_once(helpers: Any) -> dict[str, Found]:
    mid = 0.5 * RUNG_S
    wanted = {
        "calm": one(helpers, Machine(), Machine(), mid),
        **{f"near, {name}": one(helpers, Machine(ns), Machine(), mid) for name, ns in STEPS.items()},
        **{f"far, {name}": one(helpers, Machine(), Machine(ns), mid) for name, ns in STEPS.items()},
        **{name: one(helpers, Machine(), Machine(ns), mid, old=True) for name, ns in FAR.items()},
        "waiting, an hour on": one(helpers, Machine(HOUR), Machine(), -0.3),
        "waiting, an hour back": one(helpers, Machine(-HOUR), Machine(), -0.3),
    }
    return dict(zip(wanted, await asyncio.gather(*wanted.values()), strict=True))


async def felt(work: Awaitable[dict[str, Found]]) -> tuple[dict[str, Found], list[tuple[float, float]]]:
    """What came of it, and when the machine stood still meanwhile, both ends and the lines between together (monotonic, s)."""
    stood: list[tuple[float, float]] = []

    async def feel() -> None:
        while True:
            began_s = time.monotonic()
            await asyncio.sleep(0.01)
            if time.monotonic() - began_s > STILL_S:
                stood.append((began_s, time.monotonic()))

    feeling = asyncio.create_task(feel())
    done = await work
    feeling.cancel()
    return done, stood


def stood_at_the_step(one: Found, stood: list[tuple[float, float]]) -> bool:
    """Whether that was between the start's wait and the end of the first rung: the step may lie in another rung then."""
    start_s = one.start_mono_ns / SECOND_NS
    return any(began_s < start_s + RUNG_S and ended_s > start_s - 0.3 for began_s, ended_s in stood)


@pytest.fixture(scope="module")
def found(helpers: Any) -> Iterator[dict[str, Found]]:
    """All of them at once; again when the machine was too busy to prove anything."""
    with pytest.MonkeyPatch.context() as patch:
        stepped_clock.install(patch)
        for _ in range(TRIES):
            all_found, stood = asyncio.run(felt(all_at_once(helpers)))
            busy = any(one.outcome.item.aborted in {"own-load", "hub-load"} for one in all_found.values())
            busy = busy or any(stood_at_the_step(one, stood) for one in all_found.values())
            if not busy and max(growths(all_found["calm"])) < CALM_MS:
                yield all_found
                return
    pytest.fail("the machine is too busy")


def growths(one: Found) -> list[float]:
    rungs = (*one.outcome.item.up, *one.outcome.item.down)
    return [rung.delay_growth_ms for rung in rungs if rung.delay_growth_ms is not None]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("side", ["near", "far"])
def test_a_clock_that_is_set_under_a_rung_changes_no_figure(
    found: dict[str, Found], side: str, name: str
) -> None:
    """Nothing is broken off, and neither delay, rate, loss nor a verdict differs from those of the line without a step."""
    one, calm = found[f"{side}, {name}"].outcome, found["calm"].outcome
    assert one.item.aborted is None, one
    assert one.progress.state is OfficeState.HELD, one
    assert len(growths(found[f"{side}, {name}"])) == 4
    assert max(growths(found[f"{side}, {name}"])) < CALM_MS + 12.0, one
    for stepped, straight in zip(
        (*one.item.up, *one.item.down), (*calm.item.up, *calm.item.down), strict=True
    ):
        assert (stepped.name, stepped.held, stepped.lost) == (straight.name, straight.held, straight.lost)
        assert stepped.bitrate_bps == pytest.approx(straight.bitrate_bps, rel=0.1)
    assert one.progress.note == ("own-clock" if side == "near" else ""), (
        "the office says what was done to its clock"
    )


@pytest.mark.parametrize("name", FAR)
def test_an_old_headquarters_clock_leaves_the_growth_out_and_says_so(
    found: dict[str, Found], name: str
) -> None:
    """Where only the far clock explains it, that rung has no growth; it is judged by the round trip, and the next is whole."""
    one = found[name].outcome
    assert one.progress.state is OfficeState.HELD, one
    assert one.progress.note == "far-clock"
    for way in (one.item.up, one.item.down):
        assert way[0].delay_growth_ms is None, way
        assert way[1].delay_growth_ms is not None, way
        assert way[1].delay_growth_ms < CALM_MS + 12.0


@pytest.mark.parametrize("name", ["waiting, an hour on", "waiting, an hour back"])
def test_the_start_does_not_move_with_the_clock(found: dict[str, Found], name: str) -> None:
    """Set while the start is waited for: the load begins when it would have, and not before."""
    one = found[name]
    assert one.outcome.progress.state is OfficeState.HELD, one
    assert min(one.began_mono_ns) >= one.start_mono_ns - MS_NS
