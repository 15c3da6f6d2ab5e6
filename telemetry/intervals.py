"""Sets of integers kept as disjoint inclusive ranges: which seq have been seen."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class IntervalSet:
    """A mutable set of integers; cost grows with the number of ranges, not of members."""

    __slots__ = ("_first", "_last")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in ranges:
            self.add_range(first, last)

    def copy(self) -> IntervalSet:
        """An independent copy."""
        twin = IntervalSet()
        twin._first += self._first
        twin._last += self._last
        return twin

    def __contains__(self, value: int) -> bool:
        i = bisect_right(self._first, value) - 1
        return i >= 0 and value <= self._last[i]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._first, self._last, strict=True))

    def __len__(self) -> int:
        """Number of members."""
        return sum(self._last) - sum(self._first) + len(self._first)

    def __bool__(self) -> bool:
        return bool(self._first)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntervalSet) and (self._first, self._last) == (other._first, other._last)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"IntervalSet({list(self)!r})"

    def add(self, value: int) -> bool:
        """Add one member; False when it was there already."""
        if self._last and value == self._last[-1] + 1:  # the common case: the next in line
            self._last[-1] = value
            return True
        if value in self:
            return False
        self.add_range(value, value)
        return True

    def add_range(self, first: int, last: int) -> None:
        """Add every member of an inclusive range.

        Raises:
            ValueError: the range runs backwards.
        """
        if last < first:
            raise ValueError(f"range {first}..{last} runs backwards")
        i = bisect_right(self._last, first - 2)  # first range that touches or follows
        j = bisect_right(self._first, last + 1)  # one past the last that touches
        if i < j:
            first = min(first, self._first[i])
            last = max(last, self._last[j - 1])
        self._first[i:j] = [first]
        self._last[i:j] = [last]

    def holes(self, first: int, last: int) -> list[tuple[int, int]]:
        """The inclusive ranges within `first..last` that are not in the set."""
        out: list[tuple[int, int]] = []
        at = first
        for a, b in self:
            if b < at:
                continue
            if a > last:
                break
            if a > at:
                out.append((at, a - 1))
            at = b + 1
        if at <= last:
            out.append((at, last))
        return out

    @property
    def top(self) -> int | None:
        """The greatest member."""
        return self._last[-1] if self._last else None
