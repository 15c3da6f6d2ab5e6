"""Windows of the journal and of the server as one: those that both have are taken once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.store import assembly
from telemetry.store.assembly import COMMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.store.tables import StreamTable


def united(
    first: StreamTable, second: StreamTable, keys: Sequence[str] = ("probe", "start_ns", COMMIT)
) -> StreamTable:
    """The rows of the first table, and those of the second that it does not have by site, path and these columns."""
    if not len(second):
        return first
    if not len(first):
        return second
    both = assembly.concatenate([first, second])
    starts = both.columns["start_ns"]
    common = np.intersect1d(starts[: len(first)], starts[len(first) :])
    if not len(common):  # as nearly always: the journal has the newer time
        return both
    rows = np.flatnonzero(np.isin(starts, common))
    matrix = np.stack([both.columns[name][rows].astype(np.int64) for name in ("site", "path", *keys)])
    order = np.lexsort(matrix[::-1])  # stable: of equal rows the first table's comes first
    ordered = matrix[:, order]
    again = np.zeros(len(order), np.bool_)
    again[1:] = (ordered[:, 1:] == ordered[:, :-1]).all(axis=0)
    keep = np.ones(len(both), np.bool_)
    keep[rows[order[again]]] = False
    return assembly.rows_where(both, keep)
