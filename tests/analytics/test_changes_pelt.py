"""The alternative of the bench on line: it sees no future, and waits no longer than ours."""

from __future__ import annotations

import numpy as np

from bench._changes.pelt import DELAY, pelt_online

CHANGES = (100, 180, 350)


def line() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A quiet line with three steps, the last after more samples than one look sees."""
    levels = np.repeat([40.0, 55.0, 40.0, 70.0], np.diff([0, *CHANGES, 420]))
    return levels + np.random.default_rng(5).normal(0.0, 0.5, levels.size)


def test_each_step_is_told_once_at_most_five_samples_later() -> None:
    """Also where the look begins in the middle of the trace."""
    told = pelt_online(line(), 3000.0, 3)
    assert len(told) == len(CHANGES)
    late = told - CHANGES
    assert (late >= 0).all()
    assert (late <= DELAY).all()


def test_what_comes_later_changes_nothing_told_before() -> None:
    """As if nothing had come after."""
    whole = pelt_online(line(), 500.0, 5)
    for end in (103, 185, 300):
        assert pelt_online(line()[:end], 500.0, 5).tolist() == whole[whole < end].tolist()
