"""Lines that fail throughout: no hour of the past held, and the forecast is as sure as that record, near and far."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analytics.forecast.features import facts
from analytics.forecast.track import Asks, Track
from bench._forecast.steady import LOST_SHARES, steady
from bench._forecast.trace_ground import ground
from tatpar.shipped.prior import shipped_prior
from telemetry.traces import Trace
from telemetry.windows import HOUR_NS, MINUTE_NS, SECOND_NS
from tests.analytics.forecast.tracks import arrived_track

PER_HOUR = 12
DAYS = 29
LINES = 20
LEADS_NS = tuple(minutes * MINUTE_NS for minutes in (10, 30, 120, 1440))


def lines(failed: np.ndarray, broke: float, strain: float, seed: int = 4) -> Track:
    """Lines (N, H) hour by hour: in a failed hour each slot broke for about the share `broke`, at about `strain`."""
    rng = np.random.default_rng(seed)
    fails = np.repeat(failed, PER_HOUR, axis=1)
    share = np.where(fails, np.clip(rng.normal(broke, 0.1, fails.shape), 0.1, 1.0), 0.0).astype(np.float32)
    if broke == 1.0:
        share = fails.astype(np.float32)
    return arrived_track(share, np.where(fails, strain, 0.3))


def asks(track: Track, days: int, lead_ns: int) -> Asks:
    """Of each line an hour so much after so many whole days."""
    many = len(track.broke)
    now_ns = np.full(many, track.start_ns + days * 24 * HOUR_NS)
    return Asks(np.arange(many), now_ns, now_ns + lead_ns, now_ns + lead_ns + HOUR_NS)


def fails(track: Track, days: int, lead_ns: int) -> np.ndarray:
    """The chances of failing that the shipped model gives."""
    model = shipped_prior()
    assert model is not None
    return np.asarray(1.0 - model.chances(track, asks(track, days, lead_ns)).holds)


@pytest.mark.parametrize(("broke", "strain"), [(1.0, 10.0), (0.5, 5.0), (0.5, 1.2)])
def test_a_line_that_never_held_is_told_to_fail_at_every_lead(broke: float, strain: float) -> None:
    """Lost whole, half of it lost, half of it a little over the limit: 28 days of it, and the nearer is no less sure."""
    always = lines(np.ones((LINES, DAYS * 24), dtype=bool), broke, strain)
    by_lead = [fails(always, 28, lead_ns).mean() for lead_ns in LEADS_NS]
    assert min(by_lead) > 0.98
    assert all(near > by_lead[-1] - 0.005 for near in by_lead)


def test_what_it_says_grows_with_every_week_and_is_silent_on_other_lines() -> None:
    """The figure has no shrinkage that would outlast the evidence; a line that fails four hours in five has it at 0."""
    failed = np.ones((3, DAYS * 24), dtype=bool)
    failed[1] = np.arange(DAYS * 24) % 5 > 0
    failed[2] = False
    track = lines(failed, 0.5, 2.0)
    said = []
    for days in (1, 7, 14, 28):
        known = facts(track, asks(track, days, HOUR_NS))
        said.append(known.of(("throughout",))[:, 0])
        hours = days * 24
        assert said[-1][0] == pytest.approx(np.log((hours + 0.5) / 0.5 / 9.0))
        assert said[-1][1:].tolist() == [0.0, 0.0]
    assert all(later[0] > before[0] + 0.5 for before, later in pairwise(said))


def test_without_a_past_it_says_nothing() -> None:
    """Four hours that failed are no habit."""
    track = lines(np.ones((1, 4), dtype=bool), 1.0, 5.0)
    now_ns = np.array([track.start_ns + 4 * HOUR_NS])
    known = facts(track, Asks(np.array([0]), now_ns, now_ns, now_ns + HOUR_NS))
    assert known.of(("throughout",)).tolist() == [[0.0]]


def test_a_line_that_was_mended_is_not_held_to_its_past_for_ever() -> None:
    """Three weeks failed, then a week held: the figure is 0 and the line is told to hold."""
    failed = np.ones((LINES, DAYS * 24), dtype=bool)
    failed[:, 21 * 24 :] = False
    mended = lines(failed, 0.5, 3.0)
    assert facts(mended, asks(mended, 28, HOUR_NS)).of(("throughout",)).max() == 0.0
    assert fails(mended, 28, HOUR_NS).mean() < 0.3


def test_a_steady_line_loses_a_share_of_what_the_trace_has_and_changes_nothing_else() -> None:
    """Where it answers it is the trace; its hours fail, nearly or quite all."""
    rng = np.random.default_rng(2)
    time_ns = 400_000 * HOUR_NS + np.arange(20 * 360, dtype=np.int64) * 240 * SECOND_NS
    whole = Trace("made", time_ns, 100.0 + rng.random(len(time_ns)), np.zeros(len(time_ns), dtype=bool))
    for share, part in zip(LOST_SHARES, steady(whole, np.random.default_rng(5)), strict=True):
        lost = np.isnan(part.rtt_ms)
        assert lost.mean() == pytest.approx(share, abs=0.02)
        assert part.rtt_ms[~lost].tolist() == whole.rtt_ms[~lost].tolist()
        assert part.time_ns is whole.time_ns
        assert ground(part).held.mean() < 0.06
