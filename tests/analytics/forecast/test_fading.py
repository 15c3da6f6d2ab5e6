"""Fading counts of hours, and the rates of failures that are made of them."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.forecast.fading import DAY, SIX_HOURS, TEN_DAYS, THREE_DAYS, Fading

MEMORIES = (TEN_DAYS, THREE_DAYS, DAY, SIX_HOURS)


@pytest.mark.parametrize("fading", MEMORIES)
def test_an_hour_weighs_half_for_every_half_life_since(fading: Fading) -> None:
    """Against the sum written out hour by hour, at every hour of lines of their own."""
    of = np.random.default_rng(7).random((3, 90)) < np.array([[0.1], [0.5], [1.0]])
    counts = fading.counts(of)
    assert counts.shape == (3, 91)
    for hour in range(91):
        ago = np.arange(hour)[::-1]
        weight = 0.5 ** (ago / fading.half_hours)
        np.testing.assert_allclose(counts[:, hour], (of[:, :hour] * weight).sum(axis=1), rtol=1e-12)


def test_a_count_knows_only_the_hours_before_it() -> None:
    """An hour changes no count but the later ones: what a forecast made before it sees stays the same to the bit."""
    of = np.random.default_rng(8).random((2, 60)) < 0.3
    other = of.copy()
    other[:, 40:] = ~other[:, 40:]
    one, two = TEN_DAYS.counts(of), TEN_DAYS.counts(other)
    assert one[:, :41].tobytes() == two[:, :41].tobytes()
    assert (one[:, 41] != two[:, 41]).all()


@pytest.mark.parametrize("fading", MEMORIES)
def test_a_rate_begins_with_the_longer_one_and_ends_with_its_own(fading: Fading) -> None:
    """Nothing is known: the longer rate. As many hours as that weighs: the middle. Hours without end: their own."""
    assert fading.rate(np.array([0.0]), np.array([0.0]), 0.2)[0] == pytest.approx(0.2)
    hours = np.array([fading.prior_hours])
    assert fading.rate(hours, hours, 0.2)[0] == pytest.approx(0.6)
    assert fading.rate(1e9 * hours, 1e9 * hours, 0.2)[0] == pytest.approx(1.0)
