"""Pasts with gaps: what nobody measured says nothing of a line, neither now nor a day ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.forecast.track import Asks, Track
from bench._forecast.gaps import GAPS, HOURS, after_gap, with_gaps
from bench._forecast.trace_ground import ground
from tatpar.shipped.prior import shipped_prior
from telemetry.traces import Trace
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track

PER_HOUR = 12
DAYS = 24
LINES = 30


def lines(rate: float, seed: int) -> Track:
    """Lines of which each hour fails with the same chance, whatever came before."""
    rng = np.random.default_rng(seed)
    failed = np.repeat(rng.random((LINES, DAYS * 24)) < rate, PER_HOUR, axis=1)
    return arrived_track(np.where(failed, 0.9, 0.0), np.where(failed, 3.0, 0.2), late_ns=5 * SECOND_NS)


def without(track: Track, hours: int, until_ns: int) -> Track:
    """Nobody measured for so many hours; awaited was nothing."""
    end = (until_ns - track.start_ns) // SLOT_NS
    gap = slice(end - hours * PER_HOUR, end)
    broke, strain, measured = (each.copy() for each in (track.broke, track.strain, track.measured))
    broke[:, gap], strain[:, gap], measured[:, gap] = np.nan, np.nan, 0.0
    return replace(track, broke=broke, strain=strain, measured=measured)


def fails(track: Track, now_ns: int, lead_ns: int) -> float:
    """The mean chance of failing that the shipped model gives the lines."""
    now = np.full(LINES, now_ns)
    model = shipped_prior()
    assert model is not None
    said = model.chances(track, Asks(np.arange(LINES), now, now + lead_ns, now + lead_ns + HOUR_NS))
    return float(1.0 - said.holds.mean())


def _odds(chance: float) -> float:
    return chance / (1.0 - chance)


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("hours", [6, 20])
def test_a_day_ahead_a_gap_leaves_a_line_at_its_record(rate: float, hours: int) -> None:
    """Silent since hours, of which nothing is known: the days before speak for the line, and the odds hardly move."""
    track = lines(rate, 3)
    now_ns = track.start_ns + 20 * DAY_NS + 10 * HOUR_NS
    whole, gap = (fails(each, now_ns, DAY_NS) for each in (track, without(track, hours, now_ns)))
    assert 1.0 / 1.8 < _odds(gap) / _odds(whole) < 1.8
    assert abs(gap - rate) < 0.12


def test_gaps_take_samples_and_change_none() -> None:
    """What is left of a trace is what was there; the longest silence is as long as gaps may be."""
    rng = np.random.default_rng(2)
    time_ns = 400_000 * HOUR_NS + np.arange(30 * 360, dtype=np.int64) * 240 * SECOND_NS
    whole = Trace("made", time_ns, rng.random(len(time_ns)), rng.random(len(time_ns)) < 0.01)
    part = with_gaps(whole, np.random.default_rng(5))
    kept = np.isin(whole.time_ns, part.time_ns)
    assert part.rtt_ms.tolist() == whole.rtt_ms[kept].tolist()
    assert part.changes.tolist() == whole.changes[kept].tolist()
    silent_h = np.diff(part.time_ns) / HOUR_NS
    assert 1 <= (silent_h > HOURS[0]).sum() <= GAPS
    assert silent_h.max() < GAPS * HOURS[1]
    assert with_gaps(whole, np.random.default_rng(5)).time_ns.tolist() == part.time_ns.tolist()


def test_after_a_gap_is_a_day() -> None:
    """One gap of three hours: exactly the asks whose last day misses half an hour of it."""
    time_ns = 400_000 * HOUR_NS + np.arange(6 * 360, dtype=np.int64) * 240 * SECOND_NS
    gap = (time_ns >= 400_048 * HOUR_NS) & (time_ns < 400_051 * HOUR_NS)
    trace = Trace("made", time_ns[~gap], np.full((~gap).sum(), 80.0), np.zeros((~gap).sum(), dtype=bool))
    one = ground(trace)
    hour = one.asks.now_ns // HOUR_NS - 400_000
    assert sorted(set(hour[after_gap(one.track, one.asks)].tolist())) == list(range(49, 75))
