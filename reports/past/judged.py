"""Reads judged slots out of a store: days that are kept as they were judged, the others from their roll-ups.

Where the store keeps what is worked out of it (`telemetry.store.derived`), a day that has passed is judged once and kept until the store
writes that day again, so that a restart reads a hundredth of the bytes. The figures are the same bits either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.slots import SlotGrid, empty_slots, put_rollups
from analytics.history import METRICS
from analytics.lines import Lines
from reports.past.floors import rollups_to_judge, tells_of_trouble
from reports.past.kept_days import KeptDays
from telemetry.store.derived import Deriving
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SLOT_NS, SLOTS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from config.profiles import Limits
    from telemetry.store.protocol import RollupReader
    from telemetry.store.tables import RollupTable

DAYS_PER_READ: Final = 3
"""Arrays of a week are so large that the system takes them back each time: with these there are a fortieth of the page faults."""


@dataclass(frozen=True, slots=True)
class JudgedSpan:
    """Slots `first` to before `last` of some lines under some limit sets, of what begins before `until_ns`."""

    lines: Lines
    limits: tuple[Limits, ...]
    first: int
    last: int
    until_ns: int


def read_judged(
    reader: RollupReader, span: JudgedSpan, *, with_figures: bool
) -> tuple[SlotGrid, NDArray[np.float32] | None]:
    """The slots of a span, and where they are wanted their figures (6, S, P, T) in the order of `METRICS`.

    An office at a time, so that beside the answer three days of one office's window values is in memory.

    Raises:
        StoreError: the store cannot be read.
    """
    out = empty_slots(span.lines, len(span.limits), span.first, max(span.last - span.first, 0))
    figures = _no_figures(out) if with_figures else None
    kept = None
    if isinstance(reader, Deriving):
        kept = KeptDays.of(reader.derived, span.lines.paths, span.limits)
    for index, site in enumerate(span.lines.sites):
        office = _Office(reader, span, site, kept)
        office.read(with_figures=with_figures)
        office.copy_into(out, figures, index)
    return out, figures


class _Office:
    """One office over the whole days that a span touches."""

    def __init__(self, reader: RollupReader, span: JudgedSpan, site: str, kept: KeptDays | None) -> None:
        self._reader, self._span, self._kept = reader, span, kept
        self._lines = Lines((site,), span.lines.paths)
        first, last = span.first // SLOTS_PER_DAY, -(-span.last // SLOTS_PER_DAY)
        self._days = range(first * DAY_NS, last * DAY_NS, DAY_NS)
        slots = len(self._days) * SLOTS_PER_DAY
        self._grid = empty_slots(self._lines, len(span.limits), first * SLOTS_PER_DAY, slots)
        self._figures: NDArray[np.float32] | None = None

    def read(self, *, with_figures: bool) -> None:
        """Fill in what is there."""
        marks = self._marks()
        if with_figures:
            self._figures = _no_figures(self._grid)
        found: set[int] = set()
        if self._kept is not None and marks:
            passed = {day: mark for day, mark in marks.items() if self._has_passed(day)}
            found = self._kept.found(self._grid, self._figures, passed)
        wanted = [day for day in self._days if day not in found and (marks is None or day in marks)]
        if not wanted:
            return
        figures = _no_figures(self._grid) if self._figures is None else self._figures
        for start_ns, end_ns in _runs(wanted):
            self._judge(start_ns, end_ns, figures)
        if self._kept is not None and marks:
            fresh = {day: marks[day] for day in wanted if self._has_passed(day)}
            self._kept.keep(self._grid, figures, fresh, min(marks))

    def copy_into(self, grid: SlotGrid, figures: NDArray[np.float32] | None, index: int) -> None:
        """The slots of the span, into the place of one office."""
        here = slice(grid.first_slot - self._grid.first_slot, grid.end_slot - self._grid.first_slot)
        grid.measured[index] = self._grid.measured[0, :, here]
        grid.received_ns[index] = self._grid.received_ns[0, :, here]
        grid.broken[:, index] = self._grid.broken[:, 0, :, here]
        grid.strain[:, index] = self._grid.strain[:, 0, :, here]
        if figures is not None and self._figures is not None:
            figures[:, index] = self._figures[:, 0, :, here]

    def _marks(self) -> Mapping[int, int] | None:
        """The mark of each day that the store has roll-ups of, read before them; None where it does not say."""
        if self._kept is None or not isinstance(self._reader, Deriving) or not self._days:
            return None
        return self._reader.day_marks(self._lines.sites[0], self._days.start, self._days.stop)

    def _has_passed(self, day_ns: int) -> bool:
        return day_ns + DAY_NS <= self._span.until_ns

    def _judge(self, start_ns: int, end_ns: int, figures: NDArray[np.float32]) -> None:
        """Of days that have passed all, so that they can be kept; else no more than the span asks for."""
        span = self._span
        if self._kept is None or not self._has_passed(start_ns):
            start_ns = max(start_ns, span.first * SLOT_NS)
        if self._kept is None or not self._has_passed(end_ns - DAY_NS):
            end_ns = min(end_ns, span.last * SLOT_NS, span.until_ns)
        table = self._rollups(start_ns, end_ns)
        day_ns = start_ns // DAY_NS * DAY_NS
        if len(table) and start_ns > day_ns and tells_of_trouble(table):
            table = self._rollups(
                day_ns, end_ns
            )  # of a day a probe is believed for an hour, not of each look at it
        if len(table):
            put_rollups(self._grid, table, span.limits, figures=figures)

    def _rollups(self, start_ns: int, end_ns: int) -> RollupTable:
        selection = Selection(start_ns, end_ns, sites=self._lines.sites)
        return rollups_to_judge(self._reader, self._lines, self._span.limits, selection)


def _runs(days: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(start, end) of days in a row, at most `DAYS_PER_READ` of them."""
    first = 0
    for at in range(1, len(days) + 1):
        if at == len(days) or at - first == DAYS_PER_READ or days[at] != days[at - 1] + DAY_NS:
            yield days[first], days[at - 1] + DAY_NS
            first = at


def _no_figures(grid: SlotGrid) -> NDArray[np.float32]:
    return np.full((len(METRICS), *grid.measured.shape), np.nan, dtype=np.float32)
