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
    names = ("site", "path", *keys)
    matrix = np.stack([both.columns[name].astype(np.int64) for name in names])
    order = np.lexsort(matrix[::-1])  # stable: of equal rows the first table's comes first
    sorted_keys = matrix[:, order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (sorted_keys[:, 1:] != sorted_keys[:, :-1]).any(axis=0)
    rows = np.sort(order[is_first])
    return both if len(rows) == len(both) else assembly.rows_at(both, rows)
