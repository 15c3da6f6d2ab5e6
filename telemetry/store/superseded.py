"""Imported roll-ups that have given way to measured ones which came later: figures go by what was measured, replays by what was known.

A store keeps them apart (`StoreReader.superseded`), so that no other read has a slot twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from telemetry.line_slots import NEVER
from telemetry.store import assembly
from telemetry.store.columns import KEY_COLUMNS
from telemetry.store.imported import is_among, of_other_tools
from telemetry.store.protocol import Selection
from telemetry.store.told import closes_ns
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from telemetry.store.tables import StreamTable

    Windows = Callable[[Selection], StreamTable]


def to_keep(rows: StreamTable, covering: StreamTable, windows: Windows) -> StreamTable:
    """Of the roll-ups of one site, in the inner form, those of other tools that measured ones cover which came later.

    Args:
        rows: roll-ups that do not stand, of whatever origin.
        covering: the roll-ups that do; those of other tools cover nothing.
        windows: reads the windows that are left of a span. Without them a measured slot came as a whole when the last of it did.
    """
    covered = of_other_tools(rows)
    if covered.any():  # seldom: nothing else is looked at then
        measured = assembly.rows_where(covering, ~of_other_tools(covering))
        covered &= is_among(rows, measured)
        covered[covered] = told_before(assembly.rows_where(rows, covered), measured)
    kept = assembly.rows_where(rows, covered)
    if len(kept):
        slots = kept.columns["start_ns"]
        span = Selection(int(slots.min()), int(slots.max()) + SLOT_NS, sites=kept.sites)
        kept = assembly.rows_where(kept, told_before(kept, windows(span)))
    return kept


def told_before(rows: StreamTable, others: StreamTable) -> NDArray[np.bool_]:
    """(n,): which roll-ups (inner form) were known, their slots closed, before anything came that others say of the same slots.

    What comes of a slot until it closes is one: then the others count, as `telemetry.store.told` has it.

    Args:
        rows: (n,) roll-ups.
        others: roll-ups, or windows.
    """
    both = assembly.concatenate([_keys(rows), _keys(others)])
    keys = np.stack([both.columns[name].astype(np.int64) for name in ("site", "path", "start_ns")])
    _, slot = np.unique(keys, axis=1, return_inverse=True)
    slot, count = slot.ravel(), len(rows)
    first_ns = np.full(int(slot.max(initial=-1)) + 1, NEVER)
    np.minimum.at(first_ns, slot[count:], both.columns["received_ns"][count:])
    known_ns = np.maximum(rows.columns["received_ns"], closes_ns(rows.columns["start_ns"] // SLOT_NS))
    return np.asarray(first_ns[slot[:count]] > known_ns)


def _keys(table: StreamTable) -> StreamTable:
    """The key columns alone, by slot."""
    columns = {name: table.columns[name] for name in KEY_COLUMNS}
    columns["start_ns"] = columns["start_ns"] // SLOT_NS * SLOT_NS
    return replace(table, columns=columns, histograms={})
