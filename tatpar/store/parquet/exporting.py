"""The store written out: a file a day and kind, row groups of an hour (roll-ups: a day) of some offices, in bounded memory."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from msgspec import Struct

from tatpar.store.parquet import layout
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import RollupTable

SITES_AT_ONCE: Final = 50
"""An hour of so many offices is some 30,000 windows."""
PARTIAL: Final = ".partial"
_AT_LAST_NS: Final = 2**62
"""By then every probe has been in contact, also one of which only roll-ups were imported."""


class Exported(Struct, frozen=True, kw_only=True):
    """What was written."""

    folder: str
    files: int
    windows: int
    rollups: int
    superseded: int
    """Roll-ups of other tools that have given way; back-tests want them."""
    items: int
    bytes: int


class NotEmptyError(Exception):
    """There is something in the folder already."""


def export(
    reader: StoreReader,
    folder: Path,
    selection: Selection,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Exported:
    """Write what a selection names.

    Args:
        reader: of the store; the export of a day is one moment of it for each row group.
        folder: made when it is not there; there must be nothing in it.
        selection: span and sites.
        progress: told how many of how many days are done.

    Raises:
        NotEmptyError: the folder is not empty.
        StoreError: the store cannot be read; files that are finished stay.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise NotEmptyError(f"{folder}: not empty; name a new folder")
    counts = dict.fromkeys(("windows", "rollups", "superseded", "items"), 0)
    sites = sites_of(reader, selection)
    measured_ns = (
        max(first_ns(reader, selection.end_ns) or selection.end_ns, selection.start_ns) // HOUR_NS * HOUR_NS
    )
    days = range(selection.start_ns // DAY_NS * DAY_NS, selection.end_ns, DAY_NS)
    for number, day_ns in enumerate(days, start=1):
        with ExitStack() as files:
            name = datetime.fromtimestamp(day_ns // 10**9, UTC).strftime("%Y-%m-%d")
            outs = {kind: files.enter_context(_File(folder, f"{kind}-{name}.parquet")) for kind in counts}
            for span in _spans(selection, day_ns, DAY_NS, sites):
                counts["rollups"] += _rollups(reader.rollups(span), layout.ROLLUPS, outs["rollups"])
                before = reader.superseded(span)
                counts["superseded"] += _rollups(before, layout.SUPERSEDED, outs["superseded"])
            for hour_ns in range(max(day_ns, measured_ns), min(day_ns + DAY_NS, selection.end_ns), HOUR_NS):
                for span in _spans(selection, hour_ns, HOUR_NS, sites):
                    counts["windows"] += _windows(reader, span, outs["windows"])
                    counts["items"] += _items(reader, span, outs["items"])
        progress(number, len(days))
    written = list(folder.glob("*.parquet"))
    return Exported(
        folder=str(folder), files=len(written), bytes=sum(path.stat().st_size for path in written), **counts
    )


def sites_of(reader: StoreReader, selection: Selection) -> tuple[str, ...]:
    """The sites of a selection that have ever reported, or of which roll-ups were imported, sorted."""
    at_last = Selection(_AT_LAST_NS, _AT_LAST_NS + 1, selection.sites)
    known = {contact.site for contact in reader.gaps(at_last).contacts} | set(reader.latest().sites)
    return tuple(sorted(known & set(selection.sites) if selection.sites else known))


def first_ns(reader: StoreReader, end_ns: int) -> int | None:
    """When the first window of all was measured; None for an empty store."""
    return min((c.first_ns for c in reader.gaps(Selection(end_ns - 1, end_ns)).contacts), default=None)


def _windows(reader: StoreReader, selection: Selection, out: _File) -> int:
    table = reader.streams(selection)
    return out.write(layout.from_windows(table)) if len(table) else 0


def _items(reader: StoreReader, selection: Selection, out: _File) -> int:
    found = [item for kind in layout.KINDS for item in reader.items(kind, selection)]
    return out.write(layout.from_items(found)) if found else 0


def _rollups(table: RollupTable, schema: pa.Schema, out: _File) -> int:
    return out.write(layout.from_rollups(table, schema)) if len(table) else 0


def _spans(selection: Selection, from_ns: int, length_ns: int, sites: Sequence[str]) -> Iterator[Selection]:
    """A piece of the selection's span, for some of the sites at a time."""
    start_ns, end_ns = max(from_ns, selection.start_ns), min(from_ns + length_ns, selection.end_ns)
    for begin in range(0, len(sites), SITES_AT_ONCE):
        yield Selection(start_ns, end_ns, tuple(sites[begin : begin + SITES_AT_ONCE]))


class _File:
    """One Parquet file: begun with its first rows, and named only when it is whole."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._partial = folder / (name + PARTIAL)
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """A disk that is full when the last bytes are written leaves no more of it than one that was full before."""
        try:
            if self._writer is not None and kind is None:
                self._writer.close()
                self._partial.rename(self._path)
            elif self._writer is not None:
                with suppress(OSError, pa.ArrowException):  # what went wrong before is what is told
                    self._writer.close()
        finally:
            self._partial.unlink(missing_ok=True)

    def write(self, table: pa.Table) -> int:
        """Rows as a group of their own; how many."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._partial, table.schema, compression="zstd", write_page_checksum=True
            )
        self._writer.write_table(table, row_group_size=max(len(table), 1))
        return len(table)
