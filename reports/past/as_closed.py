"""Roll-ups as they stood when each slot was told, for replays: what came later is not in them.

A roll-up is made of all windows of its slot and says when the last of them came. Before that a replay could not know it, and would read
silence where a part was there all the while: of a slot within which contact was lost, or of a backlog some of which was sent again. So a
slot is told once: when it closes, or a minute after the first of it came, and is what had come by then, for good. The windows that tell
are kept as long as raw windows are; without them a late slot is late as a whole. Of an imported slot of which some rows came late those
have a roll-up of their own (`tatpar.importing`), which a replay leaves out. Where what was measured came after what was imported, a
replay has the latter, for good (`telemetry.store.superseded`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.floor import asks_floor
from analytics.forecast.seen import closing_ns
from analytics.lines import Lines
from reports.past.judged import JudgedSpan, read_judged
from telemetry.line_slots import NEVER
from telemetry.store import assembly
from telemetry.store.imported import is_among
from telemetry.store.protocol import Selection
from telemetry.store.rollup import CLOSED_AFTER_NS
from telemetry.store.rollup_tables import as_rollups, as_windows, wanted_rollups
from telemetry.store.told import Told, closes_ns
from telemetry.windows import DAY_NS, SLOT_NS, SLOTS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import RollupTable, StreamTable

_GRID: Final = ("measured", "received_ns", "broken", "strain")


def read_as_closed(reader: StoreReader, span: JudgedSpan) -> SlotGrid:
    """The slots of a span as a replay knows them; those of which all came in time are as `read_judged` has them.

    Only the days of late slots are judged again. Where a limit is above the line's own floor every day is: the days before speak in it.

    Raises:
        StoreError: the store cannot be read.
    """
    closed = AsClosed(reader)
    if asks_floor(span.limits):
        return read_judged(closed, span, with_figures=False)[0]
    grid, _ = read_judged(reader, span, with_figures=False)
    late = grid.received_ns > closing_ns(grid.first_slot, grid.measured.shape[-1], SLOT_NS)
    for row, site in enumerate(span.lines.sites):
        slots = np.flatnonzero(late[row].any(axis=0)) + grid.first_slot
        for day in np.unique(slots // SLOTS_PER_DAY).tolist():
            first, last = max(day * SLOTS_PER_DAY, span.first), min((day + 1) * SLOTS_PER_DAY, span.last)
            lines = Lines((site,), span.lines.paths)
            again = replace(span, lines=lines, first=first, last=last)
            _lay(grid, read_judged(closed, again, with_figures=False)[0], row)
    return grid


def _lay(grid: SlotGrid, part: SlotGrid, row: int) -> None:
    """Some slots of one office, into its place."""
    here = slice(part.first_slot - grid.first_slot, part.end_slot - grid.first_slot)
    for name in _GRID:
        getattr(grid, name)[..., row, :, here] = getattr(part, name)[..., 0, :, :]


class AsClosed:
    """A store's roll-ups, of which those that were mended are made again from the windows as they stood when the slot was told."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    def rollups(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """The roll-ups of a selection; `received_ns` of one that came late is when it was told. See `RollupReader.rollups`."""
        table = self._reader.rollups(
            selection, histograms=histograms, columns=columns, window_values=window_values
        )
        names = wanted_rollups(columns, window_values)
        every = as_windows(table, names, histograms=histograms)
        late = assembly.rows_where(every, _closes_ns(every) < every.columns["received_ns"])
        if not len(late):
            return table
        before = as_windows(
            self._reader.superseded(
                _span_of(late, selection.paths),
                histograms=histograms,
                columns=columns,
                window_values=window_values,
            ),
            names,
            histograms=histograms,
        )
        kept = every
        if len(before):
            late = assembly.rows_where(late, ~is_among(late, before))
            kept = assembly.concatenate([assembly.rows_where(kept, ~is_among(kept, before)), before])
        again = [as_windows(part, names, histograms=histograms) for part in self._told(late)]
        for made in again:
            kept = assembly.rows_where(kept, ~is_among(kept, made))
        return as_rollups(assembly.tidied(assembly.concatenate([_first_of_twins(kept), *again])))

    def _told(self, late: StreamTable) -> Iterator[RollupTable]:
        """Late slots made again, an office's day at a time: so much of raw windows lies together."""
        day = late.columns["start_ns"] // DAY_NS
        for site, of_day in np.unique(np.stack([late.columns["site"], day]), axis=1).T.tolist():
            mine = assembly.rows_where(late, (late.columns["site"] == site) & (day == of_day))
            slots = mine.columns["start_ns"]
            span = Selection(int(slots.min()), int(slots.max()) + SLOT_NS, sites=(late.sites[site],))
            table = _of_slots(self._reader.streams(span), mine)
            if len(table):
                told = Told.of(*(table.columns[name] for name in ("path", "start_ns", "received_ns")))
                yield told.roll_up(assembly.rows_where(table, told.had))


def _first_of_twins(table: StreamTable) -> StreamTable:
    """Of roll-ups of one line and slot that cannot be made again those that were known first: all that came in time, else the first.

    A late one is told a minute after the last of it: that is no sooner than a minute after the first, and what comes in between was there.
    """
    keys = np.stack([table.columns[name].astype(np.int64) for name in ("site", "path", "start_ns")])
    _, slot = np.unique(keys, axis=1, return_inverse=True)
    first_ns = np.full(int(slot.max(initial=-1)) + 1, NEVER)
    np.minimum.at(first_ns, slot.ravel(), table.columns["received_ns"])
    at_closing_ns, came_ns = _closes_ns(table), table.columns["received_ns"]
    told_ns = np.where(came_ns > at_closing_ns, came_ns + CLOSED_AFTER_NS, came_ns)
    told = replace(table, columns={**table.columns, "received_ns": told_ns})
    return assembly.rows_where(told, came_ns <= np.maximum(first_ns[slot.ravel()], at_closing_ns))


def _span_of(late: StreamTable, paths: tuple[str, ...]) -> Selection:
    slots = late.columns["start_ns"]
    sites = tuple(late.sites[code] for code in np.unique(late.columns["site"]).tolist())
    return Selection(int(slots.min()), int(slots.max()) + SLOT_NS, sites=sites, paths=paths)


def _of_slots(windows: StreamTable, slots: StreamTable) -> StreamTable:
    """The windows of some lines' slots."""
    start_ns = windows.columns["start_ns"] // SLOT_NS * SLOT_NS
    of_slot = replace(windows, columns={**windows.columns, "start_ns": start_ns})
    return assembly.rows_where(windows, is_among(of_slot, slots))


def _closes_ns(table: StreamTable) -> NDArray[np.int64]:
    """(R,) of roll-ups in the inner form."""
    return closes_ns(table.columns["start_ns"] // SLOT_NS)
