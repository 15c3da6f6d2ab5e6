"""The network QoS classes of ITU-T Y.1541 that a line meets (objectives as RFC 5976 section 1.1 restates them).

For naming a line's class to a provider. Nothing in the product feeds it yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_U: Final = float("inf")
"""Unspecified."""


@dataclass(frozen=True, slots=True)
class Objectives:
    """Upper bounds, met when reached; infinite where the class says nothing."""

    delay_ms: float
    """IPTD: mean one-way delay."""
    variation_ms: float
    """IPDV: 99.9th percentile of the delay less its minimum, over a minute."""
    loss_ratio: float
    """IPLR."""


CLASSES: Final[dict[str, Objectives]] = {
    "0": Objectives(100, 50, 1e-3),
    "1": Objectives(400, 50, 1e-3),
    "2": Objectives(100, _U, 1e-3),
    "3": Objectives(400, _U, 1e-3),
    "4": Objectives(1000, _U, 1e-3),
    "5": Objectives(_U, _U, _U),
    "6": Objectives(100, 50, 1e-5),
    "7": Objectives(400, 50, 1e-5),
}


def classes_met(delay_ms: ArrayLike, variation_ms: ArrayLike, loss_ratio: ArrayLike) -> NDArray[np.bool_]:
    """Which classes a line meets: shape of the figures and one more axis, in the order of `CLASSES`.

    An absent figure (NaN) meets no objective but an unspecified one.
    """
    met = [
        _within(delay_ms, one.delay_ms)
        & _within(variation_ms, one.variation_ms)
        & _within(loss_ratio, one.loss_ratio)
        for one in CLASSES.values()
    ]
    return np.stack(met, axis=-1)


def _within(values: ArrayLike, bound: float) -> NDArray[np.bool_]:
    given = np.asarray(values, dtype=np.float64)
    return np.ones(given.shape, dtype=np.bool_) if np.isinf(bound) else np.asarray(given <= bound)
