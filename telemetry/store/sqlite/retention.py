"""Retention: windows and roll-ups past their time go; what is accounted for stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.store.sqlite.blocks import PARTS_PER_BLOCK, Kind
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    import sqlite3

_RAW_FROM: Final = "raw_from_ns"


def raw_from(connection: sqlite3.Connection) -> int:
    """Windows that start before have been dropped."""
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (_RAW_FROM,)).fetchone()
    return 0 if row is None else int(row[0])


def prune(connection: sqlite3.Connection, *, raw_from_ns: int, rollups_from_ns: int) -> None:
    """Drop windows and roll-ups that start before these times, by whole hours and days."""
    raw_from_ns = max(raw_from_ns // HOUR_NS * HOUR_NS, 0)
    _drop_blocks(connection, Kind.WINDOWS, raw_from_ns)
    _drop_blocks(connection, Kind.ROLLUPS, max(rollups_from_ns // DAY_NS * DAY_NS, 0))
    connection.execute("DELETE FROM report WHERE start_ns < ?", (raw_from_ns,))
    connection.execute("DELETE FROM pending_slot WHERE slot_ns < ?", (raw_from_ns,))
    connection.execute(
        "INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
        (_RAW_FROM, raw_from_ns),
    )


def _drop_blocks(connection: sqlite3.Connection, kind: Kind, before_ns: int) -> None:
    rows = connection.execute(
        "SELECT id FROM block WHERE kind = ? AND start_ns < ?", (kind, before_ns)
    ).fetchall()
    first = [(row[0] * PARTS_PER_BLOCK, (row[0] + 1) * PARTS_PER_BLOCK) for row in rows]
    connection.executemany("DELETE FROM part WHERE id >= ? AND id < ?", first)
    connection.executemany("DELETE FROM block WHERE id = ?", rows)
