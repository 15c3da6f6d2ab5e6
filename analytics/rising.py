"""How a delay rises: its figure now, its rate, and the slowest rate that its windows allow.

The rate is Theil and Sen's: the median of the slopes of all pairs of windows, which a few wild windows do not bend. Its lower bound is
Sen's (1968), by the variance of Kendall's tau. That bound takes windows for independent, and those of a line are not: so both halves of
the span must rise by themselves too. One step, however high, is no rise; `moved_levels` tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.ranks import medians

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_KNOWN: Final = 0.8
"""A span, or half of one, of which less was measured has no rise."""
Z: Final = 2.58
"""One-sided 99.5 % of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where lines stand at the end of the newest window and how they go on, (K,) each.

    Attributes:
        now: the figure, on the fitted line.
        rate: by how much it rises, a window.
        slowest: by how much it does at the lower bound; nothing or less where no rise is proved.
    """

    now: Floats
    rate: Floats
    slowest: Floats


NO_COURSE: Final = Course(np.zeros(0), np.zeros(0), np.zeros(0))
"""Of no lines: hardly ever does one rise."""


def delay_course(figures: Floats) -> Course:
    """The course of delays (K, W), NaN where not known."""
    if not len(figures):
        return NO_COURSE
    windows = figures.shape[-1]
    half = windows // 2
    rate, lower = _rates(figures)
    steady = (_rates(figures[:, :half])[1] > 0.0) & (_rates(figures[:, half:])[1] > 0.0)
    ahead = np.arange(windows) - windows + 0.5  # the middle of each window, in windows before the end
    now = medians(figures - rate[:, None] * ahead)[0]
    return Course(now, rate, np.where(steady, lower, -np.inf))


def _rates(figures: Floats) -> tuple[Floats, Floats]:
    """The rate of each line, (K,), and its lower bound, in figures a window, of (K, W); the bound is -inf where too little is known."""
    windows = figures.shape[-1]
    first, second = np.triu_indices(windows, 1)
    slopes = np.sort((figures[:, second] - figures[:, first]) / (second - first), axis=-1)  # NaN last
    count, known = (np.isfinite(each).sum(axis=-1) for each in (slopes, figures))
    spread = Z * np.sqrt(known * (known - 1) * (2 * known + 5) / 18.0)
    rank = np.floor((count - spread) / 2.0).astype(np.int64)
    lower = np.take_along_axis(slopes, rank.clip(0, len(first) - 1)[:, None], axis=-1)[:, 0]
    enough = (known >= LEAST_KNOWN * windows) & (rank >= 0)
    return medians(slopes)[0], np.where(enough, lower, -np.inf)
