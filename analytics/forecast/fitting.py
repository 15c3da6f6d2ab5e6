"""The likeliest weights of a logistic sum whose every weight runs smoothly with the logarithm of the lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from telemetry.windows import MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_STEPS: Final = 100
TOLERANCE: Final = 1e-8
"""A step that would save so small a part of the penalised loss is the last."""
ROWS: Final = 16_384
"""Asks that are laid out at a time."""
LEAST_STEP: Final = 1e-6
"""Of a step that does not save as much as it should, at least so small a part is taken."""
ARMIJO: Final = 1e-4
"""A step must save so much of what the gradient promises (Armijo's rule)."""
BIAS_RIDGE: Final = 0.1
"""The ridge of the bias: how hard it is held to where it starts."""
BRIER_SCALE: Final = 6.0
"""1 / mean of p (1 - p) for p uniform on 0..1: what makes the two halves of `in_doubt` equal there."""
KNOTS_MIN: Final = (10.0, 30.0, 120.0, 1440.0, 20160.0)
"""Leads in minutes at which the weights are fitted; between them they run straight in log(lead), beyond them level."""


def lead_hats(lead_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """(M, K) how much each knot weighs at each lead; rows sum to 1."""
    knots = np.log(np.asarray(KNOTS_MIN))
    at = np.clip(np.log(np.maximum(lead_ns / MINUTE_NS, 1.0)), knots[0], knots[-1])
    return np.stack([np.interp(at, knots, row) for row in np.eye(len(knots))], axis=-1)


@dataclass(frozen=True, slots=True)
class Penalty:
    """What the weights are held towards, at the cost of some likelihood.

    Attributes:
        start: (K, 1 + F) weights to start from; all but the first are held there by `ridge`.
        ridge: (F,) how hard, by figure; the worth of so many asks.
        smooth: how hard a weight is held to the same figure's at the next knot.
        never_eases: (F,) figures whose weight may not fall below 0; None for none.
    """

    start: NDArray[np.float64]
    ridge: NDArray[np.float64]
    smooth: float
    never_eases: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came true of M asks: whether each failed, and how much it weighs."""

    fails: NDArray[np.bool_]
    weight: NDArray[np.float64]


def fit_map(
    x: NDArray[np.float64],
    hats: NDArray[np.float64],
    came: Outcomes,
    penalty: Penalty,
    begin: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Weights (K, 1 + F) of figures `x` (M, 1 + F, the first column 1) with the least penalised log loss: the maximum a posteriori (MAP).

    `begin` (K, 1 + F): weights that lie near, when there are any; they change the way there, not where it ends.

    By Newton steps that are projected upon the bounds (Bertsekas, SIAM J. Control Optim. 20 (1982) 221): the loss is
    convex, and its curvature is a band of blocks because a lead lies between two knots at most.
    """
    least = np.full(penalty.start.shape, -np.inf)
    if penalty.never_eases is not None:
        least[:, 1:][:, penalty.never_eases] = 0.0
    at_least = least.ravel()
    weights = np.maximum((penalty.start if begin is None else begin).ravel(), at_least)
    value = _loss(weights, x, hats, came, penalty)
    for _ in range(MOST_STEPS):
        gradient, hessian = _gradient_and_hessian(weights, x, hats, came, penalty)
        free = ~((weights <= at_least) & (gradient > 0.0))
        step = np.zeros_like(weights)
        step[free] = -cho_solve(cho_factor(hessian[np.ix_(free, free)]), gradient[free])
        if -gradient @ step <= TOLERANCE * value:
            break
        length = 1.0
        while True:
            there = np.maximum(weights + length * step, at_least)
            found = _loss(there, x, hats, came, penalty)
            if found <= value + ARMIJO * float(gradient @ (there - weights)) or length < LEAST_STEP:
                break
            length /= 2.0
        weights, value = there, found
    return np.asarray(weights.reshape(penalty.start.shape))


def in_doubt(
    weights: NDArray[np.float64], x: NDArray[np.float64], hats: NDArray[np.float64], came: Outcomes
) -> Outcomes:
    """The same asks, half of whose weight goes by how much in doubt `weights` (K, 1 + F) leave each.

    The slope of the squared error is that of the log loss times p (1 - p): weights that are the likeliest of asks weighed so
    make the sum of both small, and what is next to certain either way, which the log loss alone listens to most, counts
    half.
    """
    fails = expit(_log_odds(weights, x, hats))
    return Outcomes(came.fails, came.weight * (0.5 + 0.5 * BRIER_SCALE * fails * (1.0 - fails)))


def _held_to(penalty: Penalty) -> NDArray[np.float64]:
    """(1 + F,) how hard each weight is held."""
    return np.concatenate([[BIAS_RIDGE], penalty.ridge])


def _blocks(rows: int) -> list[slice]:
    return [slice(first, first + ROWS) for first in range(0, rows, ROWS)]


def _log_odds(
    weights: NDArray[np.float64], x: NDArray[np.float64], hats: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(M,) log-odds of failing."""
    return np.asarray(np.einsum("mk,mk->m", hats, x @ weights.reshape(hats.shape[1], -1).T))


def _loss(
    weights: NDArray[np.float64],
    x: NDArray[np.float64],
    hats: NDArray[np.float64],
    came: Outcomes,
    penalty: Penalty,
) -> float:
    """What is made as small as can be."""
    off = weights.reshape(penalty.start.shape) - penalty.start
    log_odds = _log_odds(weights, x, hats)
    lost = came.weight * np.logaddexp(0.0, np.where(came.fails, -log_odds, log_odds))
    held = (_held_to(penalty) * off**2).sum() + penalty.smooth * (np.diff(off, axis=0) ** 2).sum()
    return float(lost.sum() + 0.5 * held)


def _gradient_and_hessian(
    weights: NDArray[np.float64],
    x: NDArray[np.float64],
    hats: NDArray[np.float64],
    came: Outcomes,
    penalty: Penalty,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the penalised loss: (K * (1 + F),) and (K * (1 + F), K * (1 + F))."""
    knots, figures = penalty.start.shape
    off = weights.reshape(knots, figures) - penalty.start
    between = np.diff(np.eye(knots), axis=0)
    drawn = penalty.smooth * between.T @ between
    held_to = _held_to(penalty)
    gradient = held_to * off + drawn @ off
    hessian = np.zeros((knots, figures, knots, figures))
    each = np.arange(figures)
    hessian[:, each, :, each] = drawn
    knot = np.arange(knots)
    hessian[knot[:, None], each, knot[:, None], each] += held_to
    for rows in _blocks(len(x)):
        part, hat = x[rows], hats[rows]
        fails = expit(_log_odds(weights, part, hat))
        gradient += (hat * (came.weight[rows] * (fails - came.fails[rows]))[:, None]).T @ part
        sure = came.weight[rows] * fails * (1.0 - fails)
        for one in range(knots):
            for other in range(one, min(one + 2, knots)):
                much = sure * hat[:, one] * hat[:, other]
                use = much > 0.0
                if use.any():
                    block = part[use].T @ (part[use] * much[use, None])
                    hessian[one, :, other, :] += block
                    if other != one:
                        hessian[other, :, one, :] += block
    return gradient.ravel(), hessian.reshape(knots * figures, -1)
