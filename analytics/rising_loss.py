"""How loss rises, by counts: a window at its limit loses one or two packets of 150, so shares of single windows show no course.

Counts of half an hour, by minutes, are fitted with a straight line (the test of trend in proportions by Cochran, 1954, and Armitage, 1955). The
slope's error goes by what the minutes scatter about that line (Pearson), where that is more than Poisson's: losses come in bursts.
Of each window no more is counted than proves by itself that it breaks the limit; what is lost beyond tells nothing of a course.

One step is no rise: the line must explain the counts better than the best single step (by Poisson's likelihood), which is free in when,
from what and to what. Decision 199 says how often that is wrong and how early it tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.proof import least_proofs
from analytics.rising import NO_COURSE, Course

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]

LOSS_WINDOWS: Final = 120
"""Half an hour: in less, a loss that rises to 1 % is not told from chance."""
POOLED_WINDOWS: Final = 4
"""A minute."""
Z: Final = 3.29
"""One-sided 99.95 % of the normal distribution; bursts have longer tails than it."""
_LEAST_SHARE: Final = 0.05
"""The fitted line does not fall below this part of the mean: a minute that should lose nothing would weigh without end."""


def loss_course(lost: Counts, sent: Counts, limit: float) -> Course:
    """The course of loss ratios, (K,) each, from counts of packets (K, W), W whole minutes; where nothing was sent it is not known."""
    if not len(lost):
        return NO_COURSE
    counted = np.minimum(lost, least_proofs(sent, limit))
    x, n = _by_minute(counted), _by_minute(sent)
    minutes = x.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = x.sum(axis=-1) / n.sum(axis=-1)
        at = np.arange(minutes) + 0.5 - minutes  # the middle of each minute, in minutes before the end
        middle = (n * at).sum(axis=-1) / n.sum(axis=-1)
        aside = at - middle[:, None]
        weight = (n * aside**2).sum(axis=-1)
        slope = (aside * x).sum(axis=-1) / weight
        line = np.maximum(mean[:, None] + slope[:, None] * aside, _LEAST_SHARE * mean[:, None])
        error = np.sqrt(_scatter(x, n, line) * (n * aside**2 * np.maximum(line, mean[:, None])).sum(axis=-1))
        slowest = np.where(_beats_steps(x, n, line), slope - Z * error / weight, -np.inf)
    return Course(mean - slope * middle, slope / POOLED_WINDOWS, slowest / POOLED_WINDOWS)


def _by_minute(counts: Counts) -> Floats:
    minutes = counts.shape[-1] // POOLED_WINDOWS
    return np.asarray(counts.reshape(len(counts), minutes, POOLED_WINDOWS).sum(axis=-1), dtype=np.float64)


def _scatter(x: Floats, n: Floats, line: Floats) -> Floats:
    """(K,): by how much the minutes scatter more about the line than Poisson's counts would; 1 at least."""
    of = np.where(n > 0, (x - line * n) ** 2 / (line * n), 0.0).sum(axis=-1)
    return np.asarray(np.fmax(of / np.maximum((n > 0).sum(axis=-1) - 2, 1), 1.0))


def _beats_steps(x: Floats, n: Floats, line: Floats) -> NDArray[np.bool_]:
    """(K,): the line explains the counts better than any single step does."""
    lost, sent = x.sum(axis=-1, keepdims=True), n.sum(axis=-1, keepdims=True)
    fitted = line * lost / (line * n).sum(axis=-1, keepdims=True)  # it loses what was lost, if it was held up
    before, until = np.cumsum(x, axis=-1)[:, :-1], np.cumsum(n, axis=-1)[:, :-1]
    steps = _said(before, before / until) + _said(lost - before, (lost - before) / (sent - until))
    return np.asarray(_said(x, fitted).sum(axis=-1) > steps.max(axis=-1))


def _said(lost: Floats, ratio: Floats) -> Floats:
    """Poisson's log-likelihood of losses at a ratio, but for what all courses have in common."""
    return np.where(lost > 0, lost * np.log(np.where(lost > 0, ratio, 1.0)), 0.0)
