"""The level of failing that a line stands at, and how it fares under other limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from analytics.forecast.features import facts
from analytics.forecast.levels import AFTERWARDS, AGES, OLD_ENDS, RATES, YOUNG_ENDS, levels
from analytics.forecast.margins import UNKNOWN, coarse, margins, strain_of
from analytics.forecast.slots import strain as strain_over
from analytics.forecast.track import Asks, Track
from config.profiles import Limits
from telemetry.line_slots import NEVER
from telemetry.windows import HOUR_NS
from tests.analytics.forecast.tracks import arrived_track

DAYS = 12
HOURS = DAYS * 24


def lines(strain: np.ndarray) -> Track:
    """Lines (N, H) hour by hour: the strain of each hour's slots, which broke where it lies over 1."""
    slots = np.repeat(strain, 12, axis=1).astype(np.float32)
    broke = np.where(np.isfinite(slots), slots > 1.0, np.nan)
    return arrived_track(broke, slots)


def tomorrow(track: Track) -> dict[str, np.ndarray]:
    """The figures of an hour a day after the end, of each line."""
    many = len(track.broke)
    now_ns = np.full(many, track.start_ns + HOURS * HOUR_NS)
    start_ns = now_ns + 24 * HOUR_NS
    known = facts(track, Asks(np.arange(many), now_ns, start_ns, start_ns + HOUR_NS))
    return dict(zip(known.names, known.figures.T, strict=True))


def test_the_level_is_what_the_hidden_chain_says() -> None:
    """Against the chain written out as one matrix of twenty states, over hours that held, failed and are not known."""
    rng = np.random.default_rng(3)
    had, failed = rng.random(60) < 0.9, rng.random(60) < np.repeat([0.05, 0.9, 0.1], 20)
    some = len(RATES)
    rates = np.array(RATES)
    edges = np.concatenate([[0.0], (rates[1:] + rates[:-1]) / 2.0, [1.0]])
    drawn = np.diff(beta.cdf(edges, *AFTERWARDS))
    new = np.concatenate([drawn, np.zeros(some)])
    ends = np.repeat([YOUNG_ENDS, OLD_ENDS], some)
    step = ends[:, None] * new
    step[np.arange(2 * some), np.arange(2 * some)] += np.repeat(
        [1.0 - YOUNG_ENDS - AGES, 1.0 - OLD_ENDS], some
    )
    step[np.arange(some), some + np.arange(some)] += AGES
    np.testing.assert_allclose(step.sum(axis=1), 1.0)
    chance, every = new, np.tile(rates, 2)
    expected = [chance @ every]
    for known, fails in zip(had, failed, strict=True):
        seen = chance * ((every if fails else 1.0 - every) if known else 1.0)
        chance = (seen / seen.sum()) @ step
        expected.append(chance @ every)
    np.testing.assert_allclose(levels(had[None], failed[None])[0], expected, rtol=1e-5)


def test_a_level_is_known_within_hours_and_forgotten_as_fast() -> None:
    """Ten sound days, then every hour fails: after six hours the level is high, while the rate of ten days is still low."""
    failed = np.zeros((1, 400), dtype=bool)
    failed[0, 240:300] = True
    had = np.ones_like(failed)
    level, rate = levels(had, failed)[0], margins(had, [failed])[0].ten[0]
    assert level[240] < 0.03
    assert level[246] > 0.6
    assert rate[246] < 0.2
    assert level[300] > 0.9
    assert level[312] < 0.15 < rate[312]


def test_a_line_is_told_the_same_beside_others() -> None:
    """The same bits whatever lines lie in the piece: verdicts may not hang on the size of a block."""
    rng = np.random.default_rng(5)
    had, failed = rng.random((37, 300)) < 0.95, rng.random((37, 300)) < 0.1
    every, two = levels(had, failed), margins(had, [failed])[0]
    for line in (0, 17, 36):
        one = slice(line, line + 1)
        assert levels(had[one], failed[one]).tobytes() == every[one].tobytes()
        assert margins(had[one], [failed[one]])[0].day.tobytes() == two.day[one].tobytes()


def test_lines_that_never_failed_differ_by_how_near_they_came() -> None:
    """At 0.3, 0.7, 1.5 and 3 times the limit: half the limit tells the first two apart, twice the limit the last two."""
    said = tomorrow(lines(np.repeat([[0.3], [0.7], [1.5], [3.0]], HOURS, axis=1)))
    for name in ("near_ten_days", "near_day", "near_clock"):
        assert said[name][0] < 0.0 < said[name][1], name
    for name in ("far_ten_days", "far_day", "far_clock"):
        assert said[name][2] < 0.0 < said[name][3], name
        assert said[name][0] == said[name][1], name
    assert said["level"][0] == said["level"][1] < 0.0 < said["level"][2] == said["level"][3]


def test_what_was_not_measured_says_nothing_of_other_limits() -> None:
    """A line that is silent for a day keeps the rates that it had; it is not a line that went sound."""
    strain = np.full((2, HOURS), 3.0)
    strain[1, -24:] = np.nan
    said = tomorrow(lines(strain))
    assert said["far_day"][1] == pytest.approx(said["far_day"][0], abs=0.5)
    assert said["far_day"][1] > 1.0
    quiet = strain.copy()
    quiet[1, -24:] = 0.1
    assert tomorrow(lines(quiet))["far_day"][1] < said["far_day"][1] - 1.0


def test_a_dark_hour_fails_under_any_limit() -> None:
    """Contact lost is no matter of limits."""
    strain = np.full((2, HOURS), 0.1)
    strain[1, -24:] = np.nan
    track = lines(strain)
    dark = ~np.isfinite(track.broke)
    said = tomorrow(replace(track, silent_until_ns=np.where(dark, NEVER, 0)))
    for name in ("near_day", "far_day", "level"):
        assert said[name][1] > said[name][0] + 1.0, name


def test_nothing_that_comes_through_fails_under_any_limit() -> None:
    """Of a profile that has no limit of loss an outage has no strain, and still is none of the line's good hours."""
    strain = np.full((2, HOURS), 0.1)
    strain[1, -24:] = np.nan
    track = lines(strain)
    broke = np.where(np.isnan(track.strain), np.float32(1.0), track.broke)
    said = tomorrow(replace(track, broke=broke, measured=np.ones_like(track.measured)))
    for name in ("near_day", "far_day", "near_clock", "far_clock", "level"):
        assert said[name][1] > said[name][0] + 1.0, name


def test_without_any_limit_an_outage_is_no_good_hour() -> None:
    """Of a profile that limits no figure no strain is known, of a sound slot or an outage; under other limits the outage fails too."""
    lost = np.zeros((2, HOURS))
    lost[1, -24:] = 1.0
    figures = dict.fromkeys(("up_loss_ratio", "down_loss_ratio", "loss_ratio"), lost)
    figures |= {
        name: np.where(lost < 1.0, 20.0, np.nan) for name in ("up_jitter_ms", "down_jitter_ms", "rtt_p95_ms")
    }
    worst = strain_over(figures, Limits())
    assert np.isnan(worst).all()
    assert worst.dtype == np.float32
    track = lines(worst)
    broke = np.repeat(lost, 12, axis=1).astype(np.float32)
    said = tomorrow(replace(track, broke=broke, measured=np.ones_like(track.measured)))
    for name in ("near_day", "far_day", "near_clock", "far_clock", "level"):
        assert said[name][1] > said[name][0] + 1.0, name


def test_a_coarse_strain_lies_beyond_the_same_limits() -> None:
    """At the limits, beside them and where nothing is known; and what is coarse stays as it is."""
    strain = np.array([[0.0, 0.5, 0.51, 1.0, 2.0, 2.01, 9.0, np.nan]], dtype=np.float32)
    again = strain_of(coarse(strain))
    for limit in (0.5, 2.0):
        assert ((again > limit) == (strain > limit)).all()
    assert np.isnan(again[0]).tolist() == np.isnan(strain[0]).tolist()
    assert coarse(strain)[0, -1] == UNKNOWN
    assert coarse(again).tobytes() == coarse(strain).tobytes()
