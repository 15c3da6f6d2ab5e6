"""What the server has, as the tables of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry.store import assembly
from telemetry.store.assembly import COMMIT
from telemetry.store.columns import FLOAT_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.protocol import StoredItem
from telemetry.store.server import packed
from telemetry.store.server.database import Span
from telemetry.store.server.points import (
    BOTH_COUNTS,
    BOTH_FLOATS,
    HISTOGRAMS,
    ITEMS,
    LANES,
    OFF_GRID,
    RECEIVED,
    VERSION,
    WAY_COLUMNS,
    WAYS,
    WINDOW_VALUES,
    Family,
)
from telemetry.store.tables import StreamTable
from telemetry.windows import MS_NS, SECOND_NS, SLOT_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from telemetry.messages import Item
    from telemetry.store.protocol import Selection
    from telemetry.store.server.database import Database, Line
    from telemetry.store.sqlite.blocks import PackedItem

SITES_PER_READ: Final = 16
_LAST_MS: Final = 7_258_118_400_000  # the year 2200: servers do not take times far beyond
_WINDOW: Final = "window:"
_Tags = tuple[str, str, str]


def spans(selection: Selection, sites: Sequence[str], grid_ns: int) -> Iterator[Span]:
    """A selection in pieces of some sites each, on the grid of its family."""
    start = max(selection.start_ns, 0) // grid_ns * (grid_ns // MS_NS)
    end = min(-(-max(selection.end_ns, 0) // grid_ns) * (grid_ns // MS_NS), _LAST_MS)
    for first in range(0, len(sites), SITES_PER_READ):
        yield Span(start, end, tuple(sites[first : first + SITES_PER_READ]), selection.paths)


def windows(
    database: Database,
    selection: Selection,
    sites: Sequence[str],
    columns: Sequence[str],
    *,
    histograms: bool,
) -> StreamTable:
    """The stream windows of a selection that the server has, with their commits, in any order."""
    tables = [assembly.empty_table(columns, histograms=histograms)]
    for span in spans(selection, sites, WINDOW_NS):
        lines = _Lines(database, (Family.WINDOW, Family.WINDOW_DIRECTION), span)
        lines.fetch(columns, (*RECEIVED, COMMIT, OFF_GRID))
        blobs = _blobs(database, Family.WINDOW, HISTOGRAMS, span) if histograms else {}
        for tags, base, rows in lines.each():
            starts, lanes = _places(base.times_ms[rows], Family.WINDOW)
            off = base.fields.get(OFF_GRID)
            start_ns = starts * MS_NS + (0 if off is None else np.nan_to_num(off[rows]).astype(np.int64))
            values = _keys(base, rows, start_ns) | {COMMIT: base.fields[COMMIT][rows].astype(np.int64)}
            values |= {name: lines.column(tags, name, rows) for name in columns}
            mine = blobs.get(tags, {})
            data = (
                [mine.get(key) for key in zip(starts.tolist(), lanes.tolist(), strict=True)]
                if histograms
                else []
            )
            parts = packed.unpack_histograms(data) if histograms else {}
            tables.append(_named(tags, values, parts))
    return assembly.selected(assembly.concatenate(tables), selection)


def rollups(
    database: Database, selection: Selection, sites: Sequence[str], names: Sequence[str], *, histograms: bool
) -> tuple[StreamTable, dict[tuple[str, int], int]]:
    """The newest roll-ups of a selection in the inner form, and the version of each (site, slot); `as_of_ns` is left aside."""
    tables: list[StreamTable] = []
    versions: dict[tuple[str, int], int] = {}
    plain = [name for name in names if not name.startswith(_WINDOW)]
    inner = [name for name in names if name.startswith(_WINDOW)]
    for span in spans(selection, sites, SLOT_NS):
        lines = _Lines(database, (Family.ROLLUP, Family.ROLLUP_DIRECTION), span)
        lines.fetch([name for name in plain if name != "windows"], (*RECEIVED, VERSION, "windows"))
        hists = _blobs(database, Family.ROLLUP, HISTOGRAMS, span) if histograms else {}
        inners = _blobs(database, Family.ROLLUP, WINDOW_VALUES, span) if inner else {}
        for tags, base, present in lines.each():
            starts, lanes = _places(base.times_ms[present], Family.ROLLUP)
            newest = np.append(starts[1:] != starts[:-1], True) if len(starts) else np.zeros(0, np.bool_)
            rows, starts, lanes = present[newest], starts[newest], lanes[newest]
            keys = list(zip(starts.tolist(), lanes.tolist(), strict=True))
            values = _keys(base, rows, starts * MS_NS)
            for name in plain:
                values[name] = (
                    base.fields[name][rows].astype(np.int64)
                    if name == "windows"
                    else lines.column(tags, name, rows)
                )
            found = (
                packed.unpack_window_values([inners.get(tags, {}).get(key) for key in keys]) if inner else {}
            )
            for name in inner:
                values[name] = found[name.removeprefix(_WINDOW)]
            mine = hists.get(tags, {})
            parts = packed.unpack_histograms([mine.get(key) for key in keys]) if histograms else {}
            ordered = {
                name: values[name] for name in ("site", "probe", "path", "start_ns", "received_ns", *names)
            }
            tables.append(_named(tags, ordered, parts))
            for start, version in zip(starts.tolist(), base.fields[VERSION][rows].tolist(), strict=True):
                key = (tags[0], start * MS_NS)
                versions[key] = max(versions.get(key, 0), int(version))
    return assembly.concatenate([_no_rollups(names, histograms=histograms), *tables]), versions


def _no_rollups(names: Sequence[str], *, histograms: bool) -> StreamTable:
    empty = assembly.empty_table((), histograms=histograms)
    columns = {name: empty.columns[name] for name in ("site", "probe", "path", "start_ns", "received_ns")}
    for name in names:
        shape = (0, 20) if name.startswith(_WINDOW) else (0,)
        kind = np.float32 if name.startswith(_WINDOW) else np.float64 if name in FLOAT_COLUMNS else np.int64
        columns[name] = np.zeros(shape, kind)
    return StreamTable((), (), (), columns, empty.histograms)


def contacts(
    database: Database, selection: Selection, sites: Sequence[str]
) -> list[tuple[str, str, int, int]]:
    """(site, probe, start, receipt) of the reports of a selection that the server has."""
    out: list[tuple[str, str, int, int]] = []
    for span in spans(selection, sites, WINDOW_NS):
        for line in database.numbers(
            Family.REPORT, (*RECEIVED, OFF_GRID), Span(span.start_ms, span.end_ms, span.sites)
        ):
            starts, _ = _places(line.times_ms, Family.REPORT)
            off = line.fields.get(OFF_GRID)
            start_ns = starts * MS_NS + (0 if off is None else np.nan_to_num(off).astype(np.int64))
            received = _received(line, np.arange(len(starts)))
            pairs = zip(start_ns.tolist(), received.tolist(), strict=True)
            out += [(line.site, line.probe, start, came) for start, came in pairs]
    return out


def items(database: Database, selection: Selection, sites: Sequence[str]) -> Iterator[tuple[str, PackedItem]]:
    """(site, item) of the items that are no streams and that the server has."""
    for span in spans(selection, sites, WINDOW_NS):
        for blobs in database.blobs(Family.REPORT, ITEMS, Span(span.start_ms, span.end_ms, span.sites)):
            for data in blobs.data:
                yield from ((blobs.site, item) for item in packed.unpack_items(data))


class _Lines:
    """The plain values of one span: those of both directions, and of each."""

    def __init__(self, database: Database, families: tuple[Family, Family], span: Span) -> None:
        self._database, self._families, self._span = database, families, span
        self._both: dict[_Tags, Line] = {}
        self._ways: dict[tuple[_Tags, str], Line] = {}

    def fetch(self, columns: Sequence[str], always: Sequence[str]) -> None:
        """Ask for these columns, and for what every row needs."""
        both = [name for name in columns if name in BOTH_COUNTS or name in BOTH_FLOATS]
        for line in self._database.numbers(self._families[0], (*always, *both), self._span):
            self._both[line.site, line.probe, line.path] = line
        ways = sorted(
            {name.split("_", 1)[1] for name in columns if name.startswith(("up_", "down_"))}
            & set(WAY_COLUMNS)
        )
        if ways and self._both:
            for line in self._database.numbers(self._families[1], ways, self._span):
                self._ways[(line.site, line.probe, line.path), line.direction] = line

    def each(self) -> Iterator[tuple[_Tags, Line, NDArray[np.int64]]]:
        """Each line of the fleet with the rows that are whole."""
        for tags, line in sorted(self._both.items()):
            if all(name in line.fields for name in RECEIVED):
                yield tags, line, np.flatnonzero(~np.isnan(line.fields[RECEIVED[0]]))

    def column(self, tags: _Tags, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """A value column for these rows of a line; absent where there is none."""
        base = self._both[tags]
        way, _, rest = name.partition("_")
        times = base.times_ms[rows]
        if way in WAYS and rest in WAY_COLUMNS:
            line = self._ways.get((tags, way))
            values = None if line is None else line.fields.get(rest)
            if line is None or values is None:
                return assembly.absent(name, len(rows))
            if len(line.times_ms) == len(times) and (line.times_ms == times).all():
                column = values
            else:
                at = np.minimum(np.searchsorted(line.times_ms, times), len(line.times_ms) - 1)
                column = np.where(line.times_ms[at] == times, values[at], np.nan)
        else:
            found = base.fields.get(name)
            if found is None:
                return assembly.absent(name, len(rows))
            column = found[rows]
        return column if name in FLOAT_COLUMNS else np.nan_to_num(column).astype(np.int64)


def _blobs(
    database: Database, family: Family, field: str, span: Span
) -> Mapping[_Tags, Mapping[tuple[int, int], bytes]]:
    return {
        (b.site, b.probe, b.path): dict(zip(zip(b.starts_ms, b.lanes, strict=True), b.data, strict=True))
        for b in database.blobs(family, field, span)
    }


def _places(times_ms: NDArray[np.int64], family: Family) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start (ms) and lane of points."""
    lanes = LANES[family]
    into = times_ms % lanes.span_ms
    return times_ms - into, into // lanes.step_ms


def _received(line: Line, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    seconds, rest = (line.fields[name][rows].astype(np.int64) for name in RECEIVED)
    return seconds * SECOND_NS + rest


def _keys(line: Line, rows: NDArray[np.int64], start_ns: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    zeros = np.zeros(len(rows), np.int32)
    return {
        "site": zeros,
        "probe": zeros,
        "path": zeros,
        "start_ns": start_ns,
        "received_ns": _received(line, rows),
    }


def _named(tags: _Tags, columns: dict[str, NDArray[Any]], histograms: Mapping[str, Any]) -> StreamTable:
    return StreamTable((tags[0],), (tags[1],), (tags[2],), columns, histograms)


def stored(site: str, item: PackedItem, content: Item) -> StoredItem:
    """An item as readers get it."""
    return StoredItem(site, item.probe, item.start_ns, item.received_ns, content)


assert len(WINDOW_VALUE_COLUMNS) == 13
