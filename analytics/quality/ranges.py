"""The ranges that a model was made for. What lies outside is marked; what is no value at all is refused.

A measured figure outside its range still gets the formula's value, with `outside` set beside it: the caller decides
whether to show it, and cannot overlook it. A figure for which the formula means nothing (a negative loss, a share
above 100 %) gives NaN, and `outside` as well. A constant outside its range is a mistake of whoever wrote it, and is
refused with `QualityRangeError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class QualityRangeError(ValueError):
    """A constant lies outside what its model allows; the text names it, its value and the range."""

    def __init__(self, parameter: str, value: float, allowed: Range) -> None:
        self.parameter = parameter
        self.value = value
        self.allowed = allowed
        super().__init__(f"{parameter} = {value:g} is outside {allowed}")


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both allowed, in the unit `unit`."""

    low: float
    high: float
    unit: str = ""

    def contains(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Where values lie inside; NaN does not."""
        given = np.asarray(values, dtype=np.float64)
        return np.asarray((given >= self.low) & (given <= self.high))

    def refuse(self, parameter: str, value: float) -> None:
        """Raise for a constant outside.

        Raises:
            QualityRangeError: `value` lies outside, or is no number.
        """
        if not self.low <= value <= self.high:
            raise QualityRangeError(parameter, value, self)

    def refuse_any(self, parameter: str, values: ArrayLike) -> None:
        """Raise for the first of some constants that lies outside; what is absent (NaN) may be.

        Raises:
            QualityRangeError: one of `values` lies outside.
        """
        given = np.asarray(values, dtype=np.float64)
        wrong = given[~(self.contains(given) | np.isnan(given))]
        if wrong.size:
            raise QualityRangeError(parameter, float(wrong.flat[0]), self)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()


def outside(*checks: tuple[Range, ArrayLike]) -> NDArray[np.bool_]:
    """Where any of some figures lies outside its range, or is absent; all of one shape or broadcast."""
    masks = [~allowed.contains(values) for allowed, values in checks]
    found = np.zeros(np.broadcast_shapes(*(mask.shape for mask in masks)), dtype=np.bool_)
    for mask in masks:
        found |= mask
    return found


def meaningful(values: ArrayLike, low: float, high: float = np.inf) -> NDArray[np.float64]:
    """The figures as float64, with NaN for whatever the formula means nothing for; nothing is endless."""
    given = np.asarray(values, dtype=np.float64)
    return np.where((given >= low) & (given <= high) & np.isfinite(given), given, np.nan)
