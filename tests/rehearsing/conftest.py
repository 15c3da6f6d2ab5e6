"""Ladders small enough for a busy machine, and lines with a known bottleneck."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.line.reactor import Reactor
from lab.line.relay import Lateness, UdpLine
from probes.reflecting.reflector import Reflector
from probes.reflecting.reflector_policy import ReflectorPolicy
from probes.rehearsing.call import Call
from probes.rehearsing.flow import connected
from telemetry.rehearsing import RehearsalOrder, RungWanted
from telemetry.windows import SECOND_NS
from tests.reactor_thread import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.line.impairment import Impairment
    from probes.rehearsing.call import Outcome

KEYS = {ssid: bytes([ssid]) * 32 for ssid in range(1, 20)}
RATES = {"audio": 60e3, "low": 240e3, "high": 480e3}
TRIES = 60
LATE_NS = 40_000_000
"""A relay that sends later than this is slower than the line that it emulates: what was found is not the line's."""


def rung(name: str) -> RungWanted:
    return RungWanted(
        name=name,
        up_bps=RATES[name],
        down_bps=RATES[name],
        frames_per_s=50.0 if name == "audio" else 30.0,
        loss_ratio=0.05,
        rtt_ms=400.0,
    )


def order(rung_s: float = 1.2, *, names: tuple[str, ...] = ("audio", "low", "high")) -> RehearsalOrder:
    return RehearsalOrder(
        id="r1",
        path="main.state",
        start_ns=time.time_ns() + SECOND_NS // 2,
        rung_s=rung_s,
        rungs=tuple(rung(name) for name in names),
    )


@contextmanager
def headquarters(capacity_bps: float = 50e6) -> Iterator[Reflector]:
    """A reflector that admits rehearsals, serving on a thread."""
    reflector = Reflector(
        [("127.0.0.1", 0), ("::1", 0)], policy=ReflectorPolicy(keys=KEYS, rehearsal_bps=capacity_bps)
    )
    thread = threading.Thread(target=reflector.serve, name="test headquarters")
    thread.start()
    try:
        yield reflector
    finally:
        reflector.stop()
        thread.join()
        reflector.close()


async def played(call: Call) -> Outcome:
    """One rehearsal to its end."""

    async def tick() -> None:
        while True:
            call.tick()
            await asyncio.sleep(0.004)

    ticking = asyncio.create_task(tick())
    outcome = await call.run()
    ticking.cancel()
    return outcome


async def rehearsed(
    address: tuple[str, int],
    ssid: int,
    wanted: Callable[[], RehearsalOrder] = order,
    *,
    during: Callable[[Call], None] | None = None,
    key: bytes = b"",
    relay: Worst | None = None,
) -> Outcome:
    """One rehearsal, again when the machine was too busy to prove anything."""
    for _ in range(TRIES):
        call = Call(wanted(), connected(*address), (ssid, key or KEYS[ssid]), lambda _: None)
        if during is not None:
            asyncio.get_running_loop().call_later(1.5, during, call)
        outcome = await played(call)
        if relay is not None and relay.taken_ns() > LATE_NS:
            continue
        if outcome.item.aborted == "no-answer" and not key:
            continue  # every knock was too late, or lost on a line that loses: only a forged key is never answered
        if outcome.item.aborted not in {"own-load", "hub-load", "silent"}:
            return outcome
    pytest.fail(f"the machine is too busy: {outcome}")


class Worst(Lateness):
    """How late a relay was at the worst since this was asked last."""

    def __init__(self) -> None:
        super().__init__()
        self._worst_ns = 0

    def add(self, late_ns: int) -> None:
        self._worst_ns = max(self._worst_ns, late_ns)

    def taken_ns(self) -> int:
        worst, self._worst_ns = self._worst_ns, 0
        return worst


@contextmanager
def lines(
    reflector: tuple[str, int], states: dict[str, tuple[Impairment, Impairment]]
) -> Iterator[dict[str, tuple[tuple[str, int], Worst]]]:
    """A line each, up and down as told; its address, and how late it was."""
    reactor = Reactor()
    late = {name: Worst() for name in states}
    made = {name: UdpLine(reactor, n, reflector, name, lateness=late[name]) for n, name in enumerate(states)}
    for name, (up, down) in states.items():
        made[name].up.state, made[name].down.state = up, down
    try:
        with running(reactor):
            yield {name: (("127.0.0.1", line.port), late[name]) for name, line in made.items()}
    finally:
        for line in made.values():
            line.close()
        reactor.close()


class Helpers:
    """The functions above, for tests, which cannot import this file."""

    KEYS = KEYS
    order = staticmethod(order)
    rung = staticmethod(rung)
    headquarters = staticmethod(headquarters)
    played = staticmethod(played)
    rehearsed = staticmethod(rehearsed)
    lines = staticmethod(lines)


@pytest.fixture(scope="module")
def helpers() -> type[Helpers]:
    return Helpers
