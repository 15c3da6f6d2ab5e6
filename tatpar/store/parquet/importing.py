"""Parquet files taken in, a row group at a time; what is there already stays, so that twice is the same as once."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from msgspec import Struct

from tatpar.store.parquet import layout
from tatpar.store.parquet.checking import SCHEMAS, ExportFile, ForeignFileError
from telemetry.store.protocol import TakingItems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa  # type: ignore[import-untyped]

    from telemetry.store.protocol import ReportStore


class Imported(Struct, frozen=True, kw_only=True):
    """What was read; of it the store took what it did not have."""

    files: int
    windows: int
    rollups: int
    superseded: int
    items: int
    items_left_out: int = 0
    """A database server keeps no items that came otherwise than by reports."""


def take_in(
    store: ReportStore, folder: Path, progress: Callable[[int, int], None] = lambda *_: None
) -> Imported:
    """Take in an export: windows first, then roll-ups, which need not be made of them again, then those that have given way to them, then items.

    Args:
        store: where to.
        folder: with the files of `tatpar store export`.
        progress: told how many of how many steps are done: each file is checked, then taken in.

    Raises:
        ForeignFileError: a file is no Parquet, not of an export, or a value in it cannot be; nothing was taken in.
        StoreError: the store cannot be written; what was taken in stays, and the same again finishes it.
    """
    files = [path for kind in SCHEMAS for path in sorted(folder.glob(f"{kind}-*.parquet"))]
    if not files:
        raise ForeignFileError(
            f"{folder}: no files of an export there; name the folder that `tatpar store export` wrote"
        )
    for number, path in enumerate(files, start=1):  # all of them, before the first row goes in
        with closing(ExportFile(path)) as file:
            for _ in file.tables():
                pass
        progress(number, 2 * len(files))
    counts = dict.fromkeys(SCHEMAS, 0)
    left_out = 0
    for number, path in enumerate(files, start=1 + len(files)):
        with closing(ExportFile(path)) as file:
            for table in file.tables():
                counts[file.kind] += len(table)
                left_out += _take(store, file.kind, table)
        progress(number, 2 * len(files))
    return Imported(files=len(files), items_left_out=left_out, **counts)


def _take(store: ReportStore, kind: str, table: pa.Table) -> int:
    """How many rows the store cannot keep."""
    if kind == "windows":
        store.import_streams(layout.to_windows(table))
    elif kind in ("rollups", "superseded"):  # the store tells by what is there which has given way
        store.import_rollups(layout.to_rollups(table))
    elif isinstance(store, TakingItems):
        store.import_items(layout.to_items(table))
    else:
        return len(table)
    return 0
