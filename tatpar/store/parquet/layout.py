"""How tables of the store lie in Parquet: names, types, and the way there and back, bit for bit.

One row a window, a five-minute slot (in force or superseded), or an item. Counts are int64, figures float64 with NaN for absent, names are texts, times are
ns since the Unix epoch. A histogram is two lists, bins and counts (`telemetry.histogram`). `docs/parquet.md` lists the columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from telemetry import codec
from telemetry.store.assembly import VALUE_COLUMNS, value_dtype
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.protocol import StoredItem
from telemetry.store.tables import Ragged, RollupTable, StreamTable
from telemetry.windows import WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FORMAT: Final = 1
KINDS: Final = ("ping", "reach", "link", "call", "rehearsal", "tombstone")
"""Of items that are no streams."""
NAMES: Final = ("site", "probe", "path")
_BINS, _COUNTS, _WINDOW = "_bins", "_counts", "window_"
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_SLOT_COLUMNS: Final = ("windows", *COUNT_COLUMNS, *FLOAT_COLUMNS)


def _value_fields(names: Sequence[str]) -> list[pa.Field]:
    return [
        pa.field(name, pa.float64() if value_dtype(name) is np.float64 else pa.int64(), nullable=False)
        for name in names
    ]


def _histogram_fields() -> list[pa.Field]:
    return [
        field
        for name in HISTOGRAM_COLUMNS
        for field in (
            pa.field(name + _BINS, pa.list_(pa.int32()), nullable=False),
            pa.field(name + _COUNTS, pa.list_(pa.int64()), nullable=False),
        )
    ]


def _schema(kind: str, time: str, fields: list[pa.Field]) -> pa.Schema:
    keys = [pa.field(name, _TEXT, nullable=False) for name in NAMES if name != "path" or kind != "items"]
    times = [pa.field(name, pa.int64(), nullable=False) for name in (time, "received_ns")]
    return pa.schema([*keys, *times, *fields], {"tatpar.kind": kind, "tatpar.format": str(FORMAT)})


WINDOWS: Final = _schema("windows", "start_ns", [*_value_fields(VALUE_COLUMNS), *_histogram_fields()])
_OF_SLOTS: Final = [
    *_value_fields(_SLOT_COLUMNS),
    *_histogram_fields(),
    *(
        pa.field(_WINDOW + name, pa.list_(pa.float32(), WINDOWS_PER_SLOT), nullable=False)
        for name in WINDOW_VALUE_COLUMNS
    ),
]
ROLLUPS: Final = _schema("rollups", "slot_ns", _OF_SLOTS)
SUPERSEDED: Final = _schema("superseded", "slot_ns", _OF_SLOTS)
ITEMS: Final = _schema(
    "items",
    "start_ns",
    [pa.field("kind", pa.string(), nullable=False), pa.field("json", pa.string(), nullable=False)],
)


def from_windows(table: StreamTable) -> pa.Table:
    """Windows as Arrow."""
    columns = {**_keys(table), **_plain(table.columns, ("start_ns", "received_ns", *VALUE_COLUMNS))}
    return pa.table(columns | _lists(table.histograms), schema=WINDOWS)


def from_rollups(table: RollupTable, schema: pa.Schema = ROLLUPS) -> pa.Table:
    """Roll-ups as Arrow; superseded ones under a schema of their own."""
    columns = {**_keys(table), **_plain(table.columns, ("slot_ns", "received_ns", *_SLOT_COLUMNS))}
    values = {
        _WINDOW + name: pa.FixedSizeListArray.from_arrays(
            pa.array(table.window_values[name].reshape(-1)), WINDOWS_PER_SLOT
        )
        for name in WINDOW_VALUE_COLUMNS
    }
    return pa.table(columns | _lists(table.histograms) | values, schema=schema)


def from_items(items: Sequence[StoredItem]) -> pa.Table:
    """Items as Arrow, each as its JSON on the wire."""
    return pa.table(
        {
            "site": pa.array([one.site for one in items], pa.string()).cast(_TEXT),
            "probe": pa.array([one.probe for one in items], pa.string()).cast(_TEXT),
            "start_ns": pa.array([one.start_ns for one in items], pa.int64()),
            "received_ns": pa.array([one.received_ns for one in items], pa.int64()),
            "kind": [str(type(one.item).__struct_config__.tag) for one in items],
            "json": [codec.encode_item(one.item).decode() for one in items],
        },
        schema=ITEMS,
    )


def to_windows(table: pa.Table) -> StreamTable:
    """Windows out of Arrow."""
    names, codes = _coded(table)
    columns = codes | _arrays(table, ("start_ns", "received_ns", *VALUE_COLUMNS))
    return StreamTable(names[0], names[1], names[2], columns, _ragged(table))


def to_rollups(table: pa.Table) -> RollupTable:
    """Roll-ups out of Arrow."""
    names, codes = _coded(table)
    columns = codes | _arrays(table, ("slot_ns", "received_ns", *_SLOT_COLUMNS))
    values = {
        name: _flat(table, _WINDOW + name).to_numpy(zero_copy_only=False).reshape(-1, WINDOWS_PER_SLOT)
        for name in WINDOW_VALUE_COLUMNS
    }
    return RollupTable(names[0], names[1], names[2], columns, values, _ragged(table))


def to_items(table: pa.Table) -> list[StoredItem]:
    """Items out of Arrow."""
    rows = zip(
        *(table[name].to_pylist() for name in ("site", "probe", "start_ns", "received_ns", "json")),
        strict=True,
    )
    return [
        StoredItem(site, probe, start, received, codec.decode_item(json.encode()))  # type: ignore[arg-type]
        for site, probe, start, received, json in rows
    ]


def _keys(table: StreamTable | RollupTable) -> dict[str, pa.Array]:
    known = {"site": table.sites, "probe": table.probes, "path": table.paths}
    return {
        name: pa.DictionaryArray.from_arrays(
            pa.array(table.columns[name].astype(np.int32)), pa.array(known[name], pa.string())
        )
        for name in NAMES
    }


def _plain(columns: Mapping[str, NDArray[Any]], names: Sequence[str]) -> dict[str, pa.Array]:
    return {name: pa.array(columns[name].astype(value_dtype(name), copy=False)) for name in names}


def _lists(histograms: Mapping[str, Ragged]) -> dict[str, pa.Array]:
    out = {}
    for name in HISTOGRAM_COLUMNS:
        part = histograms[name]
        offsets = pa.array(part.offsets.astype(np.int32))
        out[name + _BINS] = pa.ListArray.from_arrays(offsets, pa.array(part.bins))
        out[name + _COUNTS] = pa.ListArray.from_arrays(offsets, pa.array(part.counts))
    return out


def _coded(table: pa.Table) -> tuple[list[tuple[str, ...]], dict[str, NDArray[Any]]]:
    names: list[tuple[str, ...]] = []
    codes: dict[str, NDArray[Any]] = {}
    for name in NAMES:
        column = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
        names.append(tuple(column.dictionary.to_pylist()))
        codes[name] = column.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return names, codes


def _arrays(table: pa.Table, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    return {name: table[name].to_numpy().astype(value_dtype(name), copy=False) for name in names}


def _flat(table: pa.Table, name: str) -> pa.Array:
    return table[name].combine_chunks().flatten()


def _ragged(table: pa.Table) -> dict[str, Ragged]:
    out = {}
    for name in HISTOGRAM_COLUMNS:
        offsets = table[name + _BINS].combine_chunks().offsets.to_numpy().astype(np.int64)
        out[name] = Ragged(
            offsets - offsets[0],
            _flat(table, name + _BINS).to_numpy(zero_copy_only=False).astype(np.int32),
            _flat(table, name + _COUNTS).to_numpy(zero_copy_only=False).astype(np.int64),
        )
    return out
