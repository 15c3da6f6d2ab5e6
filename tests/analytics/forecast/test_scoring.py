"""Scores against cases worked by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss  # type: ignore[import-untyped,unused-ignore]

from analytics.forecast import scoring
from analytics.forecast.report import Scored, score

CHANCE = np.array([0.9, 0.8, 0.3, 0.6])
HELD = np.array([True, False, False, True])


def test_brier_by_hand_and_by_scikit_learn() -> None:
    """(0.01 + 0.64 + 0.09 + 0.16) / 4, and the same as scikit-learn on a thousand forecasts."""
    assert scoring.brier(CHANCE, HELD) == pytest.approx(0.225)
    rng = np.random.default_rng(5)
    chance = rng.random(1000)
    held = rng.random(1000) < chance
    assert scoring.brier(chance, held) == pytest.approx(brier_score_loss(held, chance))
    assert np.isnan(scoring.brier(np.empty(0), np.empty(0, dtype=bool)))


def test_skill_is_the_share_of_the_reference_saved() -> None:
    """Against always one half, whose score is a quarter; 1 for a perfect forecast, 0 for the reference itself."""
    half, block = np.full(4, 0.5), np.arange(4)
    assert scoring.skill_interval(CHANCE, half, HELD, block).value == pytest.approx(1.0 - 0.225 / 0.25)
    assert scoring.skill_interval(HELD.astype(float), half, HELD, block).value == 1.0
    assert scoring.skill_interval(half, half, HELD, block).value == 0.0


def test_a_reference_without_error_is_no_yardstick() -> None:
    """Errors of a hundred forecasts that weigh less than one that missed wholly have no skill over them; just as much has."""
    held = np.arange(100) % 10 > 0
    block = np.arange(100) // 10
    ours = np.where(held, 0.89, 0.11)
    near = np.where(held, 0.901, 0.099)
    assert scoring.is_yardstick(ours, held)
    assert scoring.skill_interval(near, ours, held, block).value == pytest.approx(1 - 0.099**2 / 0.11**2)
    assert not scoring.is_yardstick(near, held)
    assert np.isnan(scoring.skill_interval(ours, near, held, block).value)
    found = score(Scored(chance=ours, persistence=ours, climatology=near, held=held, block=block))
    assert found.over_climatology is None
    assert found.over_persistence is not None
    assert found.lacks_a_yardstick


def test_whole_blocks_are_drawn() -> None:
    """Forecasts that are copies of each other within a block add no certainty; drawn one by one they would."""
    rng = np.random.default_rng(6)
    chance = rng.random(40)
    held = rng.random(40) < chance
    once = scoring.skill_interval(chance, np.full(40, 0.5), held, np.arange(40))
    copies = scoring.skill_interval(
        np.repeat(chance, 50), np.full(2000, 0.5), np.repeat(held, 50), np.repeat(np.arange(40), 50)
    )
    apart = scoring.skill_interval(
        np.repeat(chance, 50), np.full(2000, 0.5), np.repeat(held, 50), np.arange(2000)
    )
    assert copies.value == pytest.approx(once.value)
    assert copies.low == pytest.approx(once.low)
    assert apart.high - apart.low < 0.5 * (copies.high - copies.low)
    assert once.low < once.value < once.high


def test_reliability_and_calibration_error_by_hand() -> None:
    """Two bins: 0.25 said and half held, 0.85 said and all held: (2 * 0.25 + 2 * 0.15) / 4."""
    chance = np.array([0.25, 0.25, 0.85, 0.85])
    held = np.array([True, False, True, True])
    table = scoring.reliability(chance, held)
    assert table.counts == (0, 0, 2, 0, 0, 0, 0, 0, 2, 0)
    assert (table.chance[2], table.held[2]) == (0.25, 0.5)
    assert table.chance[0] is None
    assert scoring.calibration_error(chance, held, np.arange(4)).value == pytest.approx(0.2)
    assert scoring.reliability(np.array([1.0, 0.0]), np.array([True, False])).counts[9] == 1


def test_hits_and_false_alarms_by_hand() -> None:
    """Below 0.7 two are flagged: one of two failures, and one that held."""
    flags = scoring.flags(CHANCE, HELD, 0.7)
    assert (flags.flagged, flags.failed) == (2, 2)
    assert (flags.hit_rate, flags.false_alarm_rate, flags.false_positive_rate) == (0.5, 0.5, 0.5)
    none = scoring.flags(CHANCE, HELD, 0.0)
    assert none.hit_rate == 0.0
    assert np.isnan(none.false_alarm_rate)
    assert [scoring.flags(CHANCE, HELD, each).flagged for each in (0.1, 0.5, 1.0)] == [0, 1, 4]


def test_lead_counts_only_flags_that_stay() -> None:
    """Pair 0 is flagged at 24 h, well at 2 h and flagged again: its lead is 30 min. Pair 1 from 2 h on; pair 2 never."""
    hours = np.array([24.0, 2.0, 0.5] * 3)
    chance = np.array([0.5, 0.9, 0.5, 0.9, 0.4, 0.4, 0.9, 0.9, 0.9])
    pair = np.repeat(np.arange(3), 3)
    lead = scoring.lead_ns(chance, pair, (hours * 3600e9).astype(np.int64), 0.7)
    assert lead.tolist() == [1_800_000_000_000, 7_200_000_000_000, -1]


def test_a_forecast_that_was_not_made_flags_nothing() -> None:
    """Neither among the flags nor in the lead: a pair without a number 2 h before was flagged from half an hour before on."""
    chance = np.array([0.5, np.nan, 0.5, np.nan, np.nan, np.nan])
    assert scoring.flags(chance, np.zeros(6, dtype=bool), 0.7).flagged == 2
    ahead = (np.array([24.0, 2.0, 0.5] * 2) * 3600e9).astype(np.int64)
    assert scoring.lead_ns(chance, np.repeat([0, 1], 3), ahead, 0.7).tolist() == [1_800_000_000_000, -1]


def test_what_was_not_forecast_is_counted() -> None:
    """Three of four gave a number."""
    assert scoring.made(np.array([0.1, np.nan, 0.2, 0.3])) == 0.75
