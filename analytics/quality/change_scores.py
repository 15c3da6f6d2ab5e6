"""How well change points were found: pairing within a window, and what each change weighs.

After W. Shao et al., ITC 29 (arXiv:1709.04819), as their public code has it
(`localutils/benchmark.py` of WenqinSHAO/rtt).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class WindowScore:
    """Labels and detections paired one to one."""

    matched: int
    false: int
    """Detections without a label."""
    missed: int
    """Labels without a detection."""
    distance: float
    """Mean distance of the pairs; NaN without any."""

    @property
    def precision(self) -> float:
        """Share of the detections that were right; NaN without detections."""
        found = self.matched + self.false
        return self.matched / found if found else float("nan")

    @property
    def recall(self) -> float:
        """Share of the labels that were found; NaN without labels."""
        labels = self.matched + self.missed
        return self.matched / labels if labels else float("nan")


def window_score(labels: ArrayLike, detections: ArrayLike, window: float) -> WindowScore:
    """As many pairs at most `window` apart as can be and, among those, as near as can be."""
    fact = np.asarray(labels, dtype=np.float64).reshape(-1)
    found = np.asarray(detections, dtype=np.float64).reshape(-1)
    apart = np.abs(fact[:, None] - found[None, :])
    never = (window + 1) * (len(fact) + len(found) + 1)  # dearer than any set of allowed pairs
    rows, columns = linear_sum_assignment(np.where(apart <= window, apart, never))
    pairs = apart[rows, columns]
    pairs = pairs[pairs <= window]
    mean = float(pairs.mean()) if len(pairs) else float("nan")
    return WindowScore(len(pairs), len(found) - len(pairs), len(fact) - len(pairs), mean)


def change_weights(trace: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Weight of each change of a trace (n,): how far it moves median and spread, and for how long.

    max(log2(length after / 3), 0) * (|difference of medians| + |difference of standard deviations|).

    Raises:
        ValueError: labels do not rise from above 0 to below n.
    """
    values = np.asarray(trace, dtype=np.float64)
    at = np.asarray(labels, dtype=np.int64).reshape(-1)
    bounds = np.concatenate(([0], at, [len(values)]))
    if np.any(np.diff(bounds) <= 0):
        raise ValueError(f"labels {at.tolist()} do not rise between 0 and {len(values)}, the trace's length")
    parts = np.split(values, at)
    median = np.array([np.median(part) for part in parts])
    spread = np.array([part.std() for part in parts])
    lasting = np.maximum(np.log2(np.diff(bounds)[1:] / 3), 0)
    return np.asarray(lasting * (np.abs(np.diff(median)) + np.abs(np.diff(spread))))
