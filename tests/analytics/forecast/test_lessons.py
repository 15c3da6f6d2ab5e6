"""What is learned beside a trace's own asks: no lesson of a trace that is left out, other limits, shorter pasts, gaps, and failing throughout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench._forecast.gaps import after_gap, with_gaps
from bench._forecast.lessons import (
    GAPS_LOT,
    GAPS_WEIGHT,
    LIMIT_WEIGHT,
    LIMITS_MS,
    SHARE,
    SHORTENED_WEIGHT,
    STEADY_SHARE,
    STEADY_WEIGHT,
    Lessons,
    lessons,
)
from bench._forecast.steady import LOST_SHARES
from bench._forecast.trace_ground import ground
from bench._forecast.traces import fitted, sample
from telemetry.traces import Trace
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

STEP_NS = 240 * SECOND_NS
PER_DAY = 360
DAYS = 8
FIRST_NS = 400_000 * HOUR_NS


def trace(name: str, days: int, seed: int) -> Trace:
    """Quiet but for hours that lie 20 ms higher, every now and then."""
    rng = np.random.default_rng(seed)
    rtt = 100.0 + rng.gamma(2.0, 0.5, days * PER_DAY)
    rtt += np.repeat(20.0 * (rng.random(days * 24) < 0.15), PER_DAY // 24)
    time_ns = FIRST_NS + np.arange(len(rtt), dtype=np.int64) * STEP_NS
    return Trace(name, time_ns, rtt, np.zeros(len(rtt), dtype=bool))


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    return [trace("one", DAYS, 1), trace("two", DAYS, 2)]


@pytest.fixture(scope="module")
def found(traces: list[Trace]) -> Lessons:
    return lessons(traces, lambda _: None)


def test_lessons_weigh_what_is_said_of_them(traces: list[Trace], found: Lessons) -> None:
    """Seven limits at 0.3 each; of eight days those without the first three at a half; without seven too little is left.

    Of the trace with gaps what is asked after one, at a half; of each line that fails throughout little.
    """
    own = len(ground(traces[0]).held)
    rest = own * (DAYS - 3 - 1) / (DAYS - 1)
    gapped = ground(with_gaps(traces[0], np.random.default_rng((GAPS_LOT, 0))))
    after = int(after_gap(gapped.track, gapped.asks).sum())
    assert 0 < after < own
    expected = own * LIMIT_WEIGHT * len(LIMITS_MS) + rest * SHORTENED_WEIGHT + after * GAPS_WEIGHT
    expected += own * STEADY_WEIGHT * len(LOST_SHARES)
    of_one = found.weight[found.trace == 0].sum()
    assert of_one == pytest.approx(expected, rel=0.1)
    each = {LIMIT_WEIGHT / SHARE, SHORTENED_WEIGHT / SHARE, STEADY_WEIGHT / STEADY_SHARE}
    assert sorted(set(found.weight.tolist())) == sorted(each)


def test_a_lower_limit_fails_more_often() -> None:
    """Hours 20 ms above the floor fail at 15 ms and hold at 30."""
    one = trace("one", DAYS, 1)
    shares = [ground(one, over_ms).held.mean() for over_ms in (7.0, 15.0, 30.0)]
    assert shares[0] <= shares[1] < 0.95 < shares[2]
    assert ground(one).held.mean() == shares[1]


def test_what_is_left_out_teaches_nothing(traces: list[Trace], found: Lessons) -> None:
    """The model without a trace is the same whatever that trace says."""
    other = [traces[0], trace("two", DAYS, 77)]
    weights = []
    for pair, more in ((traces, found), (other, lessons(other, lambda _: None))):
        every = sample(Path("here"), pair, lambda _: None)
        weights.append(fitted(every.some(every.trace == 0), more.some(more.trace == 0)).weights)
    assert weights[0] == weights[1]


def test_days_that_are_cut_off_are_not_known(found: Lessons, traces: list[Trace]) -> None:
    """A shortened past begins anew: its first ask comes a day after the cut."""
    first = int(np.searchsorted(traces[0].time_ns, traces[0].time_ns[0] + 3 * DAY_NS))
    rest = Trace("rest", traces[0].time_ns[first:], traces[0].rtt_ms[first:], traces[0].changes[first:])
    assert ground(rest).asks.now_ns.min() >= FIRST_NS + 4 * DAY_NS
    assert len(found.held) == len(found.weight) == len(found.trace)
