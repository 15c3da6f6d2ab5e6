"""Rows of another origin: made complete, and compared with what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from telemetry.store import assembly, ragged
from telemetry.store.assembly import COMMIT
from telemetry.store.columns import HISTOGRAM_COLUMNS, KEY_COLUMNS
from telemetry.store.tables import StreamTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemetry.store.tables import RollupTable


def completed(table: StreamTable) -> StreamTable:
    """All columns and histograms in their fixed types; what the other origin does not have is absent."""
    rows = len(table)
    columns: dict[str, NDArray[Any]] = {
        name: np.asarray(table.columns[name], kind) for name, kind in KEY_COLUMNS.items()
    }
    columns[COMMIT] = np.zeros(rows, np.int64)
    for name in assembly.VALUE_COLUMNS:
        columns[name] = (
            np.asarray(table.columns[name], assembly.value_dtype(name))
            if name in table.columns
            else assembly.absent(name, rows)
        )
    histograms = {name: table.histograms.get(name, ragged.empty(rows)) for name in HISTOGRAM_COLUMNS}
    return StreamTable(table.sites, table.probes, table.paths, columns, histograms)


def of_other_tools(table: RollupTable | StreamTable) -> NDArray[np.bool_]:
    """(n,): which roll-ups, also in the inner form, were made of another tool's files (`tatpar history import`), told by the columns `emulated` and `stamps`.

    They are marked as not measured here, as is what the lab draws; but no such file says where packets were stamped,
    and the lab does. The probe's name tells nothing: the mapping may give any.
    """
    return np.asarray((table.columns["emulated"] == 1) & (table.columns["stamps"] == 0))


def is_among(rows: StreamTable, there: StreamTable) -> NDArray[np.bool_]:
    """Which rows have a (site, path, start_ns) that another table has too."""
    count = len(rows)
    if not count or not len(there):
        return np.zeros(count, np.bool_)
    both = [_site_and_path(table, rows) for table in (rows, there)]
    starts = np.concatenate([rows.columns["start_ns"], there.columns["start_ns"]])
    distinct, moment = np.unique(starts, return_inverse=True)
    line = np.concatenate(both)
    key = np.where(line < 0, -1, line * len(distinct) + moment)
    return np.isin(key[:count], key[count:])


def _site_and_path(table: StreamTable, names: StreamTable) -> NDArray[np.int64]:
    """One number for the (site, path) of each row in terms of another table's names; negative for none of them."""
    site = _positions(table.sites, names.sites)[table.columns["site"]]
    path = _positions(table.paths, names.paths)[table.columns["path"]]
    return np.where((site < 0) | (path < 0), -1, site * len(names.paths) + path)


def _positions(names: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.int64]:
    position = {name: i for i, name in enumerate(wanted)}
    return np.array([position.get(name, -1) for name in names], np.int64)
