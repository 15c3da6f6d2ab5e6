"""Real packets through lines with a known bottleneck: the rung held is the one that the line allows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from lab.line.impairment import CLEAR, Impairment
from probes.rehearsing.call import Call
from probes.rehearsing.flow import connected
from telemetry.rehearsing import OfficeState

if TYPE_CHECKING:
    from probes.reflecting.reflector import Reflector
    from probes.rehearsing.call import Outcome

NARROW = Impairment(rate_bps=330e3, queue_ms=60.0)
BLOATED = Impairment(rate_bps=330e3, queue_ms=2000.0)
LOSSY = Impairment(loss_ratio=0.3)
STATES = {
    "clear": (Impairment(delay_ms=5.0), Impairment(delay_ms=5.0)),
    "narrow up": (NARROW, CLEAR),
    "narrow down": (CLEAR, NARROW),
    "bloated up": (BLOATED, CLEAR),
    "lossy down": (CLEAR, LOSSY),
}


@pytest.fixture(scope="module")
def outcomes(helpers: Any) -> dict[str, Outcome]:
    """All lines at once, as in a stage of a real rehearsal; one that is stopped in the middle, one whose headquarters dies."""

    def stop(call: Call) -> None:
        call.stop("live-call")

    async def died(reflector: Reflector) -> tuple[Outcome, Outcome]:
        """The process that serves the sessions is killed under the load; and the next rehearsal."""
        reception = reflector._reception
        assert reception is not None
        address, process = reflector.addresses[0], reception._process
        for _ in range(8):  # on a machine that is too busy to knock in time it has not begun
            call = Call(helpers.order(), connected(*address), (12, helpers.KEYS[12]), lambda _: None)
            first = asyncio.create_task(helpers.played(call))
            while not (call._flow.arrivals.received or first.done()):  # noqa: ASYNC110 - it has no bell for that
                await asyncio.sleep(0.01)
            if not first.done():
                break
        process.kill()
        return await first, await helpers.rehearsed(address, 12, lambda: helpers.order(0.6, names=("audio",)))

    async def all_at_once(
        at: dict[str, Any], direct: tuple[str, int], six: tuple[str, int], mortal: Reflector
    ) -> dict[str, Outcome]:
        found = await asyncio.gather(
            *(helpers.rehearsed(at[name][0], ssid, relay=at[name][1]) for ssid, name in enumerate(STATES, 1)),
            helpers.rehearsed(direct, 9, during=stop),
            helpers.rehearsed(direct, 10, key=b"forged key of somebody elses...."),
            helpers.rehearsed(six, 11),
            died(mortal),
        )
        *single, dead = found
        names = (*STATES, "stopped", "forged", "over IPv6", "died", "after that")
        return dict(zip(names, (*single, *dead), strict=True))

    with (
        helpers.headquarters() as reflector,
        helpers.headquarters() as mortal,
        helpers.lines(reflector.addresses[0], STATES) as at,
    ):
        four, six = reflector.addresses
        return asyncio.run(all_at_once(at, four, six, mortal))


def test_a_clear_line_holds_the_whole_ladder(outcomes: dict[str, Outcome]) -> None:
    """Both ways, at the rates that were sent, and nothing lost."""
    clear = outcomes["clear"]
    assert clear.progress.state is OfficeState.HELD, clear
    for way in (clear.item.up, clear.item.down):
        assert [(one.name, one.held) for one in way] == [("audio", True), ("low", True), ("high", True)]
        assert way[-1].bitrate_bps == pytest.approx(480e3, rel=0.15)
        assert sum(one.lost for one in way) == 0


def test_over_ipv6_as_over_ipv4(outcomes: dict[str, Outcome]) -> None:
    """The session's socket is of the family and at the address that was asked."""
    found = outcomes["over IPv6"]
    assert found.progress.state is OfficeState.HELD, found
    assert [rung.held for rung in (*found.item.up, *found.item.down)] == [True] * 6


def test_a_headquarters_that_dies_proves_nothing_of_the_line(outcomes: dict[str, Outcome]) -> None:
    """What was going on is broken off as such, not as the line's fault; the reflector has a new process for the next."""
    died, after = outcomes["died"], outcomes["after that"]
    assert (died.progress.state, died.item.aborted) == (OfficeState.ABORTED, "silent"), died
    assert all(rung.held for rung in (*died.item.up, *died.item.down))
    assert after.progress.state is OfficeState.HELD, after


@pytest.mark.parametrize(("name", "why"), [("narrow up", "up"), ("narrow down", "down")])
def test_a_bottleneck_stops_its_own_direction_only(outcomes: dict[str, Outcome], name: str, why: str) -> None:
    """330 kbit/s carry 240 and not 480: that way holds `low`, the other goes on to the top."""
    found = outcomes[name]
    ways = {"up": found.progress.rung_up, "down": found.progress.rung_down}
    assert ways.pop(why) == "low", found
    assert list(ways.values()) == ["high"]
    assert found.progress.state is OfficeState.BROKE
    assert found.progress.why.startswith(f"{why} ")


def test_a_bloated_queue_shows_as_delay_and_is_left_early(outcomes: dict[str, Outcome]) -> None:
    """Two seconds of queue lose nothing; the load ends long before they are full."""
    found = outcomes["bloated up"]
    last = found.item.up[-1]
    assert (last.name, last.held) == ("high", False)
    assert found.progress.why == "up delay", found
    assert last.delay_growth_ms is not None
    assert 90.0 < last.delay_growth_ms < 2000.0
    assert last.bitrate_bps == pytest.approx(330e3, rel=0.25), "what the line carried while it was loaded"


def test_loss_breaks_the_first_rung(outcomes: dict[str, Outcome]) -> None:
    """Thirty per cent: no rung holds, and the way is not climbed any further."""
    found = outcomes["lossy down"]
    assert [(one.name, one.held) for one in found.item.down] == [("audio", False)]
    assert found.progress.why == "down loss"


def test_told_to_stop_it_stops(outcomes: dict[str, Outcome]) -> None:
    """Nothing is said of a rung that was not finished."""
    found = outcomes["stopped"]
    assert (found.progress.state, found.item.aborted) == (OfficeState.ABORTED, "live-call")
    assert len(found.item.up) < 3


def test_who_does_not_hold_the_key_is_not_answered(outcomes: dict[str, Outcome]) -> None:
    """No challenge, no session, no load."""
    found = outcomes["forged"]
    assert (found.item.aborted, found.item.up, found.item.down) == ("no-answer", (), ())
