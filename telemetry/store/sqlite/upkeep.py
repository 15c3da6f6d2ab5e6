"""Rolling up: the slots that reports touched, a site's day at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.store import assembly
from telemetry.store.imported import is_among
from telemetry.store.protocol import Selection
from telemetry.store.rollup import CLOSED_AFTER_NS, roll_up
from telemetry.store.rollup_tables import as_rollups, as_windows
from telemetry.store.sqlite import rollups, streams, superseded
from telemetry.store.sqlite.retention import raw_from
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    import sqlite3

    from telemetry.store.tables import StreamTable


def due(connection: sqlite3.Connection, now_ns: int, limit: int) -> list[tuple[str, int]]:
    """(site, day) with closed slots to be rolled up, at most `limit`."""
    rows = connection.execute(
        "SELECT DISTINCT site, slot_ns - slot_ns % ? FROM pending_slot WHERE slot_ns <= ? LIMIT ?",
        (DAY_NS, last_closed(now_ns), limit),
    )
    return [(site, day) for site, day in rows]


def last_closed(now_ns: int) -> int:
    """A slot that starts by then is closed."""
    return now_ns - CLOSED_AFTER_NS - SLOT_NS


def roll_up_day(connection: sqlite3.Connection, site: str, day_ns: int, now_ns: int) -> None:
    """Make the roll-ups of a site's day that wait (again), within the caller's transaction."""
    span = (site, day_ns, min(day_ns + DAY_NS, last_closed(now_ns) + 1))
    where = "site = ? AND slot_ns >= ? AND slot_ns < ?"
    rows = connection.execute(f"SELECT slot_ns FROM pending_slot WHERE {where}", span)  # noqa: S608
    slots = np.array([slot for (slot,) in rows], np.int64)
    if len(slots):
        windows = streams.read(
            connection, Selection(int(slots.min()), int(slots.max()) + SLOT_NS, sites=(site,))
        )
        touched = np.isin(windows.columns["start_ns"] // SLOT_NS * SLOT_NS, slots)
        fresh = as_windows(roll_up(assembly.rows_where(windows, touched)))
        _write(connection, (site, day_ns), fresh)
        connection.execute(f"DELETE FROM pending_slot WHERE {where}", span)  # noqa: S608


def _write(connection: sqlite3.Connection, at: tuple[str, int], fresh: StreamTable) -> None:
    there = rollups.whole_day(connection, *at)
    if there is not None:
        # A roll-up whose windows are past their retention is better than one of a late window alone.
        is_old = fresh.columns["start_ns"] < raw_from(connection)
        fresh = assembly.rows_where(fresh, ~(is_old & is_among(fresh, there)))
    write(connection, at, there, fresh)


def write(
    connection: sqlite3.Connection, at: tuple[str, int], there: StreamTable | None, fresh: StreamTable
) -> None:
    """Write a site's day: what is there, but for the slots that are fresh; of those, what replays need is kept apart."""
    if there is not None:
        superseded.give_way(connection, at, there, fresh)
        fresh = assembly.concatenate([assembly.rows_where(there, ~is_among(there, fresh)), fresh])
    rollups.write_day(connection, *at, as_rollups(assembly.tidied(fresh)))
