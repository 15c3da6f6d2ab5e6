"""While the hub's own store takes nothing in, what was said of the offices stands, and our deafness alone is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alerts.hearing import OVERDUE_NS
from telemetry.decisions import Action, FactorKind, ReasonCode, State
from telemetry.state.heard import heard_until_ns
from telemetry.state.heartbeats import Beat
from telemetry.state.store_away import UNSTORED, store_away_since
from telemetry.windows import SECOND_NS, WINDOW_NS
from tests.watch.conftest import LINKED

if TYPE_CHECKING:
    from tests.watch.conftest import Town

WARM_S = 60
LONG_S = 300
BEYOND_MEMORY_S = {"of one spell": 900, "of the ring": 2400}
NOW_NS = 1_000 * SECOND_NS


def told(town: Town, site: str) -> tuple[Action, list[ReasonCode]]:
    """What an office is asked to do, and why."""
    verdict = town.verdict(site)
    return verdict.action, [reason.code for reason in verdict.reasons]


def states(town: Town) -> dict[str, State]:
    return {site: town.verdict(site).state for site in LINKED}


def lock_away(town: Town, seconds: float, expected: dict[str, State], step_s: float = 0.5) -> None:
    """Nothing is stored, and the collector, which is at work, says so; at no look is anything else said than before."""
    since_ns = town.now_ns

    def stands() -> bool:
        town.state.beat("collector", town.now_ns, {UNSTORED: since_ns})
        assert states(town) == expected
        return False

    town.offline.update(LINKED)
    town.play(seconds, stands, step_s)


def test_what_was_said_stands_while_the_store_is_away(town: Town) -> None:
    """Of the lines nothing is said, not even that a broken one is well; that headquarters takes nothing in is told, and ends."""
    town.break_line("agra", up=0.2)
    town.play(WARM_S + 60)
    before, flags = states(town), set(town.flags())
    assert before == {**dict.fromkeys(LINKED, State.READY), "agra": State.NOT_READY}
    of_its_own = told(town, "agra")
    assert of_its_own == (Action.CALL_PROVIDER, [ReasonCode.LOSS_UP])
    lock_away(town, LONG_S, before)
    assert set(town.flags()) == flags
    assert [each.factor.kind for each in town.state.open_incidents()] == [FactorKind.HUB]
    town.state.beat("collector", town.now_ns, {})
    town.offline.clear()

    def mended() -> bool:
        assert states(town) == before
        assert told(town, "agra") == of_its_own, "a loss that was measured is not laid to our deafness"
        assert set(town.flags()) == flags
        return not town.state.open_incidents()

    town.play(200, mended)
    assert town.state.open_incidents() == []


@pytest.mark.parametrize("away_s", BEYOND_MEMORY_S.values(), ids=BEYOND_MEMORY_S.keys())
def test_flag_and_verdict_tell_one_beginning_after_a_long_blindness(town: Town, away_s: int) -> None:
    """It is that of before, as after a restart; where nobody knows what was in between, both begin anew."""
    town.break_line("agra", up=0.2)
    town.play(WARM_S + 60)
    began_ns = town.flags()["agra", "loss_up"].since_ns
    lock_away(town, away_s, states(town), step_s=2)
    back_ns = town.now_ns
    town.state.beat("collector", back_ns, {})
    town.offline.clear()
    town.play(120, step_s=2)
    said_ns = {flag.since_ns for flag in town.state.open_flags()}
    assert said_ns == {town.verdict("agra").reasons[0].since_ns}
    if away_s == BEYOND_MEMORY_S["of one spell"]:
        assert said_ns == {began_ns}
    else:
        assert min(said_ns) >= back_ns - WINDOW_NS


def test_who_is_not_heard_afterwards_is_silent_from_then_on(town: Town) -> None:
    """Two minutes count from when we hear again, not from when the store was lost."""
    town.play(WARM_S)
    before = states(town)
    lock_away(town, LONG_S, before)
    town.state.beat("collector", town.now_ns, {})
    town.offline.intersection_update({"ballia"})
    heard_ns = town.now_ns
    town.play(300, lambda: bool(town.flags()))
    assert set(town.flags()) == {("ballia", "dark")}
    assert town.now_ns - heard_ns >= 120 * SECOND_NS
    assert states(town) == {**before, "ballia": State.NOT_READY}


def heard_s_ago(town: Town) -> float:
    """How old what the watch has judged is, as its heartbeat says."""
    until_ns = heard_until_ns(town.state.beats())
    assert until_ns is not None
    return (town.now_ns - until_ns) / SECOND_NS


def test_the_watch_says_until_when_it_has_heard_and_judged(town: Town) -> None:
    """Never older than a window, its way and a heartbeat while all is well; while the store is away it stands still."""
    town.play(WARM_S)
    ages: list[float] = []
    town.play(60, lambda: ages.append(heard_s_ago(town)) is not None)
    assert 0 <= min(ages) <= max(ages) <= OVERDUE_NS / SECOND_NS
    stood = heard_until_ns(town.state.beats())
    lock_away(town, LONG_S, states(town))
    assert (heard_until_ns(town.state.beats()) or 0) - (stood or 0) <= 15 * SECOND_NS
    town.state.beat("collector", town.now_ns, {})
    town.offline.clear()
    town.play(60)
    assert heard_s_ago(town) <= OVERDUE_NS / SECOND_NS


@pytest.mark.parametrize(
    ("beats", "since_s"),
    [
        ({"collector": (999, 900)}, 900),
        ({"collector": (999, None)}, None),
        ({"collector": (900, 890)}, None),
        ({"collector-a": (999, 900), "collector-b": (998, 950), "collectors": (999, None)}, 950),
        ({"collector-a": (999, 900), "collector-b": (998, None)}, None),
        ({"collector-a": (999, 900), "collector-b": (900, None)}, 900),
        ({"watch": (999, None)}, None),
    ],
)
def test_the_store_is_away_when_nobody_at_work_can_store(
    beats: dict[str, tuple[int, int | None]], since_s: int | None
) -> None:
    """One of several who can is enough, one that is silent says nothing, and the group's own beat is nobody's."""
    said = {
        role: Beat(at_s * SECOND_NS, {} if since is None else {UNSTORED: since * SECOND_NS})
        for role, (at_s, since) in beats.items()
    }
    assert store_away_since(said, NOW_NS) == (None if since_s is None else since_s * SECOND_NS)
