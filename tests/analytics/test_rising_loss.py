"""Loss that rises is told by counts, before it passes its limit; a step, bursts and a steady loss are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace

from analytics.guards import NEVER_READY
from analytics.proof import least_proof, least_proofs
from analytics.rising_loss import LOSS_WINDOWS, loss_course
from analytics.trends import rising_flags, trends
from telemetry.decisions import ReasonCode, State
from telemetry.windows import MINUTE_NS
from tests.analytics.conftest import LIMITS, T0
from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from analytics.recent import Recent
    from analytics.trends import Trends
    from tests.analytics.conftest import Bench

W = LOSS_WINDOWS
RAMP = 0.009 * (np.arange(W) + 0.5) / W
"""From nothing to 0.9 % in half an hour."""


def grid(made: Bench, ratio: np.ndarray, seed: int, pps: int = 50, way: str = "up") -> Recent:
    """The first line loses at random at a ratio (W,)."""
    values = made.values((3, 2, W), pps)
    made.lose(values, way, np.random.default_rng(seed).binomial(15 * pps, ratio), at=(0, 0))
    return made.recent(values)


def told(recent: Recent) -> tuple[Trends, ...]:
    return trends(recent, LIMITS)


def lines(rng: np.random.Generator, count: int, ratio: float, burst: float, sent: int) -> np.ndarray:
    """Counts (count, W) of packets lost at a ratio, in bursts of a mean length, of `sent` a window."""
    begun = rng.poisson(ratio * sent / burst, (count, W))
    more = rng.negative_binomial(np.maximum(begun, 1), 1.0 / burst) if burst > 1.0 else 0
    return np.minimum(begun + np.where(begun > 0, more, 0), sent)


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("seed", range(5))
def test_a_rise_of_loss_is_told_with_its_ratio_its_rate_and_when_it_passes_the_limit(
    made: Bench, seed: int, way: str
) -> None:
    """Three minutes and a third before 1 %."""
    (found,) = told(grid(made, RAMP, seed, way=way))
    reason = found.reason(0, "main.state")
    assert (found.site.tolist(), found.path.tolist()) == ([0], [0])
    assert (reason.code, reason.limit, reason.unit) == (ReasonCode.RISING_LOSS, 0.01, "ratio")
    assert reason.value == pytest.approx(0.009, abs=0.0008)
    assert reason.per_minute == pytest.approx(0.009 / 30, rel=0.15)
    assert reason.crosses_ns == pytest.approx(T0 + 10 * MINUTE_NS // 3, abs=3 * MINUTE_NS)
    assert found.surely_ns[0] >= found.crosses_ns[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pps", [10, 50])
@pytest.mark.parametrize(
    "ratio",
    [
        pytest.param(np.full(W, 0.005), id="half the limit throughout"),
        pytest.param(np.full(W, 0.009), id="near the limit throughout"),
        pytest.param(np.where(np.arange(W) < 60, 0.0, 0.008), id="one step"),
        pytest.param(np.where(np.arange(W) < 116, 0.001, 0.03), id="a step just now"),
        pytest.param(np.where(np.arange(W) == 110, 0.4, 0.001), id="one bad window"),
        pytest.param(RAMP[::-1], id="it falls"),
        pytest.param(RAMP / 4, id="too far from its limit"),
    ],
)
def test_what_is_no_rise_of_loss_is_not_told(made: Bench, ratio: np.ndarray, pps: int, seed: int) -> None:
    """Nobody is warned by a level, a step, a burst, or of what is far away."""
    assert told(grid(made, ratio, seed, pps)) == ()


def test_a_probe_that_sends_more_before_a_meeting_is_no_rise(made: Bench) -> None:
    """Five times the packets lose five times as many."""
    rng = np.random.default_rng(3)
    sent = np.where(np.arange(W) < 60, 150, 750)
    values = made.values((3, 2, W))
    values["sent"][0, 0] = sent
    made.lose(values, "up", rng.binomial(sent, 0.006), at=(0, 0))
    assert told(made.recent(values)) == ()


@pytest.mark.parametrize(("sent", "burst"), [(150, 1.0), (150, 4.0), (750, 1.0), (750, 4.0)])
def test_a_steady_loss_of_half_the_limit_hardly_ever_looks_like_a_rise(sent: int, burst: float) -> None:
    """Of 20,000 half hours two at most: the decision counts 2 of 100,000 at worst."""
    lost = lines(np.random.default_rng(8), 20_000, 0.005, burst, sent)
    course = loss_course(lost, np.full_like(lost, sent), 0.01)
    with np.errstate(divide="ignore"):
        soon = (course.slowest > 0.0) & ((0.01 - course.now) / course.slowest <= 60)
    assert soon.sum() <= 2


def test_bursts_make_a_rise_less_sure() -> None:
    """The same rise, random and in bursts of five: the slowest rate goes by how the minutes scatter."""
    rng = np.random.default_rng(4)
    sent = np.full((200, W), 750)
    smooth = loss_course(rng.binomial(750, np.tile(RAMP, (200, 1))), sent, 0.01)
    begun = rng.poisson(np.tile(RAMP, (200, 1)) * 150)
    bursts = loss_course(np.minimum(begun * 5, 750), sent, 0.01)
    assert (smooth.slowest > 0.0).mean() > 0.95
    assert (bursts.slowest > 0.0).mean() < (smooth.slowest > 0.0).mean()


def test_nothing_sent_and_nothing_lost_have_no_course(made: Bench) -> None:
    """No line, one that was never heard, one that loses nothing: nothing is proved and nothing warns."""
    sent = np.vstack([np.zeros(W, dtype=np.int64), np.full(W, 150)])
    assert (loss_course(np.zeros_like(sent), sent, 0.01).slowest > 0.0).tolist() == [False, False]
    assert loss_course(sent[:0], sent[:0], 0.01).now.shape == (0,)
    values = made.values((3, 2, W - 1))
    assert told(made.recent(values)) == ()


def test_who_loses_more_and_more_is_never_ready_and_hears_why(made: Bench) -> None:
    """The rise is news, and a reason of the meeting that it reaches."""
    recent = grid(made, RAMP, 1)
    found = tuple(trends(recent, each) for each in made.sets().limits)
    ground, meeting = made.ground(recent, rising=found), made.occurrence(600.0)
    verdict = verdict_of(ground, meeting)
    assert verdict.state is not State.READY
    assert verdict.probability is not None
    assert verdict.probability <= NEVER_READY
    assert ReasonCode.RISING_LOSS in [reason.code for reason in verdict.reasons]


def test_beside_a_burst_past_its_limit_a_rise_of_loss_is_not_told(made: Bench) -> None:
    """The fault says more; the rise is told from the beginning of its half hour."""
    recent = grid(made, RAMP, 1)
    found, first = [told(recent)], np.zeros(3, dtype=np.int64)
    (flag,) = rising_flags(recent, found, first, [])
    assert (flag.site, flag.reason.code) == ("s00", ReasonCode.RISING_LOSS)
    assert flag.since_ns == T0 - 30 * MINUTE_NS
    past = replace(flag, reason=replace(flag.reason, code=ReasonCode.BURST_UP))
    assert rising_flags(recent, found, first, [past]) == []


def test_the_least_counts_that_prove_a_breach_are_those_of_single_counts() -> None:
    """The table for many is the table for one."""
    sent = np.array([[1, 10, 150], [600, 750, 3000]])
    each = [[least_proof(int(n), 0.01) for n in row] for row in sent]
    assert least_proofs(sent, 0.01).tolist() == each
