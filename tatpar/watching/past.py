"""The past of all lines by the hour, and by the slot in blocks of offices: loaded once, refreshed and mended after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.climatology import Climatology, climatology, climatology_of
from analytics.forecast.slots import SlotGrid, empty_slots, joined_slots, merged_slots
from analytics.history import empty_history, joined, merged, of_slots, with_contact_lost
from analytics.hours import HOURS_PER_WEEK, HourSpan, local_hour, utc_bounds_ns
from analytics.lines import Lines
from reports.past.floors import floors_at
from reports.past.judged import JudgedSpan, read_judged
from tatpar.watching.history_blocks import HistoryInBlocks, block_of
from tatpar.watching.slot_blocks import SlotBlocks, bounds
from telemetry.store.by_blocks import InProcess
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from numpy.typing import NDArray

    from analytics.history import History
    from analytics.limits import LimitSets
    from telemetry.store.by_blocks import Blocks
    from telemetry.store.protocol import StoreReader

SLOTS_PER_WEEK: Final = HOURS_PER_WEEK * 12
SITES_PER_READ: Final = 8
OVERLAP_HOURS: Final = 1
"""A refresh reads the last hour again: its last slot closes a minute after its end."""
MOST_MENDED_HOURS: Final = 72
"""Late data older than this is taken up by the next full load."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a history is made for; another shape needs another load."""

    lines: Lines
    sets: LimitSets
    zone: tzinfo
    weeks: float


@dataclass(frozen=True, slots=True)
class Past:
    """History with what was worked out of it, complete up to `until_ns`."""

    shape: Shape
    history: History
    """As measured, without what loss of contact adds."""
    by_blocks: SlotBlocks
    """The same by the slot: what forecasts are made of."""
    climate: Climatology
    until_ns: int
    floor_ms: NDArray[np.float32] | None = None
    """(S, P) the lines' own floors of the hour of `until_ns`; None where no limit asks for them."""

    @property
    def slots(self) -> SlotGrid:
        """All slots at once; of a large fleet that is much."""
        return self.by_blocks.joined()


def nothing_known(shape: Shape, now_ns: int) -> Past:
    """The past before it is loaded: priors only."""
    history = empty_history(shape.lines, len(shape.sets.limits), local_hour(now_ns, shape.zone), 0)
    slots = empty_slots(shape.lines, len(shape.sets.limits), now_ns // SLOT_NS, 0)
    return Past(shape, history, SlotBlocks.nothing(slots), climatology(history), 0)


class PastReader:
    """Reads pasts out of a store; every call is bounded work a site block and may run in a thread of its own."""

    def __init__(
        self,
        reader: StoreReader,
        lost_windows: Callable[[Sequence[str], HourSpan], NDArray[np.int64]],
        progress: Callable[[int, int], None] = lambda _, __: None,
        *,
        blocks: Blocks | None = None,
        shelf: Path | None = None,
    ) -> None:
        """`lost_windows(sites, span)` counts, (S, T), the windows in which an office had lost contact.

        `blocks` does the reading, here unless it says otherwise; `progress(done, of)` counts offices of a load.
        `shelf`: the folder where the slots of a large fleet are put away; None: they stay in memory, squeezed.
        """
        self._shelf = shelf
        self._progress = progress
        self._reader = reader
        self._blocks = blocks or InProcess(reader)
        self._lost_windows = lost_windows

    def load(self, shape: Shape, now_ns: int, *, one_block: bool = False) -> Past:
        """The whole past that the shape asks for; `one_block`: of a few offices, held as it is."""
        size = len(shape.lines.sites) if one_block else None
        hours = int(shape.weeks * HOURS_PER_WEEK)
        end = local_hour(now_ns, shape.zone) + 1
        parts = self._read(shape, HourSpan(end - hours, hours, shape.zone), now_ns, size)
        return self._past(shape, parts, now_ns, size)

    def refresh(self, past: Past, now_ns: int, oldest_late_ns: int | None = None) -> Past:
        """A past brought up to now, and from `oldest_late_ns` on mended by what came late."""
        shape = past.shape
        end = local_hour(now_ns, shape.zone) + 1
        first = local_hour(past.until_ns, shape.zone) - OVERLAP_HOURS
        if oldest_late_ns is not None:
            first = min(first, max(local_hour(oldest_late_ns, shape.zone), end - MOST_MENDED_HOURS))
        parts = self._read(shape, HourSpan(first, max(end - first, 0), shape.zone), now_ns)
        return self._past(shape, _brought_up(past, parts), now_ns)

    def _past(
        self, shape: Shape, parts: Iterator[tuple[History, SlotGrid]], now_ns: int, size: int | None = None
    ) -> Past:
        """Put together out of the blocks, of which one is in memory at a time."""
        places = bounds(len(shape.lines.sites), size)
        hours = HistoryInBlocks(shape.lines, len(places), self._shelf)
        slots = SlotBlocks.of(_without_hours(parts, hours), shape.lines, self._shelf, size)
        history = hours.made()
        span = HourSpan(history.first_hour, len(history.hours), shape.zone)
        lost = self._lost_windows(shape.lines.sites, span)
        floor_ms = floors_at(self._reader, shape.lines, shape.sets.limits, now_ns)
        climate = climatology_of(
            with_contact_lost(block_of(history, number, place, with_figures=False), lost[place[0] : place[1]])
            for number, place in enumerate(places)
        )
        return Past(shape, history, slots, climate, now_ns, floor_ms)

    def _read(
        self, shape: Shape, span: HourSpan, now_ns: int, size: int | None = None
    ) -> Iterator[tuple[History, SlotGrid]]:
        """Block by block; a block is read some offices at a time, and the next ones may be under way meanwhile."""
        sites, paths = shape.lines.sites, shape.lines.paths
        jobs: list[BlockOfPast] = []
        ends: list[int] = []
        for first, last in bounds(len(sites), size):
            jobs += [
                BlockOfPast(shape, sites[at : min(at + SITES_PER_READ, last)], span, now_ns)
                for at in range(first, max(last, first + 1), SITES_PER_READ)
            ]
            ends.append(len(jobs))
        parts: list[tuple[History, SlotGrid]] = []
        for number, part in enumerate(self._blocks.each(read_block, jobs), start=1):
            parts.append(part)
            self._progress(min(number * SITES_PER_READ, len(sites)), len(sites))
            if number in ends:
                lines = Lines(tuple(site for _, grid in parts for site in grid.lines.sites), paths)
                yield (
                    joined(lines, [history for history, _ in parts]),
                    joined_slots(lines, [slots for _, slots in parts]),
                )
                parts = []


def _without_hours(parts: Iterator[tuple[History, SlotGrid]], hours: HistoryInBlocks) -> Iterator[SlotGrid]:
    """The slots of each block, after its hours were laid to those of the others."""
    for history, grid in parts:
        hours.add(history)
        yield grid


def _brought_up(past: Past, parts: Iterator[tuple[History, SlotGrid]]) -> Iterator[tuple[History, SlotGrid]]:
    """The blocks of a past with what is new of each."""
    weeks, places = past.shape.weeks, past.by_blocks.bounds()
    for number, (history, grid) in enumerate(parts):
        before = block_of(past.history, number, places[number])
        yield (
            merged(before, history, int(weeks * HOURS_PER_WEEK)),
            merged_slots(past.by_blocks.grid(number), grid, int(weeks * SLOTS_PER_WEEK)),
        )


@dataclass(frozen=True, slots=True)
class BlockOfPast:
    """The past of some sites of a shape over a span, as far as it is there at `now_ns`."""

    shape: Shape
    sites: tuple[str, ...]
    span: HourSpan
    now_ns: int


def read_block(reader: StoreReader, job: BlockOfPast) -> tuple[History, SlotGrid]:
    """Read one block and sum it up by the hour."""
    lines, limits, span = Lines(job.sites, job.shape.lines.paths), job.shape.sets.limits, job.span
    start_ns, end_ns = utc_bounds_ns(span)
    first, last = start_ns // SLOT_NS, -(-end_ns // SLOT_NS)
    grid, figures = read_judged(
        reader, JudgedSpan(lines, limits, first, max(last, first), job.now_ns), with_figures=True
    )
    assert figures is not None
    times_ns = np.arange(grid.first_slot, grid.end_slot, dtype=np.int64) * SLOT_NS
    return of_slots(lines, span, (times_ns, grid.measured, grid.broken), figures), grid
