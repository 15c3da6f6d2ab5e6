"""The likeliest weights of a logistic sum whose every weight runs smoothly with the logarithm of the lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import Bounds, minimize
from scipy.special import expit

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINUTE_NS: Final = 60 * SECOND_NS
KNOTS_MIN: Final = (10.0, 30.0, 120.0, 1440.0, 20160.0)
"""Leads in minutes at which the weights are fitted; between them they run straight in log(lead), beyond them level."""


def lead_hats(lead_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """(M, K) how much each knot weighs at each lead; rows sum to 1."""
    knots = np.log(np.asarray(KNOTS_MIN))
    at = np.clip(np.log(np.maximum(lead_ns / MINUTE_NS, 1.0)), knots[0], knots[-1])
    return np.stack([np.interp(at, knots, row) for row in np.eye(len(knots))], axis=-1)


@dataclass(frozen=True, slots=True)
class Held:
    """What the weights are held towards.

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


def most_likely(
    x: NDArray[np.float64], hats: NDArray[np.float64], fails: NDArray[np.bool_], towards: Held
) -> NDArray[np.float64]:
    """Weights (K, 1 + F) of figures `x` (M, 1 + F, the first column 1) with the least penalised log loss."""
    start, ridge, smooth = towards.start, towards.ridge, towards.smooth
    shape = start.shape
    sign = np.where(fails, -1.0, 1.0)
    held_to = np.concatenate([[0.1], ridge])

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape)
        z = np.einsum("mf,mf->m", x, hats @ weights)
        slope = sign * expit(sign * z)
        off = weights - start
        step = np.diff(off, axis=0)
        gradient = hats.T @ (x * slope[:, None]) + held_to * off
        gradient[1:] += smooth * step
        gradient[:-1] -= smooth * step
        value = (
            np.logaddexp(0.0, sign * z).sum()
            + 0.5 * (held_to * off**2).sum()
            + 0.5 * smooth * (step**2).sum()
        )
        return float(value), gradient.ravel()

    least = np.full(shape, -np.inf)
    if towards.never_eases is not None:
        least[:, 1:][:, towards.never_eases] = 0.0
    bounds = Bounds(least.ravel(), np.inf)
    found = minimize(
        loss, start.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}
    )
    return np.asarray(found.x.reshape(shape))
