"""Folding: the recent reports of a closed hour go into the hour's packed block; late ones open it again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry import codec
from telemetry.messages import Opaque
from telemetry.store import assembly
from telemetry.store.assembly import COMMIT, Origin
from telemetry.store.item_kinds import UNKNOWN_KIND
from telemetry.store.sqlite import blocks, intake, recent
from telemetry.store.sqlite.blocks import CONTACTS_PART, ITEMS_PART, Contacts, Kind, PackedItem
from telemetry.store.sqlite.items import packed_items
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from telemetry.messages import Envelope
    from telemetry.store.tables import StreamTable

CLOSED_AFTER_NS: Final = 600 * SECOND_NS
"""An hour is folded so long after its end."""
QUIET_NS: Final = 60 * SECOND_NS
"""A late report waits so long for others of its hour."""
_MANY: Final = 1000
"""Unless so many are waiting."""
AT_ONCE: Final = 500
"""Reports folded in one piece. A true hour of a site has 240 of a probe; a flood must not be decoded all at once."""
BYTES_AT_ONCE: Final = 1_000_000
"""The same by what their payloads take in the file."""


def due(connection: sqlite3.Connection, now_ns: int, limit: int) -> list[tuple[str, int]]:
    """(site, hour) whose recent reports are to be folded now, at most `limit`.

    Goes from hour to hour by the index and stops when it has enough: with a backlog of a million rows a look at all of
    them would take longer than the folding.
    """
    found: list[tuple[str, int]] = []
    before_ns = closed_before(now_ns)
    for (site,) in connection.execute("SELECT DISTINCT site FROM contact ORDER BY site").fetchall():
        for hour_ns in _hours(connection, site, before_ns):
            if _is_due(connection, site, hour_ns, now_ns):
                found.append((site, hour_ns))
                if len(found) == limit:
                    return found
    return found


def _hours(connection: sqlite3.Connection, site: str, before_ns: int) -> Iterator[int]:
    """The hours of a site that have recent reports, in order."""
    from_ns = 0
    while True:
        first: int | None = connection.execute(
            "SELECT min(start_ns) FROM report WHERE site = ? AND start_ns >= ? AND start_ns < ?",
            (site, from_ns, before_ns),
        ).fetchone()[0]
        if first is None:
            return
        yield first - first % HOUR_NS
        from_ns = first - first % HOUR_NS + HOUR_NS


def _is_due(connection: sqlite3.Connection, site: str, hour_ns: int, now_ns: int) -> bool:
    """Whether nothing came for the hour of late, or very much did. The last row to come is the one of the greatest id."""
    count, last = connection.execute(
        "SELECT count(*), max(id) FROM report WHERE site = ? AND start_ns >= ? AND start_ns < ?",
        (site, hour_ns, hour_ns + HOUR_NS),
    ).fetchone()
    if count >= _MANY:
        return True
    (received_ns,) = connection.execute("SELECT received_ns FROM report WHERE id = ?", (last,)).fetchone()
    return bool(received_ns <= now_ns - QUIET_NS)


def closed_before(now_ns: int) -> int:
    """The end of the last hour that is closed."""
    return (now_ns - CLOSED_AFTER_NS) // HOUR_NS * HOUR_NS


@dataclass(frozen=True, slots=True)
class Hour:
    """What a block of an hour of a site holds."""

    windows: StreamTable
    items: Sequence[PackedItem]
    contacts: Contacts


def fold(connection: sqlite3.Connection, site: str, hour_ns: int) -> None:
    """Move the recent reports of a site's hour, or a first piece of very many, into its block, within the caller's transaction."""
    where = "id IN (SELECT value FROM json_each(?))"
    span = (json.dumps(_piece(connection, site, hour_ns)),)
    reports = recent.read_envelopes(connection, where + " ORDER BY start_ns, id", span)
    merge(
        connection,
        (site, hour_ns),
        Hour(assembly.table_of(reports), list(packed_items(reports)), _contacts(reports)),
    )
    unknown = f"SELECT EXISTS (SELECT 1 FROM report WHERE {where} AND instr(kinds, ?))"  # noqa: S608
    if connection.execute(unknown, (*span, UNKNOWN_KIND)).fetchone()[0]:
        intake.note_streams(connection, reports)  # an upgrade may have made streams of unknown items
    connection.execute(f"DELETE FROM report WHERE {where}", span)  # noqa: S608


def _piece(connection: sqlite3.Connection, site: str, hour_ns: int) -> list[int]:
    """The rows of a site's hour that are folded together."""
    rows = connection.execute(
        "SELECT id, length(payload) FROM report WHERE site = ? AND start_ns >= ? AND start_ns < ?"
        " ORDER BY start_ns, id LIMIT ?",
        (site, hour_ns, hour_ns + HOUR_NS, AT_ONCE),
    ).fetchall()
    sizes = accumulate(size for _, size in rows)
    return [row for (row, _), size in zip(rows, sizes, strict=True) if size <= BYTES_AT_ONCE] or [rows[0][0]]


def merge(connection: sqlite3.Connection, at: tuple[str, int], fresh: Hour) -> None:
    """Add rows to the block of a (site, hour), which is made when there is none."""
    site, hour_ns = at
    for block, _ in blocks.find(connection, Kind.WINDOWS, site, hour_ns, hour_ns + 1):
        there = read(connection, block, site)
        fresh = Hour(
            assembly.concatenate([there.windows, fresh.windows]),
            [*there.items, *fresh.items],
            _united((there.contacts, fresh.contacts)),
        )
    write(connection, at, fresh)


def read(connection: sqlite3.Connection, block: int, site: str) -> Hour:
    """All of a block."""
    windows = blocks.read_windows(connection, block, site, columns=assembly.VALUE_COLUMNS, histograms=True)
    if windows is None:
        windows = assembly.empty_table(assembly.VALUE_COLUMNS, histograms=True)
    return Hour(windows, blocks.read_items(connection, block), blocks.read_contacts(connection, block))


def write(connection: sqlite3.Connection, at: tuple[str, int], hour: Hour) -> None:
    """Write the block of a (site, hour) in place of what is there."""
    table = assembly.tidied(hour.windows)
    parts = blocks.pack_parts(table) if len(table) else {}
    parts[CONTACTS_PART] = blocks.pack_contacts(hour.contacts)
    if hour.items:
        parts[ITEMS_PART] = blocks.pack_items(hour.items)
    numbers = [*table.columns[COMMIT].tolist(), *(item.commit for item in hour.items)]
    numbers = [number for number in numbers if number] or [0]
    blocks.save(
        connection,
        blocks.Key(Kind.WINDOWS, *at),
        parts,
        commits=(min(numbers), max(numbers)),
        opaque=sum(item.kind == UNKNOWN_KIND for item in hour.items),
    )


def _contacts(reports: Iterable[tuple[Envelope, Origin]]) -> Contacts:
    rows = [(e.probe, e.start_ns, origin.received_ns) for e, origin in reports]
    probes, codes = assembly.coded([probe for probe, _, _ in rows])
    return Contacts(
        probes,
        codes,
        np.array([start for _, start, _ in rows], np.int64),
        np.array([received for _, _, received in rows], np.int64),
    )


def _united(parts: Sequence[Contacts]) -> Contacts:
    probes = tuple(sorted({probe for part in parts for probe in part.probes}))
    codes = [np.array([probes.index(name) for name in part.probes], np.int32)[part.probe] for part in parts]
    return Contacts(
        probes,
        np.concatenate(codes),
        np.concatenate([part.start_ns for part in parts]),
        np.concatenate([part.received_ns for part in parts]),
    )


def revive(connection: sqlite3.Connection, after: int) -> int | None:
    """Decode again what the next block behind `after` holds and was not understood; its id, None when there is none.

    An upgrade makes unknown items known: streams join the windows of their hour, others are filed under their tag.
    """
    row = connection.execute(
        "SELECT id, site, start_ns FROM block WHERE kind = ? AND opaque > 0 AND id > ? ORDER BY id LIMIT 1",
        (Kind.WINDOWS, after),
    ).fetchone()
    if row is None:
        return None
    block, site, hour_ns = row
    hour = read(connection, block, site)
    reports = [
        (codec.decode(item.raw), Origin(item.received_ns, item.commit, emulated=item.emulated))
        for item in hour.items
        if item.kind == UNKNOWN_KIND
    ]
    if all(isinstance(item, Opaque) for envelope, _ in reports for item in envelope.items):
        return int(block)
    windows = assembly.concatenate([hour.windows, assembly.table_of(reports)])
    known = [item for item in hour.items if item.kind != UNKNOWN_KIND]
    write(connection, (site, hour_ns), Hour(windows, [*known, *packed_items(reports)], hour.contacts))
    intake.note_streams(connection, reports)
    return int(block)
