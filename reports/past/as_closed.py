"""Slots as they stood when they closed: of one that was mended later the part that had come in time.

A roll-up says when the last of its windows came, and a replay sees nothing of it before. Where an office lost contact within a slot, what
it had sent until then was there all the same, as it would have been if the rest had never come. So such a slot is what had come in time,
for good; the windows that tell it are kept as long as raw windows are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.seen import closing_ns
from analytics.forecast.slots import empty_slots, put_rollups
from analytics.lines import Lines
from reports.past.floors import rollups_to_judge
from telemetry.store.protocol import Selection
from telemetry.store.rollup import CLOSED_AFTER_NS
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from config.profiles import Limits
    from telemetry.store.protocol import StoreReader


def put_as_closed(grid: SlotGrid, reader: StoreReader, limits: Sequence[Limits]) -> None:
    """Lay what had come in time of late slots into a grid, in place; those of which nothing had stay as they are.

    Args:
        grid: of a span, whenever it came.
        reader: of the store that it was read from.
        limits: the grid's L limit sets.

    Raises:
        StoreError: the store cannot be read.
    """
    late = grid.received_ns > closing_ns(grid.first_slot, grid.measured.shape[-1], SLOT_NS)
    for row, site in enumerate(grid.lines.sites):
        lines = Lines((site,), grid.lines.paths)
        for first, last in _runs(np.flatnonzero(late[row].any(axis=0)) + grid.first_slot):
            for slot in _begun(reader, site, first, last):
                closed, at = _closed(reader, lines, limits, slot), slot - grid.first_slot
                paths = np.flatnonzero(late[row, :, at] & (closed.measured[0, :, 0] > 0))
                for name in ("measured", "received_ns", "broken", "strain"):
                    getattr(grid, name)[..., row, paths, at] = getattr(closed, name)[..., 0, paths, 0]


def _begun(reader: StoreReader, site: str, first: int, last: int) -> list[int]:
    """The slots `first` to before `last` of which some window had come when they closed."""
    span = Selection(first * SLOT_NS, last * SLOT_NS, sites=(site,))
    columns = reader.streams(span, histograms=False, columns=()).columns
    slot = np.asarray(columns["start_ns"], np.int64) // SLOT_NS
    in_time = np.asarray(columns["received_ns"], np.int64) <= (slot + 1) * SLOT_NS + CLOSED_AFTER_NS
    return [int(each) for each in np.unique(slot[in_time])]


def _closed(reader: StoreReader, lines: Lines, limits: Sequence[Limits], slot: int) -> SlotGrid:
    """One slot of an office as it was known when it closed; read with the day up to it, on which depends what is believed of a probe in trouble."""
    end_ns = (slot + 1) * SLOT_NS
    day_ns = slot * SLOT_NS // DAY_NS * DAY_NS
    span = Selection(day_ns, end_ns, sites=lines.sites, as_of_ns=end_ns + CLOSED_AFTER_NS)
    out = empty_slots(lines, len(limits), slot, 1)
    put_rollups(out, rollups_to_judge(reader, lines, limits, span), limits)
    return out


def _runs(slots: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """(first, last + 1) of numbers in a row."""
    for run in np.split(slots, np.flatnonzero(np.diff(slots) > 1) + 1):
        if len(run):
            yield int(run[0]), int(run[-1]) + 1
