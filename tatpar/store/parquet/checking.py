"""Is a file of an export what it says: its columns before anything is read, its values a row group at a time.

What a store takes in stays for years, and is read by all that judge a line: nothing is believed that a report would be
refused for (`telemetry.messages`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from config.plain_file import must_be_plain
from tatpar.store.parquet import layout
from telemetry import codec
from telemetry.histogram_grid import BINS
from telemetry.messages import ClockState, Name, Opaque, PathName
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.windows import SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SCHEMAS: Final = {
    "windows": layout.WINDOWS,
    "rollups": layout.ROLLUPS,
    "superseded": layout.SUPERSEDED,
    "items": layout.ITEMS,
}
_OF_SLOTS: Final = frozenset({"rollups", "superseded"})
MOST_ROWS: Final = 2_000_000
"""Of a row group, which is held whole: an export has some hundred thousand at most."""
MOST_VALUES: Final = 200_000_000
"""Of a row group, over all columns; an export of fifty offices on four paths has some 34 million at most."""
MOST_TEXT: Final = 1_000_000
"""Octets of one; an item is a part of a message, which is far smaller."""
MOST_TEXTS: Final = 500_000_000
"""Octets of a row group's texts, written out row by row."""
_TEXTS: Final = frozenset({"site", "probe", "path", "kind", "json"})
_FORMAT: Final = re.compile(r"[1-9][0-9]{0,8}")
_NAMES: Final = {
    "site": (Name, "lower-case letters, digits and inner hyphens, at most 63"),
    "probe": (Name, "lower-case letters, digits and inner hyphens, at most 63"),
    "path": (PathName, "UPLINK.END as main.state"),
}
_LAST_NS: Final = 2**62
"""In the year 2116."""
_MOST: Final = 2**53 - 1
_MOST_FIGURE: Final = 1e13
_LIMITS: Final = {
    "stateful": (0, 1),
    "emulated": (0, 1),
    "stamps": (0, 0xFFFF),
    "windows": (1, WINDOWS_PER_SLOT),
} | {"clock_state": (int(min(ClockState)), int(max(ClockState)))}


class ForeignFileError(Exception):
    """A file is not of an export, or damaged; says where, what, and what it should be."""


class ExportFile:
    """One file of an export, opened; its columns are what they should be."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            ForeignFileError: it is no Parquet, not of an export, of a newer version, or its columns are others.
        """
        self.path = path
        try:
            must_be_plain(path)
            self._file = _opened(path)
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ForeignFileError(f"{path}: no Parquet ({_said(error)}); export it again") from error
        try:
            self.kind = _kind_of(path, schema)
            _must_have_columns(path, schema, SCHEMAS[self.kind])
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def tables(self) -> Iterator[pa.Table]:
        """Its rows, a group at a time, every value checked.

        Raises:
            ForeignFileError: a page is damaged, or a value cannot be.
        """
        first = 1
        for group in range(self._file.num_row_groups):
            if (rows := self._file.metadata.row_group(group).num_rows) > MOST_ROWS:
                raise ForeignFileError(
                    f"{self.path}: a row group of {rows} rows; it should have {MOST_ROWS} at most"
                )
            if (values := _values_in(self._file.metadata.row_group(group))) > MOST_VALUES:
                raise ForeignFileError(
                    f"{self.path}: a row group of {values} values; it should have {MOST_VALUES} at most"
                )
            try:
                table = self._file.read_row_group(group, columns=SCHEMAS[self.kind].names)
                table.validate(full=True)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise ForeignFileError(
                    f"{self.path}: damaged from row {first} on ({_said(error)}); export it again"
                ) from error
            _must_be_short(self.path, table, first)
            _Rows(self.path, self.kind, table, first).check()
            first += len(table)
            yield table


def _opened(path: Path) -> pq.ParquetFile:
    """Its texts stay in their dictionaries: one of a megabyte that stands in every row takes a megabyte."""
    with pq.ParquetFile(path) as file:
        texts = [name for name in file.schema_arrow.names if name in _TEXTS]
    return pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True)


def _values_in(group: pq.RowGroupMetaData) -> int:
    """Of all columns, those within lists too: equal ones take next to no room in the file, and eight octets each in memory."""
    return sum(group.column(number).num_values for number in range(group.num_columns))


def _must_be_short(path: Path, table: pa.Table, first: int) -> None:
    """Before a text is written out for every row that has it."""
    total = 0
    for name in _TEXTS & set(table.column_names):
        for chunk in table[name].chunks:
            is_coded = pa.types.is_dictionary(chunk.type)
            lengths = pc.binary_length(chunk.dictionary if is_coded else chunk)
            if is_coded:
                lengths = lengths.take(chunk.indices)
            longest = pc.max(lengths).as_py() or 0
            total += pc.sum(lengths).as_py() or 0
            if longest > MOST_TEXT:
                row = first + pc.index(lengths, longest).as_py()
                raise ForeignFileError(
                    f"{path}: row {row}, column {name}: {longest} octets; it should have {MOST_TEXT} at most"
                )
    if total > MOST_TEXTS:
        raise ForeignFileError(
            f"{path}: {total} octets of text from row {first} on; a row group should have {MOST_TEXTS} at most"
        )


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _kind_of(path: Path, schema: pa.Schema) -> str:
    said = schema.metadata or {}
    kind: str = said.get(b"tatpar.kind", b"").decode(errors="replace")
    version: str = said.get(b"tatpar.format", b"").decode(errors="replace")
    if kind not in SCHEMAS or not _FORMAT.fullmatch(version):
        raise ForeignFileError(
            f"{path}: not of an export of Tatpar; other tools' measurements come in by `tatpar history import`"
        )
    if int(version) > layout.FORMAT:
        raise ForeignFileError(
            f"{path}: the file has format {version}, this version knows up to {layout.FORMAT}; use the newer version"
        )
    return kind


def _must_have_columns(path: Path, schema: pa.Schema, wanted: pa.Schema) -> None:
    for field in wanted:
        there = schema.names.count(field.name)
        if there != 1:
            what = "is not there" if not there else f"is there {there} times; it should be there once"
            raise ForeignFileError(f"{path}: the column {field.name} {what}; export it again")
        kind = schema.field(field.name).type
        if not _is_like(kind, field.type):
            raise ForeignFileError(
                f"{path}: the column {field.name} holds {str(kind)[:80]}, it should be {_plain(field.type)}; export it again"
            )


def _is_like(kind: pa.DataType, wanted: pa.DataType) -> bool:
    """The same type; of texts also the other ways in which Parquet's readers have them."""
    return bool(_plain(kind) == _plain(wanted))


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.string() if pa.types.is_large_string(kind) else kind


class _Rows:
    """One row group under examination."""

    def __init__(self, path: Path, kind: str, table: pa.Table, first: int) -> None:
        self._path, self._kind, self._table, self._first = path, kind, table, first

    def check(self) -> None:
        for name in self._table.column_names:
            self._whole(name)
        for name in _NAMES.keys() & set(self._table.column_names):
            self._names(name)
        self._times()
        if self._kind == "items":
            self._items()
            return
        self._figures()
        for name in HISTOGRAM_COLUMNS:
            self._histogram(name)

    def _wrong(self, row: int, column: str, what: str) -> ForeignFileError:
        return ForeignFileError(f"{self._path}: row {self._first + row}, column {column}: {what}")

    def _refuse(self, column: str, bad: NDArray[np.bool_], values: NDArray[Any], should: str) -> None:
        """The first row where `bad`."""
        if bad.any():
            row = int(np.argmax(bad))
            raise self._wrong(row, column, f"{values[row]}; it should be {should}")

    def _whole(self, name: str) -> None:
        """Nothing is null: absent figures are NaN."""
        column = self._table[name].combine_chunks()
        is_null = column.is_null()
        if column.null_count:
            raise self._wrong(pc.index(is_null, True).as_py(), name, "empty (null); it should have a value")
        is_list = pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
        if is_list and (inner := column.flatten()).null_count:
            place = pc.index(inner.is_null(), True).as_py()
            row = pc.list_parent_indices(column)[place].as_py()
            raise self._wrong(row, name, "an empty value (null) in the list; it should have a value")
        if pa.types.is_dictionary(column.type) and column.dictionary.null_count:
            raise self._wrong(0, name, "empty (null); it should have a value")

    def _names(self, name: str) -> None:
        rule, should = _NAMES[name]
        column = self._table[name].cast(pa.string())
        for value in pc.unique(column).to_pylist():
            try:
                msgspec.convert(value, rule)
            except msgspec.ValidationError:
                shown = ascii(value[:40])
                raise self._wrong(
                    pc.index(column, value).as_py(), name, f"{shown}; it should be {should}"
                ) from None

    def _times(self) -> None:
        name, step = ("slot_ns", SLOT_NS) if self._kind in _OF_SLOTS else ("start_ns", WINDOW_NS)
        at = self._table[name].to_numpy()
        self._refuse(
            name,
            (at < 0) | (at >= _LAST_NS) | (at % step != 0),
            at,
            f"on the grid of {step // 10**9} s, from 1970 to 2116, in ns",
        )
        received = self._table["received_ns"].to_numpy()
        self._refuse(
            "received_ns", (received < 0) | (received >= _LAST_NS), received, "from 1970 to 2116, in ns"
        )

    def _figures(self) -> None:
        counts = COUNT_COLUMNS if self._kind == "windows" else ("windows", *COUNT_COLUMNS)
        for name in counts:
            values = self._table[name].to_numpy()
            least, most = _LIMITS.get(name, (0, _MOST))
            self._refuse(name, (values < least) | (values > most), values, f"{least} to {most}")
        for name in FLOAT_COLUMNS:
            values = self._table[name].to_numpy()
            self._refuse(
                name,
                (values < 0) | (values > _MOST_FIGURE),
                values,
                f"0 to {_MOST_FIGURE:g}, or NaN for absent",
            )
        sent = self._table["sent"].to_numpy()
        for name in ("lost", "received"):
            values = self._table[name].to_numpy()
            self._refuse(name, values > sent, values, "no more than the column sent says")
        if self._kind in _OF_SLOTS:
            self._window_values()

    def _window_values(self) -> None:
        for name in (f"window_{each}" for each in WINDOW_VALUE_COLUMNS):
            flat = self._table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            values = flat.reshape(-1, WINDOWS_PER_SLOT)
            bad = ((values < 0) | (values > _MOST)).any(axis=1)
            if bad.any():
                row = int(np.argmax(bad))
                raise self._wrong(row, name, f"holds a value below 0 or above {_MOST}; NaN is for absent")

    def _histogram(self, name: str) -> None:
        """Of each row: rising bins of the grid, each with a positive count (`telemetry.histogram`)."""
        bins, counts = f"{name}_bins", f"{name}_counts"
        lists = [self._table[each].combine_chunks() for each in (bins, counts)]
        lengths = [pc.list_value_length(each).to_numpy(zero_copy_only=False) for each in lists]
        unequal = lengths[0] != lengths[1]
        if unequal.any():
            row = int(np.argmax(unequal))
            raise self._wrong(
                row, bins, f"{lengths[0][row]} bins beside {lengths[1][row]} counts; it should be as many"
            )
        parent = np.repeat(np.arange(len(lengths[0])), lengths[0])
        which, many = (each.flatten().to_numpy(zero_copy_only=False) for each in lists)
        falls = np.zeros(len(which), np.bool_)
        falls[1:] = (np.diff(which) <= 0) & (np.diff(parent) == 0)
        for column, bad, values, should in (
            (bins, (which < 0) | (which >= BINS) | falls, which, f"rising, 0 to {BINS - 1}"),
            (counts, (many < 1) | (many > _MOST), many, f"1 to {_MOST}"),
        ):
            if bad.any():
                place = int(np.argmax(bad))
                raise self._wrong(int(parent[place]), column, f"{values[place]}; it should be {should}")

    def _items(self) -> None:
        said = zip(self._table["kind"].to_pylist(), self._table["json"].to_pylist(), strict=True)
        for row, (kind, json) in enumerate(said):
            if kind not in layout.KINDS:
                raise self._wrong(
                    row, "kind", f"{kind[:40]!a}; it should be one of {', '.join(layout.KINDS)}"
                )
            item = codec.decode_item(json.encode())
            if isinstance(item, Opaque):
                raise self._wrong(
                    row, "json", f"no item ({item.reason[:120]}); it should be one as on the wire"
                )
            if (tag := item.__struct_config__.tag) != kind:
                raise self._wrong(
                    row, "json", f"an item of kind {tag}; it should be {kind}, as the column kind says"
                )
