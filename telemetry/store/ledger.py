"""Which reports are accounted for: per (site, probe, epoch) what is stored, written off, and still missing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import Final, NamedTuple

from telemetry.intervals import IntervalSet


class Hole(NamedTuple):
    """An inclusive range of seq that was passed over, and when that was noticed."""

    first: int
    last: int
    noticed_ns: int


_first_of: Final = attrgetter("first")
_last_of: Final = attrgetter("last")


class Account:
    """The account of one epoch.

    Stored and written off are kept apart: a report that a probe wrote off may still be on its way, and is then taken.
    """

    __slots__ = ("holes", "stored", "written_off")

    def __init__(self) -> None:
        self.stored = IntervalSet()
        self.written_off = IntervalSet()
        self.holes: list[Hole] = []

    def copy(self) -> Account:
        """An independent copy."""
        twin = Account()
        twin.stored = self.stored.copy()
        twin.written_off = self.written_off.copy()
        twin.holes = list(self.holes)
        return twin

    def take(self, seq: int, received_ns: int) -> bool:
        """Account for a report; False when it is stored already."""
        top = self.top
        if not self.stored.add(seq):
            return False
        if seq > top + 1:
            self.holes.append(Hole(top + 1, seq - 1, received_ns))
        elif seq <= top and self.holes:
            self._fill(seq, seq)
        return True

    def write_off(self, first: int, last: int, received_ns: int) -> None:
        """Account for a range that the probe had to drop.

        Raises:
            ValueError: the range runs backwards.
        """
        top = self.top
        self.written_off.add_range(first, last)
        if first > top + 1:
            self.holes.append(Hole(top + 1, first - 1, received_ns))
        elif first <= top and self.holes:
            self._fill(first, last)

    def accounted(self) -> IntervalSet:
        """Stored or written off."""
        both = self.stored.copy()
        for first, last in self.written_off:
            both.add_range(first, last)
        return both

    @property
    def top(self) -> int:
        """The greatest seq accounted for; 0 before the first, since probes count from 1."""
        return max(self.stored.top or 0, self.written_off.top or 0)

    def _fill(self, first: int, last: int) -> None:
        begin = bisect_left(
            self.holes, first, key=_last_of
        )  # holes rise: a long list costs a search, not a walk
        end = bisect_right(self.holes, last, key=_first_of)
        left: list[Hole] = []
        for hole in self.holes[begin:end]:
            if hole.first < first:
                left.append(Hole(hole.first, first - 1, hole.noticed_ns))
            if last < hole.last:
                left.append(Hole(last + 1, hole.last, hole.noticed_ns))
        self.holes[begin:end] = left
