"""Retention: windows and roll-ups past their time go; what is accounted for stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from telemetry.store.sqlite.blocks import PARTS_PER_BLOCK, Kind
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    import sqlite3

_RAW_FROM: Final = "raw_from_ns"


def raw_from(connection: sqlite3.Connection) -> int:
    """Windows that start before have been dropped."""
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (_RAW_FROM,)).fetchone()
    return 0 if row is None else int(row[0])


class Outdated(NamedTuple):
    """What lies before a time."""

    hours: int
    days: int
    reports: int
    bytes: int
    """Of blocks and reports; about what the file has free afterwards."""


def outdated(connection: sqlite3.Connection, *, raw_from_ns: int, rollups_from_ns: int) -> Outdated:
    """What `prune` with the same times would drop."""
    hours_ns, days_ns = _whole(raw_from_ns, HOUR_NS), _whole(rollups_from_ns, DAY_NS)
    counts, size = [], 0
    for kind, before_ns in ((Kind.WINDOWS, hours_ns), (Kind.ROLLUPS, days_ns), (Kind.SUPERSEDED, days_ns)):
        count, held = connection.execute(
            "SELECT count(DISTINCT block.id), coalesce(sum(length(data)), 0) FROM block"
            " JOIN part ON part.id >= block.id * ?1 AND part.id < (block.id + 1) * ?1"
            " WHERE kind = ?2 AND start_ns < ?3",
            (PARTS_PER_BLOCK, kind, before_ns),
        ).fetchone()
        counts.append(count)
        size += held
    reports, held = connection.execute(
        "SELECT count(*), coalesce(sum(length(payload) + length(records)), 0) FROM report WHERE start_ns < ?",
        (hours_ns,),
    ).fetchone()
    return Outdated(counts[0], counts[1], reports, size + held)


def days_before(connection: sqlite3.Connection, before_ns: int) -> list[int]:
    """The days that hold something that begins before a time, in order."""
    rows = connection.execute(
        "SELECT start_ns - start_ns % ?1 AS day FROM block WHERE start_ns < ?2"
        " UNION SELECT start_ns - start_ns % ?1 FROM report WHERE start_ns < ?2 ORDER BY day",
        (DAY_NS, before_ns),
    )
    return [day for (day,) in rows]


def _whole(from_ns: int, span_ns: int) -> int:
    return max(from_ns // span_ns * span_ns, 0)


def prune(connection: sqlite3.Connection, *, raw_from_ns: int, rollups_from_ns: int) -> None:
    """Drop windows and roll-ups that start before these times, by whole hours and days."""
    raw_from_ns = _whole(raw_from_ns, HOUR_NS)
    _drop_blocks(connection, Kind.WINDOWS, raw_from_ns)
    for kind in (Kind.ROLLUPS, Kind.SUPERSEDED):
        _drop_blocks(connection, kind, _whole(rollups_from_ns, DAY_NS))
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
