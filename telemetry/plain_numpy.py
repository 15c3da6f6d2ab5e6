"""As much of numpy as one office needs, over lists: same names, same results to the last bit.

Functions behave as numpy's of the same name for one-dimensional arrays, and take only the arguments that are used.
`tests/telemetry/core/test_plain_numpy.py` holds them against numpy's.
"""

from __future__ import annotations

import bisect
import math
import operator
from collections import Counter
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from telemetry.plain_array import Array, operand
from telemetry.plain_records import Layout, Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

int8 = int64 = uint8 = uint32 = uint64 = int
float64 = float
bool_ = bool
dtype = Layout
Values: TypeAlias = "Array | Sequence[Any]"
nan: Final = math.nan


class _Greatest:
    """`maximum` and `minimum`: of two, and of all so far."""

    def __init__(self, of: Callable[[Any, Any], Any]) -> None:
        self._of = of

    def __call__(self, a: Any, b: Any) -> Array:  # noqa: ANN401 - an array and a number, or two arrays
        n = len(a) if isinstance(a, Array) else len(b)
        return Array(list(map(self._of, operand(a, n), operand(b, n))))

    def accumulate(self, a: Array) -> Array:
        """Of all so far."""
        return Array(list(accumulate(a.values, self._of)))


maximum: Final = _Greatest(max)
minimum: Final = _Greatest(min)


class add:  # noqa: N801 - numpy's name
    """Sums."""

    @staticmethod
    def reduceat(a: Array, begin: Array) -> Array:
        """Sums from each position to the next; positions rise."""
        stops = [*begin.values[1:], len(a)]
        return Array([sum(a.values[i:j]) for i, j in zip(begin.values, stops, strict=True)])


def array(values: Iterable[Any], dtype: type) -> Array:  # noqa: A002, RUF100
    """A new array of a kind."""
    return Array(list(map(dtype, values)))


def asarray(values: Values, dtype: type | None = None) -> Array:
    """An array of a kind; what is one already may be shared."""
    if isinstance(values, Array) and (dtype is None or values.dtype is dtype):
        return values
    return Array(list(values) if dtype is None else list(map(dtype, values)))


def ravel(values: Array) -> Array:
    """Arrays here have one dimension."""
    return values


def zeros(n: int, dtype: type | Layout) -> Any:  # noqa: ANN401
    """So many zeros of a kind; of records none are made."""
    return Records(dtype, []) if isinstance(dtype, Layout) else full(n, dtype(0))


def ones(n: int, dtype: type) -> Array:
    """So many ones of a kind."""
    return full(n, dtype(1))


def full(n: int, value: Any) -> Array:  # noqa: ANN401
    """So many of a value."""
    return Array([value] * n)


def zeros_like(a: Array) -> Array:
    """Zeros of the same kind."""
    return full(len(a), a.dtype(0))


def empty_like(a: Array) -> Array:
    """Zeros; numpy's hold anything."""
    return zeros_like(a)


def arange(begin: int, end: int) -> Array:
    """Whole numbers, the last left out."""
    return Array(list(range(begin, end)))


def frombuffer(body: bytes | memoryview, dtype: Layout) -> Records:
    """Packed records."""
    return Records(dtype, [], body)


def concatenate(parts: Sequence[Any]) -> Any:  # noqa: ANN401 - arrays, or records
    """One after the other."""
    if isinstance(parts[0], Records):
        return Records(parts[0].layout, list(chain.from_iterable(part.rows for part in parts)))
    return Array(list(chain.from_iterable(parts)))


def append(a: Array, value: int) -> Array:
    """One more."""
    return Array([*a.values, value])


def diff(a: Array) -> Array:
    """Each less the one before."""
    return Array(list(map(operator.sub, a.values[1:], a.values[:-1])))


def cumsum(a: Array) -> Array:
    """Sums so far."""
    return Array(list(map(int, accumulate(a.values)) if a.dtype is bool else accumulate(a.values)))


def flatnonzero(a: Array) -> Array:
    """Positions of what is true or not zero."""
    return Array([place for place, value in enumerate(a.values) if value])


def count_nonzero(a: Array) -> int:
    """How many are true or not zero."""
    return len(a) - a.values.count(0)


def where(mask: Array, yes: Any, no: Any) -> Array:  # noqa: ANN401 - arrays or numbers
    """From the one where the mask is true, else from the other."""
    n = len(mask)
    pairs = zip(mask.values, operand(yes, n), operand(no, n), strict=False)
    return Array([a if true else b for true, a, b in pairs])


def abs(a: Array) -> Array:  # noqa: A001 - numpy's name
    """Without their signs."""
    return Array(list(map(operator.abs, a.values)))


def divmod(a: Array, b: int) -> tuple[Array, Array]:  # noqa: A001 - numpy's name
    """Quotients rounded down, and rests."""
    return a // b, Array([value % b for value in a.values])


def clip(a: Array, least: Any, most: Any) -> Array:  # noqa: ANN401
    """Within bounds."""
    return minimum(maximum(a, least), most)


def ceil(a: Array) -> Array:
    """Rounded up, as integers."""
    return Array(list(map(math.ceil, a.values)))


def log(a: Array) -> Array:
    """Natural logarithms; the last bit may differ from numpy's."""
    return Array(list(map(math.log, a.values)))


def sort(a: Array, axis: int | None = None) -> Array:  # noqa: ARG001 - numpy's signature
    """Rising."""
    return Array(sorted(a.values))


def argsort(a: Array, kind: str) -> Array:  # noqa: ARG001 - always stable
    """Positions in rising order of value."""
    return Array(sorted(range(len(a)), key=a.values.__getitem__))


def lexsort(keys: Sequence[Array]) -> Array:
    """Positions in order of the last key, then of the one before it, and so on."""
    rows = list(zip(*(key.values for key in reversed(keys)), strict=True))
    return Array(sorted(range(len(rows)), key=rows.__getitem__))


def searchsorted(a: Array, values: Any, side: str = "left") -> Any:  # noqa: ANN401
    """Where values would go into a rising array: before equals, or after."""
    find = bisect.bisect_left if side == "left" else bisect.bisect_right
    return Array(list(map(find, repeat(a.values), values)))


def unique(a: Array, *, return_index: bool = False, return_counts: bool = False) -> Any:  # noqa: ANN401
    """Distinct values, rising; the position of the first of each, or how many there are."""
    if return_counts:
        counts = Counter(a.values)
        values = sorted(counts)
        return Array(values), Array([counts[value] for value in values])
    first = dict(zip(reversed(a.values), range(len(a) - 1, -1, -1), strict=True))
    values = sorted(first)
    return (Array(values), Array([first[value] for value in values])) if return_index else Array(values)


def union1d(a: Array, b: Array) -> Array:
    """Values of either, rising."""
    return Array(sorted({*a.values, *b.values}))


def setdiff1d(a: Array, b: Array) -> Array:
    """Values of the one that the other has not, rising."""
    return Array(sorted({*a.values} - {*b.values}))


def isin(a: Array, b: Array) -> Array:
    """Whether each is among the others."""
    among = set(b.values)
    return Array([value in among for value in a.values])


def bincount(a: Array) -> Array:
    """How often each number from 0 is there."""
    counts = Counter(a.values)
    return Array([counts[value] for value in range(max(counts, default=-1) + 1)])


def median(a: Array) -> float:
    """The middle one, or the mean of the two."""
    ordered = sorted(map(float, a.values))
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
