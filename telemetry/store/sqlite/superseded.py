"""Imported roll-ups that have given way, in the file: a block a site and day, beside those in force; see `telemetry.store.superseded`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from telemetry.store import assembly
from telemetry.store.imported import is_among, of_other_tools
from telemetry.store.rollup_tables import as_rollups
from telemetry.store.sqlite import rollups, streams
from telemetry.store.sqlite.blocks import Kind
from telemetry.store.superseded import to_keep

if TYPE_CHECKING:
    import sqlite3

    from telemetry.store.superseded import Windows
    from telemetry.store.tables import StreamTable


def give_way(
    connection: sqlite3.Connection, at: tuple[str, int], there: StreamTable, fresh: StreamTable
) -> None:
    """Keep what was imported of a site's day and is covered by what is fresh, where it came before, within the caller's transaction."""
    kept = to_keep(there, fresh, _windows(connection))
    if len(kept):
        _write(connection, at, kept, kept)


def take(
    connection: sqlite3.Connection, at: tuple[str, int], rows: StreamTable, measured: StreamTable
) -> None:
    """Take in what is imported of slots that were measured, where it came before; an import takes an earlier one's place as a whole."""
    anew = assembly.rows_where(rows, of_other_tools(rows))
    if len(anew):
        _write(connection, at, to_keep(anew, measured, _windows(connection)), anew)


def _write(connection: sqlite3.Connection, at: tuple[str, int], kept: StreamTable, anew: StreamTable) -> None:
    there = rollups.whole_day(connection, *at, Kind.SUPERSEDED)
    if there is not None:
        kept = assembly.concatenate([assembly.rows_where(there, ~is_among(there, anew)), kept])
    elif not len(kept):
        return
    rollups.write_day(connection, *at, as_rollups(assembly.tidied(kept)), Kind.SUPERSEDED)


def _windows(connection: sqlite3.Connection) -> Windows:
    return partial(streams.read, connection, histograms=False, columns=())
