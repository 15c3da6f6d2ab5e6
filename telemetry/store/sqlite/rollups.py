"""Roll-ups in the file: a block a site and day; the values of windows and the histograms in parts of their own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry.store import assembly, packing
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.packed_tables import pack_histograms, unpack_histograms
from telemetry.store.rollup_tables import as_rollups, wanted_rollups
from telemetry.store.rollups_as_of import rollups_as_of
from telemetry.store.sqlite import blocks, streams
from telemetry.store.sqlite.blocks import COLUMNS_PART, HISTOGRAMS_PART, WINDOW_VALUES_PART, Kind
from telemetry.store.tables import StreamTable
from telemetry.windows import WINDOWS_PER_SLOT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from telemetry.store.protocol import Selection
    from telemetry.store.tables import RollupTable

assert WINDOW_VALUES_PART + len(WINDOW_VALUE_COLUMNS) <= blocks.PARTS_PER_BLOCK
KEYS: Final = ("site", "probe", "path", "start_ns", "received_ns")


def read(  # noqa: PLR0913 - what, with how much of it
    connection: sqlite3.Connection,
    selection: Selection,
    *,
    histograms: bool,
    columns: Collection[str] | None,
    window_values: Collection[str] | None,
    kind: Kind = Kind.ROLLUPS,
) -> RollupTable:
    """The roll-ups of a selection, or what else is kept in their form; superseded ones are not made again as of a time."""
    names = wanted_rollups(columns, window_values)
    tables = [empty(names, histograms=histograms)]
    for site in streams.sites_of(connection, selection):
        parts = [
            read_day(connection, block, site, names, histograms=histograms)
            for block, _ in blocks.find(connection, kind, site, selection.start_ns, selection.end_ns)
        ]
        if not parts:
            continue
        found = assembly.concatenate(parts)
        if selection.as_of_ns is not None and kind is Kind.ROLLUPS:
            found = rollups_as_of(found, selection.as_of_ns, names, partial(streams.read, connection))
        tables.append(assembly.tidied(assembly.selected(found, selection)))
    # Of one site nothing is copied once more: the empty table only stands for the columns.
    return as_rollups(assembly.tidied_names(assembly.concatenate(tables[1:] if len(tables) > 1 else tables)))


def empty(names: Sequence[str], *, histograms: bool) -> StreamTable:
    """Roll-ups without rows, in the inner form (`rollup_tables.as_windows`)."""
    table = assembly.empty_table((), histograms=histograms)
    columns = {name: table.columns[name] for name in KEYS} | {name: _absent(name, 0) for name in names}
    return StreamTable((), (), (), columns, table.histograms)


def read_day(
    connection: sqlite3.Connection, block: int, site: str, names: Sequence[str], *, histograms: bool
) -> StreamTable:
    """The roll-ups of a site's day, in the inner form."""
    data = blocks.must(blocks.part(connection, block, COLUMNS_PART), site)
    (probes, paths), packed = blocks.split_names(data)
    found = packing.unpack(packed, frozenset((*KEYS, *names)))
    rows = len(found["start_ns"])
    columns: dict[str, NDArray[Any]] = {"site": np.zeros(rows, np.int32)}
    for name in (*KEYS[1:], *names):
        if name.startswith("window:"):
            continue
        columns[name] = found.get(name, _absent(name, rows))
    for name in ("probe", "path"):
        columns[name] = columns[name].astype(np.int32)
    for i, name in enumerate(WINDOW_VALUE_COLUMNS):
        if f"window:{name}" in names:
            values = blocks.part(connection, block, WINDOW_VALUES_PART + i)
            columns[f"window:{name}"] = (
                _absent(f"window:{name}", rows)
                if values is None
                else packing.unpack(values)[name].reshape(rows, WINDOWS_PER_SLOT)
            )
    columns = {name: columns[name] for name in (*KEYS, *names)}
    parts = (
        unpack_histograms(
            blocks.must(blocks.part(connection, block, HISTOGRAMS_PART), site), HISTOGRAM_COLUMNS
        )
        if histograms
        else {}
    )
    return StreamTable((site,), probes, paths, columns, parts)


def whole_day(
    connection: sqlite3.Connection, site: str, day_ns: int, kind: Kind = Kind.ROLLUPS
) -> StreamTable | None:
    """All roll-ups of a site's day in the inner form; None when there are none."""
    names = wanted_rollups(None, None)
    for block, _ in blocks.find(connection, kind, site, day_ns, day_ns + 1):
        return read_day(connection, block, site, names, histograms=True)
    return None


def _absent(name: str, rows: int) -> NDArray[Any]:
    if name.startswith("window:"):
        return np.full((rows, WINDOWS_PER_SLOT), np.nan, np.float32)
    return np.full(rows, np.nan) if name in FLOAT_COLUMNS else np.zeros(rows, np.int64)


def write_day(
    connection: sqlite3.Connection, site: str, day_ns: int, table: RollupTable, kind: Kind = Kind.ROLLUPS
) -> None:
    """Write a site's day in place of what is there; the table has that site and day only, in order."""
    columns = {
        name: table.columns[name]
        for name in ("probe", "path", "received_ns", "windows", *COUNT_COLUMNS, *FLOAT_COLUMNS)
    }
    packed = packing.pack({"start_ns": table.columns["slot_ns"], **columns})
    parts = {
        COLUMNS_PART: blocks.with_names((table.probes, table.paths), packed),
        HISTOGRAMS_PART: pack_histograms({name: table.histograms[name] for name in HISTOGRAM_COLUMNS}),
    }
    for i, name in enumerate(WINDOW_VALUE_COLUMNS):
        parts[WINDOW_VALUES_PART + i] = packing.pack({name: table.window_values[name].reshape(-1)})
    blocks.save(connection, blocks.Key(kind, site, day_ns), parts)


def imported_slots(connection: sqlite3.Connection, site: str, day_ns: int) -> set[int]:
    """The slots of a site's day whose roll-up was imported."""
    for block, _ in blocks.find(connection, Kind.ROLLUPS, site, day_ns, day_ns + 1):
        day = read_day(connection, block, site, ("emulated",), histograms=False)
        return set(day.columns["start_ns"][day.columns["emulated"] == 1].tolist())
    return set()
