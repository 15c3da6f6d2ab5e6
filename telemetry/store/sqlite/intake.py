"""Taking reports in: decide their fate, and write all that follows from them in one transaction."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from telemetry.messages import Stream, Tombstone
from telemetry.store.ahead import is_ahead
from telemetry.store.protocol import Fate
from telemetry.store.sqlite import recent, twins
from telemetry.store.sqlite.prepared import Prepared, prepare_all
from telemetry.windows import slot_start

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from telemetry.messages import Envelope
    from telemetry.store.assembly import Origin
    from telemetry.store.protocol import Received
    from telemetry.store.sqlite.accounts import Accounts
    from telemetry.store.sqlite.recent import ReportRow

Window = tuple[str, int, int, "Sequence[str]"]
"""site, start, receipt, paths"""


class Ready(NamedTuple):
    """A batch whose rows are made."""

    reports: Sequence[Prepared]
    rows: Sequence[ReportRow]


def ready(reports: Sequence[Received]) -> Ready:
    """All the work on a batch that needs no lock on the file."""
    prepared = prepare_all(reports)
    return Ready(prepared, recent.report_rows(prepared))


def take(connection: sqlite3.Connection, accounts: Accounts, batch: Ready) -> list[Fate]:
    """Store what is new of a batch, within the caller's transaction; one fate each, in order."""
    accounts.begin(batch.reports)
    fates = [Fate.STORED if accounts.take(report) else Fate.DUPLICATE for report in batch.reports]
    is_new = [fate is Fate.STORED for fate in fates]
    fresh = list(compress(batch.reports, is_new))
    if fresh:
        recent.insert(connection, compress(batch.rows, is_new))
        _note_tombstones(connection, fresh)
        _note_contacts(connection, fresh)
        _note_windows(
            connection,
            [(r.envelope.site, r.envelope.start_ns, r.received_ns, r.values.paths) for r in fresh],
        )
        accounts.save()
    return twins.compared(connection, batch.reports, fates)


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
    _note_windows(
        connection,
        [
            (e.site, e.start_ns, origin.received_ns, [i.path for i in e.items if isinstance(i, Stream)])
            for e, origin in reports
        ],
    )


def _note_windows(connection: sqlite3.Connection, windows: Sequence[Window]) -> None:
    lines: dict[tuple[str, str], tuple[int, int]] = {}
    slots: set[tuple[str, int]] = set()
    for site, start_ns, received_ns, paths in windows:
        if not paths:
            continue
        slots.add((site, slot_start(start_ns)))
        if is_ahead(start_ns, received_ns):
            continue
        for path in paths:
            key = (site, path)
            newest, received = lines.get(key, (start_ns, received_ns))
            lines[key] = (max(newest, start_ns), min(received, received_ns))
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
