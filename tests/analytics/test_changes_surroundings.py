"""What the wider past says of a boundary: of a past that can be told by hand, and of one read backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes import surroundings
from analytics.changes.boundaries import FIGURES, Boundaries, boundaries

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOTAL: Final = 1600
LEVELS: Final = ((0, 40.0), (400, 60.0), (900, 50.0), (906, 60.0), (1200, 90.0))
"""First samples and levels in ms; from 900 on the level of 60 is left for six samples only."""


def made() -> NDArray[np.float64]:
    """The levels with a noise of half a millisecond."""
    first, level = np.array(LEVELS).T
    step = np.searchsorted(first, np.arange(TOTAL), side="right") - 1
    return np.asarray(level[step] + np.random.default_rng(7).normal(0.0, 0.5, TOTAL))


def told(those: Boundaries, at: int) -> dict[str, float]:
    """The figures of the boundary at most two samples from `at`, by name."""
    row = int(np.abs(those.at - at).argmin())
    assert abs(int(those.at[row]) - at) <= 2
    return dict(zip(FIGURES, those.figures[row].tolist(), strict=True))


def test_larger_levels_are_told_without_the_short_one() -> None:
    """Where only large boundaries count, the six samples are no level: before 1200 lies what holds since 400, 20 ms over its own before."""
    step = told(boundaries(made()), 1200)
    assert abs(step["large_step_9_6400"] - np.log(30.05)) < 0.02
    assert abs(step["large_left_9_6400"] - np.log(800)) < 0.02
    assert abs(step["large_right_9_6400"] - np.log(400)) < 0.02
    assert abs(step["next_left_9_6400"] - np.log1p(400)) < 0.02
    assert step["next_right_9_6400"] == 0.0
    assert abs(step["comes_from_beyond_9_6400"] - 20.0 / 30.0) < 0.02
    assert abs(step["step_in_2_98"] - np.log(30.0 / 50.0)) < 0.05


def test_read_backwards_left_and_right_are_exchanged() -> None:
    """The same boundaries, and of each the same figures with the sides exchanged."""
    values = made()
    there, back = boundaries(values), boundaries(values[::-1].copy())
    assert len(there.at) >= 4
    assert (there.at == (TOTAL - back.at)[::-1]).all()
    sides = (("left", "right"), ("comes_from", "goes_on"))
    exchanged = [name for name in surroundings.FIGURES if not name.startswith("crowd")]
    for name in exchanged:
        other = name
        for one, another in sides:
            other = name.replace(one, another) if one in name else name.replace(another, one)
            if other != name:
                break
        one_way, other_way = FIGURES.index(name), FIGURES.index(other)
        np.testing.assert_allclose(
            there.figures[:, one_way], back.figures[::-1, other_way], atol=1e-5, err_msg=name
        )
