"""Windows and roll-ups of another origin: straight into blocks; what is there already stays."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry import codec
from telemetry.store import assembly
from telemetry.store.ahead import without_ahead
from telemetry.store.imported import completed, is_among
from telemetry.store.item_kinds import kind_of
from telemetry.store.protocol import Selection
from telemetry.store.rollup_tables import as_windows
from telemetry.store.sqlite import blocks, fold, intake, items, rollups, streams, superseded, upkeep
from telemetry.store.sqlite.blocks import Contacts, Kind, PackedItem
from telemetry.store.tables import StreamTable
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from telemetry.store.protocol import StoredItem
    from telemetry.store.tables import RollupTable

_NO_WINDOW_NS: Final = 2**62
"""First contact of a probe of which only roll-ups are known: none, until a window comes."""


def import_streams(connection: sqlite3.Connection, table: StreamTable) -> None:
    """Take in windows, within the caller's transaction."""
    table = completed(table)
    _note(connection, table)
    for site, hour_ns, rows in _chunks(table, HOUR_NS):
        fresh = _not_there(connection, site, hour_ns, rows)
        if len(fresh):
            fold.merge(connection, (site, hour_ns), fold.Hour(fresh, (), _contacts(fresh)))
            _ask_for_rollups(connection, site, fresh)


def import_rollups(connection: sqlite3.Connection, table: RollupTable) -> None:
    """Take in roll-ups, within the caller's transaction."""
    windows = as_windows(table)
    _note(connection, windows, contacts_from_ns=_NO_WINDOW_NS)
    for site, day_ns, rows in _chunks(windows, DAY_NS):
        there = rollups.whole_day(connection, site, day_ns)
        fresh = rows
        if there is not None:
            measured = assembly.rows_where(there, there.columns["emulated"] == 0)
            is_measured = is_among(rows, measured)
            superseded.take(connection, (site, day_ns), assembly.rows_where(rows, is_measured), measured)
            fresh = assembly.rows_where(rows, ~is_measured)
        if len(fresh):
            upkeep.write(connection, (site, day_ns), there, fresh)
        connection.executemany(
            "DELETE FROM pending_slot WHERE site = ? AND slot_ns = ? AND imported = 1",
            [(site, slot) for slot in np.unique(rows.columns["start_ns"]).tolist()],
        )


def import_items(connection: sqlite3.Connection, stored: Sequence[StoredItem]) -> None:
    """Take in items that are no streams, within the caller's transaction."""
    hours: dict[tuple[str, int], list[PackedItem]] = defaultdict(list)
    for one in stored:
        at = (one.site, one.start_ns // HOUR_NS * HOUR_NS)
        raw = codec.encode_item(one.item)
        hours[at].append(PackedItem(kind_of(one.item), one.probe, one.start_ns, one.received_ns, 0, raw))
    for (site, hour_ns), packed in hours.items():
        there = {_identity(item) for item in items.of_hour(connection, site, hour_ns)}
        fresh = [item for item in packed if _identity(item) not in there]
        if fresh:
            contacts = _unknown_contacts(connection, site, hour_ns, fresh)
            nothing = assembly.empty_table(assembly.VALUE_COLUMNS, histograms=True)
            fold.merge(connection, (site, hour_ns), fold.Hour(nothing, fresh, contacts))
            first = [(site, item.probe, item.start_ns, item.received_ns) for item in fresh]
            intake.note_contacts(connection, first)


def _identity(item: PackedItem) -> tuple[str, str, int, int, bytes]:
    return item.kind, item.probe, item.start_ns, item.received_ns, item.raw


def _unknown_contacts(
    connection: sqlite3.Connection, site: str, hour_ns: int, fresh: Sequence[PackedItem]
) -> Contacts:
    """Of items that came with no window: their probe has reported then all the same."""
    known = set()
    for block, _ in blocks.find(connection, Kind.WINDOWS, site, hour_ns, hour_ns + 1):
        there = blocks.read_contacts(connection, block)
        starts = zip(there.probe.tolist(), there.start_ns.tolist(), strict=True)
        known |= {(there.probes[code], start) for code, start in starts}
    span = (site, hour_ns, hour_ns + HOUR_NS)
    known |= set(
        connection.execute(
            "SELECT probe, start_ns FROM report WHERE site = ? AND start_ns >= ? AND start_ns < ?", span
        )
    )
    new = {(item.probe, item.start_ns): item.received_ns for item in reversed(fresh)}
    rows = sorted((*key, received) for key, received in new.items() if key not in known)
    probes, codes = assembly.coded([probe for probe, _, _ in rows])
    return Contacts(
        probes,
        codes,
        np.array([start for _, start, _ in rows], np.int64),
        np.array([received for _, _, received in rows], np.int64),
    )


def _note(connection: sqlite3.Connection, table: StreamTable, *, contacts_from_ns: int | None = None) -> None:
    """Remember the probes and lines of a table, as if they had reported; first contact is their first window.

    With `contacts_from_ns` it is that instead: silence is told by windows, and those of roll-ups are not here.
    """
    table = without_ahead(table)
    c = table.columns
    for which, names, note in (
        ("probe", table.probes, intake.note_contacts),
        ("path", table.paths, intake.note_lines),
    ):
        key = c["site"].astype(np.int64) * max(len(names), 1) + c[which]
        rows = []
        for value in np.unique(key).tolist():
            mine = key == value
            starts = c["start_ns"][mine]
            first_ns = int(starts.min()) if contacts_from_ns is None else contacts_from_ns
            time = first_ns if which == "probe" else int(starts.max())
            site, name = table.sites[value // len(names)], names[value % len(names)]
            rows.append((site, name, time, int(c["received_ns"][mine].min())))
        note(connection, rows)


def _chunks(table: StreamTable, span_ns: int) -> Iterator[tuple[str, int, StreamTable]]:
    """(site, span, rows) in order."""
    site, span = table.columns["site"], table.columns["start_ns"] // span_ns
    order = np.lexsort((table.columns["start_ns"], table.columns["path"], span, site))
    edges = np.flatnonzero(np.diff(site[order]) | np.diff(span[order])) + 1
    for rows in np.split(order, edges):
        if len(rows):
            first = rows[0]
            chunk = assembly.rows_at(table, rows)
            code = np.zeros(len(rows), np.int32)
            name = table.sites[int(site[first])]
            yield (
                name,
                int(span[first]) * span_ns,
                StreamTable(
                    (name,), chunk.probes, chunk.paths, {**chunk.columns, "site": code}, chunk.histograms
                ),
            )


def _not_there(connection: sqlite3.Connection, site: str, hour_ns: int, rows: StreamTable) -> StreamTable:
    there = streams.read(
        connection, Selection(hour_ns, hour_ns + HOUR_NS, sites=(site,)), histograms=False, columns=()
    )
    return assembly.rows_where(rows, ~is_among(rows, there))


def _contacts(rows: StreamTable) -> Contacts:
    _, first = np.unique(
        np.stack((rows.columns["probe"].astype(np.int64), rows.columns["start_ns"])),
        axis=1,
        return_index=True,
    )
    columns = {name: rows.columns[name][first] for name in ("probe", "start_ns", "received_ns")}
    return Contacts(rows.probes, columns["probe"], columns["start_ns"], columns["received_ns"])


def _ask_for_rollups(connection: sqlite3.Connection, site: str, rows: StreamTable) -> None:
    """Have the slots of imported windows rolled up, but for those that have been imported as well."""
    slots = set((rows.columns["start_ns"] // SLOT_NS * SLOT_NS).tolist())
    for day in {slot // DAY_NS * DAY_NS for slot in slots}:
        slots -= rollups.imported_slots(connection, site, day)
    connection.executemany(
        "INSERT OR IGNORE INTO pending_slot VALUES (?, ?, 1)", [(site, slot) for slot in sorted(slots)]
    )
