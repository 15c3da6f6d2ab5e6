"""The newest window of every line, now or as of then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.store import assembly
from telemetry.store.ahead import without_ahead
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import blocks, recent, streams
from telemetry.store.sqlite.blocks import Kind
from telemetry.windows import DAY_NS, HOUR_NS, WINDOW_NS

if TYPE_CHECKING:
    import sqlite3

    from telemetry.store.tables import StreamTable

Line = tuple[str, str]
"""site, path"""
FOREVER_NS: Final = 2**63 - 1
_LOOK_BACK_NS: Final = (40 * WINDOW_NS, HOUR_NS, 6 * HOUR_NS, DAY_NS, 7 * DAY_NS, 35 * DAY_NS, FOREVER_NS)


def read(connection: sqlite3.Connection, as_of_ns: int | None, *, histograms: bool) -> StreamTable:
    """One row for every line that has a window (visible as of then), with commits."""
    if as_of_ns is None:
        return _now(connection, histograms=histograms)
    return _as_of(connection, as_of_ns, histograms=histograms)


def _now(connection: sqlite3.Connection, *, histograms: bool) -> StreamTable:
    lines: dict[Line, int] = {
        (site, path): at for site, path, at in connection.execute("SELECT site, path, newest_ns FROM line")
    }
    columns = assembly.VALUE_COLUMNS
    parts = [
        assembly.empty_table(columns, histograms=histograms),
        recent.read(
            connection,
            "(site, start_ns) IN (SELECT DISTINCT site, newest_ns FROM line)",
            (),
            columns=columns,
            histograms=histograms,
        ),
    ]
    folded = {(site, at) for (site, path), at in lines.items()} - _moments(parts[1], lines)
    for site, at in sorted(folded):
        for block, _ in blocks.find(connection, Kind.WINDOWS, site, at, at + 1):
            table = blocks.read_windows(connection, block, site, columns=columns, histograms=histograms)
            if table is not None:
                parts.append(assembly.rows_where(table, table.columns["start_ns"] == at))
    table = assembly.last_of_lines(without_ahead(assembly.tidied(assembly.concatenate(parts))))
    is_newest = [at == lines.get(line) for line, at in _lines_of(table)]
    return assembly.rows_where(table, np.array(is_newest, np.bool_))


def _moments(table: StreamTable, lines: dict[Line, int]) -> set[tuple[str, int]]:
    """(site, newest start) for which every line of the site with that newest window has its row here."""
    found = set(_lines_of(table))
    missing = {(line[0], at) for line, at in lines.items() if (line, at) not in found}
    return {(line[0], at) for line, at in lines.items()} - missing


def _lines_of(table: StreamTable) -> list[tuple[Line, int]]:
    columns = table.columns
    return [
        ((table.sites[site], table.paths[path]), at)
        for site, path, at in zip(
            columns["site"].tolist(), columns["path"].tolist(), columns["start_ns"].tolist(), strict=True
        )
    ]


def _as_of(connection: sqlite3.Connection, as_of_ns: int, *, histograms: bool) -> StreamTable:
    rows = connection.execute("SELECT site, path FROM line WHERE first_received_ns <= ?", (as_of_ns,))
    wanted: set[Line] = {(site, path) for site, path in rows}
    parts = [assembly.empty_table(assembly.VALUE_COLUMNS, histograms=histograms)]
    for back_ns in _LOOK_BACK_NS:
        if not wanted:
            break
        sites = tuple(sorted({site for site, _ in wanted}))
        selection = Selection(max(0, as_of_ns - back_ns), FOREVER_NS, sites=sites, as_of_ns=as_of_ns)
        table = assembly.last_of_lines(
            without_ahead(streams.read(connection, selection, histograms=histograms))
        )
        is_new = [line in wanted for line, _ in _lines_of(table)]
        parts.append(assembly.rows_where(table, np.array(is_new, np.bool_)))
        wanted -= {line for line, _ in _lines_of(table)}
    return assembly.concatenate(parts)
