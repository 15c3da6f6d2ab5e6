"""Roll-ups as they were known at a time: what came later is taken out of them, by every store alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.store import assembly
from telemetry.store.imported import is_among
from telemetry.store.protocol import Selection
from telemetry.store.rollup import CLOSED_AFTER_NS, roll_up
from telemetry.store.rollup_tables import as_windows
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telemetry.store.tables import StreamTable


def rollups_as_of(
    table: StreamTable, as_of_ns: int, names: Sequence[str], windows: Callable[[Selection], StreamTable]
) -> StreamTable:
    """The slots of a table that were closed by `as_of_ns`; those that changed since are made again.

    Args:
        table: roll-ups in the inner form (`rollup_tables.as_windows`).
        as_of_ns: what arrived later must not be seen.
        names: columns of the roll-ups.
        windows: reads the windows of a span of a site as of then, with all values and histograms.
    """
    table = assembly.rows_where(table, table.columns["start_ns"] + SLOT_NS + CLOSED_AFTER_NS <= as_of_ns)
    changed = table.columns["received_ns"] > as_of_ns
    stale = assembly.rows_where(table, changed)
    parts = [assembly.rows_where(table, ~changed)]
    for site in np.unique(stale.columns["site"]).tolist():
        slots = stale.columns["start_ns"][stale.columns["site"] == site]
        span = Selection(
            int(slots.min()), int(slots.max()) + SLOT_NS, sites=(table.sites[site],), as_of_ns=as_of_ns
        )
        again = as_windows(roll_up(windows(span)), names, histograms=bool(table.histograms))
        parts.append(assembly.rows_where(again, is_among(again, stale)))
    return assembly.concatenate(parts)
