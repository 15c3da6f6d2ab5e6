"""Our lists behave as numpy's arrays do, bit by bit, in all that the agent uses of them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from telemetry import array_choice, plain_numpy
from telemetry.histogram import bin_of
from telemetry.histogram_grid import BINS
from telemetry.plain_array import Array

if TYPE_CHECKING:
    from collections.abc import Callable


class Given(NamedTuple):
    """What each function is tried with."""

    n: Any
    """The library."""
    i: Any
    """Whole numbers, with equals among them."""
    f: Any
    """Floats."""
    m: Any
    """A mask."""


FUNCTIONS: dict[str, Callable[[Given], Any]] = {
    "maximum": lambda a: a.n.maximum(a.i, 3),
    "minimum of two": lambda a: a.n.minimum(a.f, a.f[::-1]),
    "maximum so far": lambda a: a.n.maximum.accumulate(a.i),
    "reduceat": lambda a: a.n.add.reduceat(a.i, a.n.arange(0, max(len(a.i) // 2, 1))),
    "diff": lambda a: a.n.diff(a.i),
    "cumsum": lambda a: a.n.cumsum(a.f),
    "cumsum of a mask": lambda a: a.n.cumsum(a.m),
    "flatnonzero": lambda a: a.n.flatnonzero(a.i > 0),
    "count_nonzero": lambda a: a.n.count_nonzero(a.m),
    "where": lambda a: a.n.where(a.m, a.i, 7),
    "abs": lambda a: a.n.abs(a.i),
    "divmod": lambda a: a.n.divmod(a.i, 4)[0] * 100 + a.n.divmod(a.i, 4)[1],
    "clip": lambda a: a.n.clip(a.i, -1, 2),
    "ceil": lambda a: a.n.ceil(a.f * 10).astype(a.n.int64),
    "sort": lambda a: a.n.sort(a.f),
    "argsort": lambda a: a.n.argsort(a.i, kind="stable"),
    "lexsort": lambda a: a.n.lexsort((a.f, a.i)),
    "searchsorted": lambda a: a.n.searchsorted(a.n.sort(a.i), a.i, side="right"),
    "searchsorted left": lambda a: a.n.searchsorted(a.n.sort(a.i), a.i),
    "unique": lambda a: a.n.unique(a.i),
    "unique's first": lambda a: a.n.unique(a.i, return_index=True)[1],
    "unique's counts": lambda a: a.n.unique(a.i, return_counts=True)[1],
    "union1d": lambda a: a.n.union1d(a.i, a.i[a.m]),
    "setdiff1d": lambda a: a.n.setdiff1d(a.i, a.i[a.m]),
    "isin": lambda a: a.n.isin(a.i, a.i[:3]),
    "bincount": lambda a: a.n.bincount(a.n.abs(a.i)),
    "concatenate": lambda a: a.n.concatenate(([1], a.i, a.i[a.m])),
    "append": lambda a: a.n.append(a.i, 9),
    "median": lambda a: a.n.median(a.i),
    "mean": lambda a: a.f.mean(),
    "mean of whole numbers": lambda a: (a.i * (1 << 40) + 1).mean(),
    "sum": lambda a: a.f.sum(),
    "sum of a mask": lambda a: a.m.sum(),
    "max": lambda a: a.i[:0].max(initial=0),
    "arithmetic": lambda a: (3 - a.f * 2) / 7 + 1 / (a.f + 1) - a.i,
    "division": lambda a: (a.i * (1 << 58) + 1) / 3,
    "whole division": lambda a: -a.i // 3,
    "bits": lambda a: (a.i << 3 >> 1) & 0xFF | 5,
    "masks": lambda a: (a.m & ~(a.i <= 0)) | (a.i == 2) | (a.f != a.f[0]),
    "positions": lambda a: a.f[a.n.argsort(a.i, kind="stable")],
    "as floats": lambda a: a.n.asarray(a.i, dtype=a.n.float64),
    "zeros like": lambda a: a.n.zeros_like(a.m),
}


@pytest.mark.parametrize("length", [1, 7, 129, 8193])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_same_bits_as_numpy(name: str, length: int) -> None:
    """Each function, over lengths at which numpy adds in another way."""
    rng = np.random.default_rng(length)
    numbers, floats = rng.integers(-3, 9, length), rng.exponential(1e6, length)
    mask = rng.random(length) < 0.4
    theirs = FUNCTIONS[name](Given(np, numbers, floats, mask))
    lists = (Array(one.tolist()) for one in (numbers, floats, mask))
    ours = FUNCTIONS[name](Given(plain_numpy, *lists))
    assert len(ours) == len(theirs) if isinstance(ours, Array) else np.ndim(theirs) == 0
    assert list(np.atleast_1d(theirs)) == (list(ours) if isinstance(ours, Array) else [ours])


def test_parts_are_set_as_numpy_does() -> None:
    """By position, slice, step, mask and positions, one value for all or as many as are meant."""
    numbers: Any = np.arange(10)
    for values, place in ((numbers, np.array([3])), (Array(list(range(10))), Array([3]))):
        values[0] = 5
        values[1:3] = 7
        values[4::2] = values[:3]
        values[values == 9] = -1
        values[place] += 100
        assert values.tolist() == [5, 7, 7, 103, 5, 5, 7, 7, 7, -1]


def test_what_does_not_fit_is_refused() -> None:
    """Lengths that do not go together are an error, as they are in numpy."""
    with pytest.raises(ValueError, match="3 values do not go with 2"):
        Array([1, 2, 3]) + Array([1, 2])
    with pytest.raises(IndexError, match="a mask of 2 for 3"):
        Array([1, 2, 3])[Array([True, False])]
    with pytest.raises(ValueError, match="zip"):
        Array([1, 2, 3])[:] = Array([1, 2])


def test_logarithms_put_each_duration_into_the_same_bin() -> None:
    """The last bit of a logarithm may differ between the two libraries; around every bin's edge it decides nothing."""
    edges = [round(1000 * 1.02**k) + near for k in range(BINS + 3) for near in range(-3, 4)]
    bins = bin_of(edges).tolist()
    assert len(set(bins)) == BINS
    done = subprocess.run(
        [sys.executable, "-c", BIN], input=str(edges), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, str(bins)), done.stderr


BIN = """
import sys
sys.modules["numpy"] = None
from telemetry.array_choice import without_numpy
without_numpy()
from telemetry.histogram import bin_of
sys.stdout.write(str(bin_of(eval(sys.stdin.read())).tolist()))
"""


def test_the_choice_comes_first() -> None:
    """Where numpy's arrays are in use already, the other choice is refused rather than mixed in."""
    with pytest.raises(RuntimeError, match="choose before"):
        array_choice.without_numpy()
    assert array_choice.made() == "numpy"
