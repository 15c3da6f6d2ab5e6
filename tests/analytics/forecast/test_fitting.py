"""The fit: it ends where the penalised loss is least, within its bounds, and weights count as repetitions would."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, minimize

from analytics.forecast.fitting import (
    KNOTS_MIN,
    Outcomes,
    Penalty,
    fit_map,
    in_doubt,
    lead_hats,
)
from telemetry.windows import MINUTE_NS

FIGURES = 4
ASKS = 3000


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Penalty]:
    """Figures, hats, failures of asks at leads between the knots; the last figure wants a weight below its bound."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(ASKS), rng.normal(size=(ASKS, FIGURES))])
    lead_ns = (np.exp(rng.uniform(np.log(5.0), np.log(30_000.0), ASKS)) * MINUTE_NS).astype(np.int64)
    odds = -2.0 + x[:, 1] - 0.5 * x[:, 2] - 0.8 * x[:, FIGURES]
    fails = rng.random(ASKS) < 1.0 / (1.0 + np.exp(-odds))
    start = np.zeros((len(KNOTS_MIN), 1 + FIGURES))
    start[:, 0] = -2.0
    never = np.arange(FIGURES) == FIGURES - 1
    return x, lead_hats(lead_ns), fails, Penalty(start, np.full(FIGURES, 3.0), 10.0, never)


def test_nothing_near_is_likelier() -> None:
    """A general minimiser from the fit's own end, with the loss written out plainly, finds nothing better."""
    x, hats, fails, towards = drawn(1)
    found = fit_map(x, hats, Outcomes(fails, np.ones(ASKS)), towards)

    def loss(flat: np.ndarray) -> float:
        off = flat.reshape(found.shape) - towards.start
        odds = ((hats @ flat.reshape(found.shape)) * x).sum(axis=1)
        chance = 1.0 / (1.0 + np.exp(-odds))
        lost = -np.log(np.where(fails, chance, 1.0 - chance)).sum()
        ridge = 0.5 * (0.1 * off[:, 0] ** 2).sum() + 0.5 * 3.0 * (off[:, 1:] ** 2).sum()
        return float(lost + ridge + 0.5 * 10.0 * (np.diff(off, axis=0) ** 2).sum())

    least = np.full(found.shape, -np.inf)
    least[:, FIGURES] = 0.0
    other = minimize(loss, found.ravel(), method="L-BFGS-B", bounds=Bounds(least.ravel(), np.inf))
    assert other.fun > loss(found.ravel()) - 1e-3
    assert (found[:, FIGURES] == 0.0).all()
    assert found[1, 1] > 0.5


def test_half_of_the_slope_is_that_of_the_squared_error() -> None:
    """Weighed by doubt, the log loss falls where half of it and six halves of half the squared error, added, fall."""
    x, hats, fails, towards = drawn(4)
    came = Outcomes(fails, np.full(ASKS, 2.0))
    weights = fit_map(x, hats, came, towards)
    chance = 1.0 / (1.0 + np.exp(-(hats @ weights * x).sum(axis=1)))

    def slope(of_odds: np.ndarray) -> np.ndarray:
        return np.asarray((hats * of_odds[:, None]).T @ x)

    doubt = in_doubt(weights, x, hats, came)
    log_loss = chance - fails
    squared = 2.0 * (chance - fails) * chance * (1.0 - chance)
    expected = slope(2.0 * (0.5 * log_loss + 0.5 * 3.0 * squared))
    np.testing.assert_allclose(slope(doubt.weight * log_loss), expected, rtol=1e-9)
    assert doubt.fails is fails


def test_where_a_fit_begins_is_not_where_it_ends() -> None:
    """From near or from afar the same weights."""
    x, hats, fails, towards = drawn(6)
    came = Outcomes(fails, np.ones(ASKS))
    found = fit_map(x, hats, came, towards)
    afar = fit_map(x, hats, came, towards, found + 1.0)
    np.testing.assert_allclose(afar, found, atol=1e-3)


@pytest.mark.parametrize("seed", [2, 3])
def test_an_ask_that_weighs_three_is_three_asks(seed: int) -> None:
    """And one that weighs nothing is not there."""
    x, hats, fails, towards = drawn(seed)
    many = np.random.default_rng(seed).integers(0, 4, ASKS)
    weighed = fit_map(x, hats, Outcomes(fails, many.astype(np.float64)), towards)
    rows = np.repeat(np.arange(ASKS), many)
    repeated = fit_map(x[rows], hats[rows], Outcomes(fails[rows], np.ones(len(rows))), towards)
    np.testing.assert_allclose(weighed, repeated, atol=1e-3)


def test_one_ask_alone_is_enough_for_a_fit() -> None:
    """Nearly nothing known: the fit stays by what it is held towards."""
    x, hats, fails, towards = drawn(4)
    found = fit_map(x[:1], hats[:1], Outcomes(fails[:1], np.ones(1)), towards)
    assert np.isfinite(found).all()
    assert np.abs(found[:, 1:] - towards.start[:, 1:]).max() < 0.5
