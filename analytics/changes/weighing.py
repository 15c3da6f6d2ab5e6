"""How a cut is weighed: a logistic regression on the figures of the cut and on their products, two by two."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.cuts import FIGURES
from analytics.changes.weights import CENTRES, INTERCEPT, SCALES, WEIGHTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAR: Final = 3.0
"""Standard deviations beyond which a figure says no more: what the labelled lines did not show is not extrapolated."""


def terms(
    figures: NDArray[np.float64], centres: NDArray[np.float64], scales: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, F + F (F + 1) / 2) the standardised figures (N, F), then their products two by two, squares among them."""
    plain = np.clip((figures - centres) / scales, -FAR, FAR)
    one, other = np.triu_indices(plain.shape[-1])
    return np.concatenate([plain, plain[:, one] * plain[:, other]], axis=-1)


def chance(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) the probability that people would call each cut a change of level."""
    centres, scales, weights = _shipped()
    return np.asarray(1.0 / (1.0 + np.exp(-(terms(figures, centres, scales) @ weights + INTERCEPT))))


@cache
def _shipped() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    centres, scales, weights = (
        np.array(text.split(), dtype=np.float64) for text in (CENTRES, SCALES, WEIGHTS)
    )
    count = len(FIGURES)
    assert len(centres) == len(scales) == count
    assert len(weights) == count + count * (count + 1) // 2
    return centres, scales, weights
