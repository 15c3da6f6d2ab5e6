"""Stream tables put together: from envelopes, from parts of other tables, filtered and in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry.messages import Stream
from telemetry.store import ragged
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, KEY_COLUMNS
from telemetry.store.records import RECORD_DTYPE, histograms_of, pack_record
from telemetry.store.tables import StreamTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from telemetry.messages import Envelope
    from telemetry.store.protocol import Selection

COMMIT: Final = "commit"
"""Inner column: the number of the commit that a row came with, 0 for imports. Public tables do not have it."""
VALUE_COLUMNS: Final = (*COUNT_COLUMNS, *FLOAT_COLUMNS)
_NAMES: Final = ("site", "probe", "path")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an envelope came from: all that a row needs beside it."""

    received_ns: int
    commit: int = 0
    emulated: bool = False


def value_dtype(name: str) -> type:
    """The fixed type of a column."""
    if name in KEY_COLUMNS:
        return KEY_COLUMNS[name]
    return np.float64 if name in FLOAT_COLUMNS else np.int64


def absent(name: str, rows: int) -> NDArray[Any]:
    """A column without a figure: NaN, or 0 for a count."""
    return np.full(rows, np.nan if name in FLOAT_COLUMNS else 0, value_dtype(name))


def wanted(columns: Collection[str] | None) -> tuple[str, ...]:
    """The value columns of a read: all of them for None, in their fixed order.

    Raises:
        KeyError: a name is no value column.
    """
    if columns is None:
        return VALUE_COLUMNS
    strange = set(columns) - set(VALUE_COLUMNS) - set(KEY_COLUMNS)
    if strange:
        raise KeyError(f"no such column: {', '.join(sorted(strange))}")
    return tuple(name for name in VALUE_COLUMNS if name in set(columns))


def empty_table(columns: Sequence[str], *, histograms: bool) -> StreamTable:
    """A table without rows."""
    names = (*KEY_COLUMNS, COMMIT, *columns)
    return StreamTable(
        (),
        (),
        (),
        {name: np.zeros(0, value_dtype(name)) for name in names},
        {name: ragged.empty(0) for name in HISTOGRAM_COLUMNS} if histograms else {},
    )


def table_of(reports: Iterable[tuple[Envelope, Origin]]) -> StreamTable:
    """The stream windows of envelopes, in the order given, with histograms and commits."""
    pairs = [
        (envelope, origin, item)
        for envelope, origin in reports
        for item in envelope.items
        if isinstance(item, Stream)
    ]
    records = b"".join(pack_record(e, s, emulated=o.emulated) for e, o, s in pairs)
    histograms = zip(*(histograms_of(s) for _, _, s in pairs), strict=True)
    columns: dict[str, NDArray[Any]] = {}
    names: list[tuple[str, ...]] = []
    for column, values in (
        ("site", [e.site for e, _, _ in pairs]),
        ("probe", [e.probe for e, _, _ in pairs]),
        ("path", [s.path for _, _, s in pairs]),
    ):
        known, codes = coded(values)
        names.append(known)
        columns[column] = codes
    columns["start_ns"] = np.array([e.start_ns for e, _, _ in pairs], np.int64)
    columns["received_ns"] = np.array([o.received_ns for _, o, _ in pairs], np.int64)
    columns[COMMIT] = np.array([o.commit for _, o, _ in pairs], np.int64)
    columns |= record_columns(records, VALUE_COLUMNS)
    return StreamTable(
        names[0],
        names[1],
        names[2],
        columns,
        dict(zip(HISTOGRAM_COLUMNS, map(ragged.ragged, histograms), strict=True))
        if pairs
        else {name: ragged.empty(0) for name in HISTOGRAM_COLUMNS},
    )


def coded(values: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Strings as (distinct strings, index of each)."""
    codes: dict[str, int] = {}
    index = [codes.setdefault(value, len(codes)) for value in values]
    return tuple(codes), np.array(index, np.int32)


def record_columns(records: bytes, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Value columns out of packed records (`records.pack_record`)."""
    table = np.frombuffer(records, RECORD_DTYPE)
    return {name: np.ascontiguousarray(table[name]) for name in columns}


def rows_where(table: StreamTable, mask: NDArray[np.bool_]) -> StreamTable:
    """The rows where a mask is true."""
    return table if mask.all() else rows_at(table, np.flatnonzero(mask))


def rows_at(table: StreamTable, rows: NDArray[np.int64]) -> StreamTable:
    """The rows of the given indices, in that order."""
    return StreamTable(
        table.sites,
        table.probes,
        table.paths,
        {name: column[rows] for name, column in table.columns.items()},
        {name: ragged.take(part, rows) for name, part in table.histograms.items()},
    )


def selected(table: StreamTable, selection: Selection) -> StreamTable:
    """The rows that a selection wants."""
    start = table.columns["start_ns"]
    mask = (start >= selection.start_ns) & (start < selection.end_ns)
    if selection.as_of_ns is not None:
        mask &= table.columns["received_ns"] <= selection.as_of_ns
    if selection.sites:
        mask &= among(table.columns["site"], table.sites, selection.sites)
    if selection.paths:
        mask &= among(table.columns["path"], table.paths, selection.paths)
    return rows_where(table, mask)


def among(codes: NDArray[Any], names: Sequence[str], chosen: Collection[str]) -> NDArray[np.bool_]:
    """Which codes stand for one of the chosen names."""
    is_chosen = np.array([name in chosen for name in names], np.bool_)
    return is_chosen.take(codes)


def concatenate(tables: Sequence[StreamTable]) -> StreamTable:
    """The rows of tables with the same columns, in order; names are united and sorted."""
    if len(tables) == 1:
        return tables[0]
    united = {which: _united([getattr(table, which + "s") for table in tables]) for which in _NAMES}
    columns: dict[str, NDArray[Any]] = {}
    for name in tables[0].columns:
        if name in united:
            code = united[name]
            parts = [_recoded(table.columns[name], getattr(table, name + "s"), code) for table in tables]
        else:
            parts = [table.columns[name] for table in tables]
        columns[name] = np.concatenate(parts)
    return StreamTable(
        tuple(united["site"]),
        tuple(united["probe"]),
        tuple(united["path"]),
        columns,
        {
            name: ragged.concatenate([table.histograms[name] for table in tables])
            for name in tables[0].histograms
        },
    )


def _united(names: Iterable[tuple[str, ...]]) -> dict[str, int]:
    return {name: i for i, name in enumerate(sorted(set().union(*names)))}


def _recoded(codes: NDArray[Any], names: Sequence[str], united: Mapping[str, int]) -> NDArray[Any]:
    return np.array([united[name] for name in names], np.int32).take(codes)


def tidied(table: StreamTable) -> StreamTable:
    """The same rows with only the names that occur, sorted, ordered by (site, path, start_ns, received_ns)."""
    table = tidied_names(table)
    order = _order(table)
    return table if order is None else rows_at(table, order)


def tidied_names(table: StreamTable) -> StreamTable:
    """The same rows in the same order with only the names that occur, sorted."""
    columns = dict(table.columns)
    names: list[tuple[str, ...]] = []
    for which in _NAMES:
        old: tuple[str, ...] = getattr(table, which + "s")
        used = np.bincount(columns[which], minlength=len(old)) > 0
        kept = sorted(name for name, is_used in zip(old, used, strict=True) if is_used)
        if tuple(kept) != old:
            code = {name: i for i, name in enumerate(kept)}
            columns[which] = np.array([code.get(name, -1) for name in old], np.int32)[columns[which]]
        names.append(tuple(kept))
    return StreamTable(names[0], names[1], names[2], columns, table.histograms)


def _order(table: StreamTable) -> NDArray[np.int64] | None:
    """The order of the rows, or None when they are in order: cheap for what is nearly so, as blocks are."""
    line = table.columns["site"].astype(np.int64) * max(len(table.paths), 1) + table.columns["path"]
    if len(table.sites) * len(table.paths) < 2**15:
        line = line.astype(np.int16)  # numpy sorts these by radix
    start, received = table.columns["start_ns"], table.columns["received_ns"]
    by_line = np.argsort(line, kind="stable")
    if _in_order(line[by_line], start[by_line], received[by_line]):
        return None if (by_line[1:] > by_line[:-1]).all() else by_line
    return np.lexsort((received, start, line))


def _in_order(*keys: NDArray[Any]) -> bool:
    """Whether rows rise (or stay) by the keys, the first being the greatest."""
    tie = np.ones(max(len(keys[0]) - 1, 0), np.bool_)
    for key in keys:
        before, after = key[:-1], key[1:]
        if (tie & (after < before)).any():
            return False
        tie &= after == before
    return True


def published(table: StreamTable) -> StreamTable:
    """A table as readers get it: without the inner column."""
    return StreamTable(
        table.sites,
        table.probes,
        table.paths,
        {name: column for name, column in table.columns.items() if name != COMMIT},
        table.histograms,
    )


def narrowed(table: StreamTable, columns: Sequence[str], *, histograms: bool) -> StreamTable:
    """A table with these value columns beside the key columns, with or without histograms."""
    return StreamTable(
        table.sites,
        table.probes,
        table.paths,
        {name: table.columns[name] for name in (*KEY_COLUMNS, *columns)},
        table.histograms if histograms else {},
    )


def last_of_lines(table: StreamTable) -> StreamTable:
    """The last row of every (site, path) of a table in order."""
    site, path = table.columns["site"], table.columns["path"]
    ends = np.ones(len(table), np.bool_)
    ends[:-1] = (site[1:] != site[:-1]) | (path[1:] != path[:-1])
    return rows_where(table, ends)
