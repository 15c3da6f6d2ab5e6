"""Parquet files taken in, a row group at a time; what is there already stays, so that twice is the same as once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from msgspec import Struct

from tatpar.parquet import layout
from telemetry.store.protocol import TakingItems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from telemetry.store.protocol import ReportStore

SCHEMAS: Final = {"windows": layout.WINDOWS, "rollups": layout.ROLLUPS, "items": layout.ITEMS}


class Imported(Struct, frozen=True, kw_only=True):
    """What was read; of it the store took what it did not have."""

    files: int
    windows: int
    rollups: int
    items: int
    items_left_out: int = 0
    """A database server keeps no items that came otherwise than by reports."""


class ForeignFileError(Exception):
    """A file is not of an export; says which, and what to write instead."""


def take_in(
    store: ReportStore, folder: Path, progress: Callable[[int, int], None] = lambda *_: None
) -> Imported:
    """Take in an export: windows first, then roll-ups, which need not be made of them again, then items.

    Args:
        store: where to.
        folder: with the files of `tatpar store export`.
        progress: told how many of how many files are done.

    Raises:
        ForeignFileError: a file is no Parquet, or not of an export; none was taken in.
        StoreError: the store cannot be written; what was taken in stays, and the same again finishes it.
    """
    files = [path for kind in SCHEMAS for path in sorted(folder.glob(f"{kind}-*.parquet"))]
    if not files:
        raise ForeignFileError(
            f"{folder}: no files of an export there; name the folder that `tatpar store export` wrote"
        )
    kinds = [_kind_of(path) for path in files]
    counts = dict.fromkeys(SCHEMAS, 0)
    left_out = 0
    for number, (path, kind) in enumerate(zip(files, kinds, strict=True), start=1):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                counts[kind] += len(table)
                left_out += _take(store, kind, table)
        progress(number, len(files))
    return Imported(files=len(files), items_left_out=left_out, **counts)


def _take(store: ReportStore, kind: str, table: pa.Table) -> int:
    """How many rows the store cannot keep."""
    if kind == "windows":
        store.import_streams(layout.to_windows(table))
    elif kind == "rollups":
        store.import_rollups(layout.to_rollups(table))
    elif isinstance(store, TakingItems):
        store.import_items(layout.to_items(table))
    else:
        return len(table)
    return 0


def _kind_of(path: Path) -> str:
    """Examined before anything is taken in."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise ForeignFileError(
            f"{path}: no Parquet ({' '.join(str(error).split())[:120]}); export it again"
        ) from error
    said = schema.metadata or {}
    kind: str = said.get(b"tatpar.kind", b"").decode()
    version: str = said.get(b"tatpar.format", b"").decode()
    if kind not in SCHEMAS or not version.isdigit():
        raise ForeignFileError(
            f"{path}: not of an export of Tatpar; other tools' measurements come in by `tatpar history import`"
        )
    if int(version) > layout.FORMAT:
        raise ForeignFileError(
            f"{path}: the file has format {version}, this version knows up to {layout.FORMAT}; use the newer version"
        )
    missing = [name for name in SCHEMAS[kind].names if name not in schema.names]
    if missing:
        raise ForeignFileError(f"{path}: the column {missing[0]} is not there; export it again")
    return kind
