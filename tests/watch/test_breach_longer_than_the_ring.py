"""Loss, jitter or a delay that is over is told from its own beginning, the same at every look, though the ring forgets one window after the other of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import ReasonCode
from telemetry.windows import DAY_NS, MINUTE_NS, SECOND_NS, WINDOW_NS
from telemetry.words import say_reason
from tests.watch.asked import asked_of
from tests.watch.conftest import MONDAY, Meeting

if TYPE_CHECKING:
    from telemetry.decisions import Reason, Verdict
    from tests.watch.conftest import Town

FAULTS = {
    ReasonCode.LOSS_UP: {"up": 0.3},
    ReasonCode.JITTER_UP: {"jitter_ms": 200.0},
    ReasonCode.RTT: {"rtt_ms": 900.0},
}
"""From one minute after the beginning on, for three quarters of an hour."""
BEGAN_NS, OVER_NS = MONDAY + MINUTE_NS, MONDAY + 46 * MINUTE_NS


@pytest.fixture
def known(town: Town) -> Town:
    """Agra was well for a day; the meeting is at 12:45."""
    town.meet(Meeting("review", MONDAY + 75 * MINUTE_NS))
    town.live.refresh()
    town.remember(MONDAY - DAY_NS, MONDAY - WINDOW_NS, ("agra", "ballia"))
    return town


def words(reason: Reason, language: str = "en") -> str:
    return say_reason(language, reason).replace("\u00a0", " ")


def of(code: ReasonCode, verdict: Verdict) -> list[Reason]:
    return [one for one in verdict.reasons if one.code is code]


def afterwards(town: Town, code: ReasonCode) -> list[Reason]:
    """The line is well again: what the watch and who asks beside it say of the fault at every window, once it is told as over."""
    town.heal("agra")
    told: list[Reason] = []
    for _ in range(8):
        town.play(15, step_s=5)
        told += [
            one for verdict in (town.verdict("agra"), asked_of(town, "agra")) for one in of(code, verdict)
        ]
    over = [one for one in told if one.until_ns is not None]
    assert len(over) >= 2
    return over


@pytest.mark.parametrize("code", FAULTS)
def test_a_past_breach_is_told_from_its_beginning_at_every_look(known: Town, code: ReasonCode) -> None:
    """By the verdict and by who asks; what the flag said while it lasted."""
    town = known
    town.play(60)
    town.watch.refresh_past(town.now_ns)
    town.break_line("agra", **FAULTS[code])
    town.play(45 * 60, step_s=15)
    assert {flag.since_ns for flag in town.state.open_flags() if flag.reason.code is code} == {BEGAN_NS}
    told = afterwards(town, code)
    assert {(one.since_ns, one.until_ns, one.unseen) for one in told} == {(BEGAN_NS, OVER_NS, False)}


@pytest.mark.parametrize("code", FAULTS)
def test_of_a_breach_that_nobody_saw_begin_no_beginning_is_told(known: Town, code: ReasonCode) -> None:
    """The watch is begun within it. While it lasts "or before", on the flag as in the verdict; once it is over, until when, at every look."""
    town = known
    town.report(MONDAY, MONDAY + 20 * SECOND_NS)
    town.break_line("agra", **FAULTS[code])
    for nth in range(1, 180):
        town.report(MONDAY + nth * WINDOW_NS, MONDAY + (nth + 1) * WINDOW_NS + 5 * SECOND_NS)
    town.now_ns += 45 * MINUTE_NS
    town.clock.advance(45 * MINUTE_NS)
    town.restart()
    town.play(120, step_s=15)
    town.watch.refresh_past(town.now_ns)
    flag = town.flags()["agra", code.value]
    (lasts,) = of(code, town.verdict("agra"))
    assert lasts.since_ns == flag.since_ns
    assert [words(one).partition(", since ")[2] for one in (lasts, flag.reason)] == ["12:05 or before"] * 2
    over_ns = town.now_ns
    told = afterwards(town, code)
    assert {one.until_ns for one in told} == {over_ns}
    assert all(one.unseen for one in told)
    assert {words(one).rpartition(" until ")[2] for one in told} == {"12:17, fine since"}
    assert all(words(one, "hi").startswith("12:17 तक ") for one in told)
    assert not any(" from " in words(one) for one in told)
