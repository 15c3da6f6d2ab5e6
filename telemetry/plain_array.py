"""A one-dimensional array over a Python list, with as much of numpy's behaviour as `probes` and `telemetry.metrics` use.

Values are `int`, `float` or `bool`, all of one kind. Integers never wrap: who relies on 32 bits masks them, in either
library. Parts are copies where numpy's are views.
"""

from __future__ import annotations

import operator
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUFFER: Final = 8192
"""numpy converts integers so many at a time before it adds them up."""
_UNROLLED: Final = 8
_BLOCK: Final = 128


class Array:
    """See the module. Arithmetic is element by element, with an array of the same length or with a number."""

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("values",)

    def __init__(self, values: list[Any]) -> None:
        """Takes the list over; nobody else may change it."""
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __repr__(self) -> str:
        return f"Array({self.values!r})"

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - a number, a slice, a mask, or positions
        """One value for a number; else a new array."""
        if isinstance(key, Array):
            return Array(chosen(self.values, key))
        if isinstance(key, slice):
            return Array(self.values[key])
        return self.values[key]

    def __setitem__(self, key: Any, value: Any) -> None:  # noqa: ANN401 - as above
        """Put one value, or as many as are meant, in the place of those."""
        if isinstance(key, slice):
            places: Any = range(*key.indices(len(self.values)))
        elif isinstance(key, Array):
            places = positions(key)
        else:
            self.values[key] = value
            return
        new = value.values if isinstance(value, Array) else repeat(value, len(places))
        for place, one in zip(places, new, strict=True):
            self.values[place] = one

    @property
    def dtype(self) -> type:
        """`bool`, `int` or `float`; `int` for an empty array."""
        return type(self.values[0]) if self.values else int

    def _with(self, other: Any, what: Callable[[Any, Any], Any]) -> Array:  # noqa: ANN401
        return Array(list(map(what, self.values, operand(other, len(self.values)))))

    def _after(self, other: Any, what: Callable[[Any, Any], Any]) -> Array:  # noqa: ANN401
        return Array(list(map(what, operand(other, len(self.values)), self.values)))

    def __add__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.add)

    def __radd__(self, other: Any) -> Array:  # noqa: ANN401
        return self._after(other, operator.add)

    def __sub__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Array:  # noqa: ANN401
        return self._after(other, operator.sub)

    def __mul__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.mul)

    def __rmul__(self, other: Any) -> Array:  # noqa: ANN401
        return self._after(other, operator.mul)

    def __truediv__(self, other: Any) -> Array:  # noqa: ANN401
        """As numpy: both are made floats first, then divided."""
        floats = map(float, self.values)
        return Array(list(map(operator.truediv, floats, operand(other, len(self.values)))))

    def __rtruediv__(self, other: Any) -> Array:  # noqa: ANN401
        return Array([float(other) / value for value in map(float, self.values)])

    def __floordiv__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.floordiv)

    def __rpow__(self, other: Any) -> Array:  # noqa: ANN401
        return self._after(other, operator.pow)

    def __lshift__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.lshift)

    def __rshift__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.rshift)

    def __and__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.and_)

    def __or__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.or_)

    def __neg__(self) -> Array:
        return Array(list(map(operator.neg, self.values)))

    def __invert__(self) -> Array:
        """The opposite of a mask."""
        return Array(list(map(operator.not_, self.values)))

    def __lt__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.lt)

    def __le__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.le)

    def __gt__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.gt)

    def __ge__(self, other: Any) -> Array:  # noqa: ANN401
        return self._with(other, operator.ge)

    def __eq__(self, other: object) -> Array:  # type: ignore[override]
        return self._with(other, operator.eq)

    def __ne__(self, other: object) -> Array:  # type: ignore[override]
        return self._with(other, operator.ne)

    def tolist(self) -> list[Any]:
        """The values."""
        return list(self.values)

    def copy(self) -> Array:
        """An array of its own."""
        return Array(self.values[:])

    def astype(self, kind: type) -> Array:
        """As integers (cut off), floats or booleans."""
        return Array(list(map(kind, self.values)))

    def all(self) -> bool:
        """Whether none is false or zero."""
        return all(self.values)

    def any(self) -> bool:
        """Whether one is true or not zero."""
        return any(self.values)

    def sum(self, dtype: object = None) -> Any:  # noqa: ANN401, ARG002 - numpy's signature
        """The sum; of floats in numpy's order of adding."""
        return pairwise(self.values) if self.dtype is float else sum(self.values)

    def mean(self) -> float:
        """The sum as numpy adds floats, by the count."""
        values = self.values
        if self.dtype is float:
            return pairwise(values) / len(values)
        total = 0.0
        for begin in range(0, len(values), BUFFER):
            total += pairwise(list(map(float, values[begin : begin + BUFFER])))
        return total / len(values)

    def min(self) -> Any:  # noqa: ANN401
        """The least."""
        return min(self.values)

    def max(self, *, initial: Any = None) -> Any:  # noqa: ANN401
        """The greatest; `initial` for none, or where it is greater."""
        return max(self.values) if initial is None else max(chain((initial,), self.values))

    def argmax(self) -> int:
        """Position of the (first) greatest."""
        return self.values.index(max(self.values))


def operand(other: Any, length: int) -> Any:  # noqa: ANN401
    """Values to go with as many of an array.

    Raises:
        ValueError: an array of another length.
    """
    if isinstance(other, Array):
        if len(other.values) != length:
            raise ValueError(f"{length} values do not go with {len(other.values)}")
        return other.values
    # a member of an enumeration is slow to calculate with
    return repeat(int(other) if isinstance(other, int) and type(other) is not bool else other, length)


def positions(key: Array) -> list[int]:
    """Where a mask is true; positions are what they are."""
    values = key.values
    if values and type(values[0]) is bool:
        return [place for place, true in enumerate(values) if true]
    return values


def chosen(values: list[Any], key: Array) -> list[Any]:
    """The values that a mask, or positions, name.

    Raises:
        IndexError: a mask of another length, or a position that is not there.
    """
    if key.values and type(key.values[0]) is bool and len(key.values) != len(values):
        raise IndexError(f"a mask of {len(key.values)} for {len(values)}")
    return list(map(values.__getitem__, positions(key)))


def pairwise(values: list[float]) -> float:
    """The sum in the order in which numpy adds: eight at a time in blocks of 128, halves above that.

    Source: numpy, `loops_utils.h.src`, pairwise summation.
    """
    n = len(values)
    if n > _BLOCK:
        half = n // 2
        half -= half % _UNROLLED
        return pairwise(values[:half]) + pairwise(values[half:])
    if n < _UNROLLED:
        return _in_turn(0.0, values)
    whole = n - n % _UNROLLED
    r = [_in_turn(values[lane], values[lane + _UNROLLED : whole : _UNROLLED]) for lane in range(_UNROLLED)]
    together = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
    return _in_turn(together, values[whole:])


def _in_turn(total: float, values: list[float]) -> float:
    """One after the other (`sum` of newer Pythons adds more exactly than that)."""
    for value in values:
        total += value
    return total
