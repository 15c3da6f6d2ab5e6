"""The level of failing that a line stands at: the chance that an hour fails, since it last changed.

A line's rate of failures moves in steps, and a fading rate takes days to follow one. Here the level is one of `RATES`; it
ends with a chance that falls with its age, young levels sooner than old ones, and what follows is drawn from `AFTERWARDS`.
What is told is the mean over all levels that the hours so far allow (a filter of a hidden Markov chain, as the change points of
Adams and MacKay, arXiv:0710.3742, with two ages in the place of every length of run). Decision 165 says what it is worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import betainc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RATES: Final = (0.005, 0.02, 0.06, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99)
"""Chances of an hour to fail."""
AFTERWARDS: Final = (0.3, 2.0)
"""A new level is drawn as by this beta distribution: most are low."""
YOUNG_ENDS: Final = 1.0 / 24.0
"""In an hour, of a young level."""
OLD_ENDS: Final = 1.0 / 480.0
AGES: Final = 1.0 / 24.0
"""By so much an hour a young level becomes an old one."""
WHOLE_AGAIN: Final = 16
"""Hours after which the chances are made to add up to 1 again: before they grow too small, and not each time, which is slow."""


def levels(had: NDArray[np.bool_], failed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(N, H + 1) the level before the first hour and after each of H hours; (N, H): the hour is known, and failed."""
    rates, first = np.array(RATES)[:, None], _drawn()[:, None]
    sure = np.hstack([np.ones_like(rates), 1.0 - rates, rates])
    came = np.where(had, np.where(failed, 2, 1), 0).T
    lines, hours = had.shape
    out = np.empty((hours + 1, lines))
    young, old = np.repeat(first, lines, axis=1), np.zeros((len(rates), lines))
    older, room = np.empty_like(young), np.empty_like(young)
    out[0] = np.add.reduce(young * rates)
    for hour, of in enumerate(came):
        seen = sure.take(of, axis=1, out=room, mode="clip")
        young *= seen
        old *= seen
        of_young, of_old = np.add.reduce(young), np.add.reduce(old)
        if hour % WHOLE_AGAIN == 0:
            whole = of_young + of_old
            for each in (young, old, of_young, of_old):
                np.divide(each, whole, out=each)
        np.multiply(young, AGES, out=older)
        young *= 1.0 - YOUNG_ENDS - AGES
        young += (YOUNG_ENDS * of_young + OLD_ENDS * of_old) * first
        old *= 1.0 - OLD_ENDS
        old += older
        np.multiply(np.add(young, old, out=room), rates, out=room)
        np.divide(np.add.reduce(room), of_young + of_old, out=out[hour + 1])
    return np.ascontiguousarray(out.T, dtype=np.float32)


def _drawn() -> Floats:
    """The chance of each rate as a new level: what of the distribution lies nearest to it."""
    between = (np.asarray(RATES[1:]) + np.asarray(RATES[:-1])) / 2.0
    return np.asarray(np.diff(betainc(*AFTERWARDS, np.concatenate([[0.0], between, [1.0]]))))
