"""What waits in the journal, as points."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from telemetry.messages import Stream
from telemetry.store import assembly
from telemetry.store.assembly import COMMIT
from telemetry.store.protocol import Selection
from telemetry.store.server import contacts, tables
from telemetry.store.server.item_points import item_lines
from telemetry.store.server.points import WINDOW_LANES
from telemetry.store.server.union import united
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.store.server.database import Database
    from telemetry.store.server.journal import Made
    from telemetry.store.server.journal_reader import JournalReader
    from telemetry.store.server.lines import LineMaker


class Reports(NamedTuple):
    """Points of the reports up to a commit; how many reports."""

    lines: list[str]
    last: int
    reports: int


def reports(journal: JournalReader, maker: LineMaker, cursor: int, limit: int) -> Reports:
    """The next reports behind a cursor."""
    found = journal.reports_after(cursor, limit)
    if not found:
        return Reports([], cursor, 0)
    table = assembly.table_of(found)
    lanes = [e.seq % WINDOW_LANES.count for e, _ in found for item in e.items if isinstance(item, Stream)]
    lines = maker.reports(contacts.of_reports(found))
    lines += item_lines(maker.prefix, [envelope for envelope, _ in found])
    if len(table):
        lines += maker.windows(table, np.array(lanes, np.int64))
    return Reports(lines, found[-1][1].commit, len(found))


def rollups(journal: JournalReader, maker: LineMaker, slots: Sequence[Made]) -> list[str]:
    """The roll-ups of slots."""
    table, versions = journal.rollups_of(slots)
    return maker.rollups(table, versions) if len(table) else []


def hour(journal: JournalReader, database: Database, maker: LineMaker, of: tuple[str, int]) -> list[str]:
    """What the server lacks of an hour whose block got rows otherwise than by reports."""
    site, hour_ns = of
    found = journal.hour(site, hour_ns)
    if found is None or not len(found.windows):
        return []
    windows = found.windows
    commit = windows.columns[COMMIT]
    imported = assembly.rows_where(windows, commit == 0)
    lines: list[str] = []
    if (commit > 0).any():
        span = Selection(hour_ns, hour_ns + HOUR_NS, sites=(site,))
        there = tables.windows(database, span, (site,), assembly.VALUE_COLUMNS, histograms=True)
        both = united(there, assembly.rows_where(windows, commit > 0))
        missing = assembly.rows_at(both, np.arange(len(there), len(both)))
        if len(missing):
            lines += maker.windows(missing, contacts.lanes_of_windows(missing.columns[COMMIT]))
    if len(imported):
        lines += maker.reports(contacts.of_windows(imported))
        lines += maker.windows(imported, contacts.lanes_of_windows(imported.columns[COMMIT]))
    return lines
