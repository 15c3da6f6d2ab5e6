"""What rises steadily towards a limit is told early, with figure, rate and time; what only looks like it is not."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace

from analytics.baseline import UsualNow
from analytics.guards import NEVER_READY
from analytics.hours import local_hour
from analytics.readiness import expect
from analytics.trends import BLOCK_LINES, CODE, Trends, rising_flags, trends
from analytics.verdicts import verdicts
from telemetry.decisions import ReasonCode, State
from telemetry.windows import MINUTE_NS, WINDOW_NS
from tests.analytics.conftest import KOLKATA, LIMITS, T0
from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from analytics.recent import Recent
    from tests.analytics.conftest import Bench

WINDOWS = 120


def grid(made: Bench, course: np.ndarray, seed: int = 7) -> Recent:
    """The first line's round trip takes a course (W,), with 1.5 ms of noise."""
    values = made.values((3, 2, WINDOWS))
    noise = np.random.default_rng(seed).normal(0.0, 1.5, WINDOWS)
    values["rtt_p95_ms"][0, 0] = course + noise
    return made.recent(values)


def ramp(minutes: float, per_minute: float = 8.0) -> np.ndarray:
    """From 60 ms, for so many minutes up to now."""
    return 60.0 + per_minute * np.clip(minutes - np.arange(WINDOWS)[::-1] / 4.0, 0.0, None)


@pytest.mark.parametrize("seed", range(5))
def test_a_rise_is_told_with_its_figure_its_rate_and_when_it_passes_the_limit(made: Bench, seed: int) -> None:
    """8 ms a minute for 18 minutes: 204 ms, twelve minutes before 300 ms."""
    (found,) = trends(grid(made, ramp(18.0), seed), LIMITS)
    reason = found.reason(0, "main.state")
    assert (found.site.tolist(), found.path.tolist()) == ([0], [0])
    assert (reason.code, reason.limit, reason.unit) == (ReasonCode.RISING_RTT, 300.0, "ms")
    assert reason.value == pytest.approx(204.0, abs=3.0)
    assert reason.per_minute == pytest.approx(8.0, abs=0.4)
    assert reason.crosses_ns == pytest.approx(T0 + 12 * MINUTE_NS, abs=MINUTE_NS)
    assert found.surely_ns[0] >= found.crosses_ns[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "course",
    [
        pytest.param(np.where(np.arange(WINDOWS) < 100, 60.0, 240.0), id="one step"),
        pytest.param(np.where(np.arange(WINDOWS) < 110, 60.0, 240.0), id="a step just now"),
        pytest.param(ramp(18.0)[::-1], id="it falls"),
        pytest.param(np.full(WINDOWS, 280.0), id="it stays near its limit"),
        pytest.param(ramp(18.0, 2.0), id="too far from its limit"),
        pytest.param(np.where(np.arange(WINDOWS) < 112, ramp(18.0), np.nan), id="two minutes of silence"),
    ],
)
def test_what_is_no_rise_to_the_limit_is_not_told(made: Bench, course: np.ndarray, seed: int) -> None:
    """Nobody is warned by a step, by noise, or of what is far away."""
    values = grid(made, course, seed)
    values.values["sent"][0, 0, np.isnan(course)] = np.nan
    assert trends(values, LIMITS) == ()


def test_a_line_that_goes_its_usual_way_is_not_told(made: Bench) -> None:
    """It usually stands as high in this hour or the next; the model knows how that goes on."""
    recent = grid(made, ramp(18.0))
    history = made.history(recent)
    usual = UsualNow(history, local_hour(T0, KOLKATA))
    assert trends(recent, LIMITS, usual)
    history.figures["rtt_p95_ms"][...] = 200.0
    assert trends(recent, LIMITS, UsualNow(history, local_hour(T0, KOLKATA))) == ()


@pytest.mark.parametrize(
    ("lead_min", "minutes", "told"), [(30, 60, True), (5, 60, True), (0, 5, False), (90, 60, False)]
)
def test_who_rises_past_the_limit_before_the_meeting_is_over_is_never_ready(
    made: Bench, lead_min: int, minutes: int, told: bool
) -> None:
    """Twelve minutes to the limit: a meeting that ends before does not care, nor one that begins much later."""
    recent = grid(made, ramp(18.0))
    found = tuple(trends(recent, each) for each in made.sets().limits)
    ground = made.ground(recent, rising=found)
    meeting = made.occurrence(lead_min * 60.0, minutes)
    verdict = verdict_of(ground, meeting)
    before = verdict_of(made.ground(recent), meeting)
    codes = [reason.code for reason in verdict.reasons]
    assert (ReasonCode.RISING_RTT in codes) is told
    assert before.state is State.READY
    if told:
        assert verdict.state is State.AT_RISK
        assert verdict.probability == pytest.approx(NEVER_READY)
    else:
        assert verdict == before


def test_a_rise_is_news_until_the_limit_is_passed(made: Bench) -> None:
    """Beside a flag past the limit, which says more, it is not told."""
    recent = grid(made, ramp(18.0))
    found, none = [trends(recent, LIMITS)], np.zeros(3, dtype=np.int64)
    (flag,) = rising_flags(recent, found, none, [])
    assert (flag.site, flag.path, flag.reason.code) == ("s00", "main.state", ReasonCode.RISING_RTT)
    assert flag.seen_ns == T0 == int(recent.start_ns[-1]) + WINDOW_NS
    past = replace(flag, reason=replace(flag.reason, code=ReasonCode.RTT))
    assert rising_flags(recent, found, none, [past]) == []
    assert rising_flags(recent, found, none + 1, []) == []


@pytest.mark.parametrize("minutes", [30.25, 31.0, 32.0])
def test_a_rise_that_has_just_passed_the_limit_is_not_ready_again(made: Bench, minutes: float) -> None:
    """Until the filter calls it a fault the rise says it, and that it is past now."""
    recent = grid(made, ramp(minutes))
    found = tuple(trends(recent, each) for each in made.sets().limits)
    ground, meeting = made.ground(recent, rising=found), made.occurrence(600.0)
    verdict = verdict_of(ground, meeting)
    assert found[1][0].crosses_ns.tolist() == [T0]
    assert verdict.state is not State.READY
    assert verdict.probability is not None
    assert verdict.probability <= NEVER_READY


def test_where_the_model_says_nothing_of_strain_the_rise_is_the_reason(made: Bench) -> None:
    """A term without a number hides none that has one."""
    recent = grid(made, ramp(18.0))
    found = tuple(trends(recent, each) for each in made.sets().limits)
    ground, meeting = made.ground(recent, rising=found), made.occurrence(600.0)
    expectation = expect(ground, meeting)
    expectation.terms.strain[...] = np.nan
    verdict = verdicts(ground, meeting, expectation, [0])[0]
    assert verdict.reasons[0].code is ReasonCode.RISING_RTT


def many(made: Bench, sites: int) -> Recent:
    """Lines that nearly all rise, in round trip, jitter and loss, with gaps."""
    rng = np.random.default_rng(12)
    values, shape = made.values((sites, 2, WINDOWS)), (sites, 2, WINDOWS)
    steps = np.arange(WINDOWS) - WINDOWS
    for name, limit in (("rtt_p95_ms", 300.0), ("up_jitter_ms", 30.0), ("down_jitter_ms", 30.0)):
        course = limit * (
            rng.uniform(0.6, 0.9, (sites, 2, 1)) + rng.uniform(0.0, 0.02, (sites, 2, 1)) * steps
        )
        values[name] = np.maximum(course + rng.normal(0.0, limit / 50, shape), 0.1).astype(np.float32)
    made.lose(values, "up", rng.binomial(150, 0.009 * (1 + steps / WINDOWS), shape))
    gone = rng.random(shape) < 0.03
    for each in values.values():
        each[gone] = np.nan
    return made.recent(values)


@pytest.mark.parametrize("block", [1, 2, 7, 60])
def test_the_figures_do_not_depend_on_how_many_lines_are_looked_at_together(
    made: Bench, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """The same bits, block by block and all at once."""
    recent = many(made, 60)
    whole = trends(recent, LIMITS)
    monkeypatch.setattr("analytics.trends.BLOCK_LINES", block)
    parts = trends(recent, LIMITS)
    assert {CODE[each.cause] for each in whole} == set(CODE.values())
    assert [each.cause for each in parts] == [each.cause for each in whole]
    for ours, all_at_once in zip(parts, whole, strict=True):
        for field in fields(Trends):
            assert np.array_equal(getattr(ours, field.name), getattr(all_at_once, field.name)), field.name


def test_many_lines_that_rise_at_once_take_the_memory_of_a_block(made: Bench) -> None:
    """Eight times the lines: not twice the memory, what is found included."""

    def most(sites: int) -> int:
        recent = many(made, sites)
        assert recent.outages.down.shape == recent.present.shape  # worked out before, for all that ask
        tracemalloc.start()
        try:
            trends(recent, LIMITS)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert most(8 * BLOCK_LINES // 2) < 2 * most(BLOCK_LINES // 2)


def test_what_passed_its_limit_long_ago_is_no_rise(made: Bench) -> None:
    """The fault says it."""
    assert trends(grid(made, ramp(34.5)), LIMITS) == ()
