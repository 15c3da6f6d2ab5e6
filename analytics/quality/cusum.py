"""Page's one-sided CUSUM: a level that rises above what is usual, noticed as soon as the excess has added up.

For watching one figure of a line against its usual one. Nothing in the product feeds it yet: `changes` tells what moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Cusum:
    """Of the shape of the series."""

    level: NDArray[np.float64]
    """S after each sample, before it starts anew at an alarm."""
    alarm: NDArray[np.bool_]


def cusum_upper(x: ArrayLike, mu: ArrayLike, k: ArrayLike, h: ArrayLike) -> Cusum:
    """S = max(0, S + x - mu - k); an alarm where S > h, after which S starts at 0 again.

    Args:
        x: samples (..., n) along the last axis, of any number of lines at once; NaN is no sample and moves nothing.
        mu: what is usual, of x's shape or one that broadcasts to it.
        k: allowance per sample, half a sigma as a rule; of the shape (...) or one figure.
        h: decision level, 4 to 5 sigma; likewise.
    """
    samples = np.asarray(x, dtype=np.float64)
    excess = np.nan_to_num(
        samples - np.asarray(mu, dtype=np.float64) - np.asarray(k, dtype=np.float64)[..., None]
    )
    bound = np.broadcast_to(np.asarray(h, dtype=np.float64), samples.shape[:-1])
    level = np.zeros(samples.shape)
    alarm = np.zeros(samples.shape, dtype=np.bool_)
    state = np.zeros(samples.shape[:-1])
    for at in range(samples.shape[-1]):  # a recursion in time, vectorised over the lines
        state = np.maximum(state + excess[..., at], 0)
        level[..., at] = state
        alarm[..., at] = state > bound
        state = np.where(alarm[..., at], 0, state)
    return Cusum(level, alarm)
