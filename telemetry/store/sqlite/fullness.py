"""How full an hour is: reports that are still rows, and those that are in its block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.messages import Tombstone
from telemetry.store.assembly import COMMIT
from telemetry.store.protocol import InHour
from telemetry.store.sqlite import blocks
from telemetry.store.sqlite.blocks import Kind
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    import sqlite3

_TOMBSTONE = str(Tombstone.__struct_config__.tag)


def reports_in_hour(connection: sqlite3.Connection, site: str, probe: str, hour_ns: int) -> InHour:
    """Reports of a probe whose windows begin in an hour; see `protocol.Counting`."""
    rows, empty = connection.execute(
        "SELECT count(*), coalesce(sum(paths = '' AND kinds = ?), 0) FROM report"
        " WHERE site = ? AND start_ns >= ? AND start_ns < ? AND probe = ?",
        (_TOMBSTONE, site, hour_ns, hour_ns + HOUR_NS, probe),
    ).fetchone()
    for block, _ in blocks.find(connection, Kind.WINDOWS, site, hour_ns, hour_ns + 1):
        contacts = blocks.read_contacts(connection, block)
        if probe in contacts.probes:
            rows += int(np.count_nonzero(contacts.probe == contacts.probes.index(probe)))
            empty += _empty_in_block(connection, block, site, probe)
    return InHour(rows - empty, empty)


def _empty_in_block(connection: sqlite3.Connection, block: int, site: str, probe: str) -> int:
    """Reports in a block that were nothing but tombstones, told by their commit numbers."""
    windows = blocks.read_windows(connection, block, site, columns=(), histograms=False)
    measured: set[int] = set() if windows is None else set(windows.columns[COMMIT].tolist())
    written_off: set[int] = set()
    for item in blocks.read_items(connection, block):
        if item.probe == probe:
            (written_off if item.kind == _TOMBSTONE else measured).add(item.commit)
    return len(written_off - measured)
