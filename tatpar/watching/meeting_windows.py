"""The windows of a meeting's offices as grids, read from the store; of an old one from its roll-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.lines import Lines
from analytics.one_window import counted_once, fullest
from analytics.own_trouble import TROUBLE_COLUMNS
from reports.past.floors import without_trouble
from telemetry.store.assembly import rows_at
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.protocol import Selection
from telemetry.windows import SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT, slot_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemetry.store.protocol import StoreReader


def meeting_windows(
    reader: StoreReader, sites: Sequence[str], starts: NDArray[np.int64]
) -> tuple[Lines, dict[str, NDArray[np.float32]]]:
    """(S, P, W) values of the windows that begin at `starts` (W,), by column: `WINDOW_VALUE_COLUMNS`, and `TROUBLE_COLUMNS` where they are kept.

    The windows themselves are read, or roll-ups where those are gone: of these, what a probe's trouble could explain is left out already.

    Raises:
        StoreError: the store cannot be read.
    """
    span = Selection(int(starts[0]), int(starts[-1]) + WINDOW_NS, sites=tuple(sites))
    table = reader.streams(span, histograms=False, columns=(*WINDOW_VALUE_COLUMNS, *TROUBLE_COLUMNS))
    if len(table):
        table = rows_at(table, fullest(table))
        lines = Lines(tuple(sites), table.paths)
        cell = lines.places(table)
        index = (np.asarray(table.columns["start_ns"], dtype=np.int64) - starts[0]) // WINDOW_NS
        return lines, {
            name: _grid((*lines.shape, len(starts)), (*cell, index), table.columns[name])
            for name in (*WINDOW_VALUE_COLUMNS, *TROUBLE_COLUMNS)
        }
    return _rolled_windows(reader, sites, starts)


def _rolled_windows(
    reader: StoreReader, sites: Sequence[str], starts: NDArray[np.int64]
) -> tuple[Lines, dict[str, NDArray[np.float32]]]:
    first_slot = slot_start(int(starts[0]))
    span = Selection(first_slot, int(starts[-1]) + WINDOW_NS, sites=tuple(sites))
    table = without_trouble(
        reader.rollups(span, histograms=False, columns=TROUBLE_COLUMNS, window_values=WINDOW_VALUE_COLUMNS)
    )
    lines = Lines(tuple(sites), table.paths)
    cell = lines.places(table)
    slot = (np.asarray(table.columns["slot_ns"], dtype=np.int64) - first_slot) // SLOT_NS
    slots = -(-(int(starts[-1]) + WINDOW_NS - first_slot) // SLOT_NS)
    offset = (int(starts[0]) - first_slot) // WINDOW_NS
    values = counted_once(table, table.window_values, np.arange(len(table)))
    out = {}
    for name in WINDOW_VALUE_COLUMNS:
        grid = np.full((*lines.shape, slots, WINDOWS_PER_SLOT), np.nan, dtype=np.float32)
        np.fmax.at(grid, (*cell, slot), values[name])  # each window is in one of them alone
        out[name] = grid.reshape(*lines.shape, slots * WINDOWS_PER_SLOT)[..., offset : offset + len(starts)]
    return lines, out


def _grid(
    shape: tuple[int, ...], cell: tuple[NDArray[np.int64], ...], column: NDArray[np.generic]
) -> NDArray[np.float32]:
    out = np.full(shape, np.nan, dtype=np.float32)
    out[cell] = column.astype(np.float32)
    return out
