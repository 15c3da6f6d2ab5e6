"""Stream windows read from blocks and recent rows as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.store import assembly
from telemetry.store.assembly import COMMIT
from telemetry.store.sqlite import blocks, recent
from telemetry.store.sqlite.blocks import Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from telemetry.store.protocol import Selection
    from telemetry.store.tables import StreamTable


def sites_of(connection: sqlite3.Connection, selection: Selection) -> list[str]:
    """The sites that a selection wants and that ever reported, sorted."""
    known = [site for (site,) in connection.execute("SELECT DISTINCT site FROM contact ORDER BY site")]
    return [site for site in known if site in set(selection.sites)] if selection.sites else known


def read(
    connection: sqlite3.Connection,
    selection: Selection,
    *,
    histograms: bool = True,
    columns: Sequence[str] = assembly.VALUE_COLUMNS,
) -> StreamTable:
    """The windows of a selection in the order of a stream table, with their commits."""
    tables = [assembly.empty_table(columns, histograms=histograms)]
    span = (selection.start_ns, selection.end_ns)
    for site in sites_of(connection, selection):
        parts = tables[:1]
        for block, _ in blocks.find(connection, Kind.WINDOWS, site, *span):
            table = blocks.read_windows(connection, block, site, columns=columns, histograms=histograms)
            if table is not None:
                parts.append(table)
        where = "site = ? AND start_ns >= ? AND start_ns < ? ORDER BY start_ns"
        parts.append(recent.read(connection, where, (site, *span), columns=columns, histograms=histograms))
        # Put in order site by site: what moves stays within the processor's cache.
        tables.append(assembly.tidied(assembly.selected(assembly.concatenate(parts), selection)))
    return assembly.tidied_names(assembly.concatenate(tables))


def read_tail(
    connection: sqlite3.Connection, cursor: int, limit: int, *, histograms: bool
) -> tuple[int, StreamTable]:
    """Windows of the commits after a cursor, at most `limit` unless one commit has more; the next cursor."""
    empty = assembly.empty_table(assembly.VALUE_COLUMNS, histograms=histograms)
    last = _last_commit(connection)
    after = cursor - 1  # a cursor is the next commit's number, so that an empty store's is not 0
    if cursor <= 0 or after >= last:  # beyond the end: the cursor is of another file
        return last + 1, empty
    upto = min(last, after + max(limit, 1))
    parts = [empty]
    for block, site in connection.execute(
        "SELECT id, site FROM block WHERE last_commit > ? AND first_commit <= ? AND kind = ?",
        (after, upto, Kind.WINDOWS),
    ).fetchall():
        table = blocks.read_windows(
            connection, block, site, columns=assembly.VALUE_COLUMNS, histograms=histograms
        )
        if table is not None:
            commit = table.columns[COMMIT]
            parts.append(assembly.rows_where(table, (commit > after) & (commit <= upto)))
    parts.append(
        recent.read(
            connection,
            "id > ? AND id <= ? ORDER BY id",
            (after, upto),
            columns=assembly.VALUE_COLUMNS,
            histograms=histograms,
        )
    )
    reached, table = _bounded(assembly.concatenate(parts), upto, max(limit, 1))
    return reached + 1, table


def _bounded(table: StreamTable, upto: int, limit: int) -> tuple[int, StreamTable]:
    """The first rows by commit, whole commits only; how far that reaches."""
    commit = table.columns[COMMIT]
    order = np.argsort(commit, kind="stable")
    if len(order) > limit:
        rising = commit[order]
        upto = int(rising[limit - 1])
        if (
            rising[limit] == upto and rising[0] < upto
        ):  # its commit goes on behind the limit: leave it for the next
            upto = int(rising[rising < upto][-1])
        order = order[: np.searchsorted(rising, upto, side="right")]
    return upto, assembly.tidied_names(assembly.rows_at(table, order))


def _last_commit(connection: sqlite3.Connection) -> int:
    """Number of the newest commit, also when its row has been folded away."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'report'").fetchone()
    return 0 if row is None else int(row[0])
