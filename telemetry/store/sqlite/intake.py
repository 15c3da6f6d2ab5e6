"""Taking reports in: decide their fate, and write all that follows from them in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.messages import Stream, Tombstone
from telemetry.store.ahead import is_ahead
from telemetry.store.assembly import Origin
from telemetry.store.protocol import Fate
from telemetry.store.sqlite import recent, twins
from telemetry.windows import slot_start

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from telemetry.messages import Envelope
    from telemetry.store.protocol import Received
    from telemetry.store.sqlite.accounts import Accounts


def take(connection: sqlite3.Connection, accounts: Accounts, reports: Sequence[Received]) -> list[Fate]:
    """Store what is new of a batch, within the caller's transaction; one fate each, in order."""
    accounts.begin(reports)
    fates = [Fate.STORED if accounts.take(report) else Fate.DUPLICATE for report in reports]
    fresh = [report for report, fate in zip(reports, fates, strict=True) if fate is Fate.STORED]
    if fresh:
        recent.insert(connection, map(recent.report_row, fresh))
        _note_tombstones(connection, fresh)
        _note_contacts(connection, fresh)
        note_streams(connection, [(report.envelope, Origin(report.received_ns)) for report in fresh])
        accounts.save()
    return twins.compared(connection, reports, fates)


def _note_tombstones(connection: sqlite3.Connection, reports: Sequence[Received]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO tombstone VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                report.envelope.site,
                report.envelope.probe,
                report.envelope.epoch,
                item.first_seq,
                item.last_seq,
                item.from_ns,
                item.until_ns,
                item.reason,
                report.received_ns,
            )
            for report in reports
            for item in report.envelope.items
            if isinstance(item, Tombstone)
        ],
    )


def _note_contacts(connection: sqlite3.Connection, reports: Sequence[Received]) -> None:
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for report in reports:
        key = (report.envelope.site, report.envelope.probe)
        start, received = first.get(key, (report.envelope.start_ns, report.received_ns))
        first[key] = (min(start, report.envelope.start_ns), min(received, report.received_ns))
    note_contacts(connection, [(*key, *times) for key, times in first.items()])


def note_contacts(connection: sqlite3.Connection, rows: Sequence[tuple[str, str, int, int]]) -> None:
    """Remember since when probes report: (site, probe, first start, first receipt)."""
    connection.executemany(
        "INSERT INTO contact VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " first_start_ns = min(first_start_ns, excluded.first_start_ns),"
        " first_received_ns = min(first_received_ns, excluded.first_received_ns)",
        rows,
    )


def note_streams(connection: sqlite3.Connection, reports: Sequence[tuple[Envelope, Origin]]) -> None:
    """Remember the newest window of each line, and which slots are to be rolled up."""
    lines: dict[tuple[str, str], tuple[int, int]] = {}
    slots: set[tuple[str, int]] = set()
    for envelope, origin in reports:
        for item in envelope.items:
            if isinstance(item, Stream):
                slots.add((envelope.site, slot_start(envelope.start_ns)))
                if is_ahead(envelope.start_ns, origin.received_ns):
                    continue
                key = (envelope.site, item.path)
                newest, received = lines.get(key, (envelope.start_ns, origin.received_ns))
                lines[key] = (max(newest, envelope.start_ns), min(received, origin.received_ns))
    note_lines(connection, [(*key, *times) for key, times in lines.items()])
    connection.executemany(
        "INSERT INTO pending_slot (site, slot_ns, imported) VALUES (?, ?, 0)"
        " ON CONFLICT DO UPDATE SET imported = 0",
        sorted(slots),
    )


def note_lines(connection: sqlite3.Connection, rows: Sequence[tuple[str, str, int, int]]) -> None:
    """Remember the newest window of lines: (site, path, newest start, first receipt)."""
    connection.executemany(
        "INSERT INTO line VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " newest_ns = max(newest_ns, excluded.newest_ns),"
        " first_received_ns = min(first_received_ns, excluded.first_received_ns)",
        rows,
    )
