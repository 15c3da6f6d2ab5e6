"""How full an hour is: reports that are still rows, and those that are in its block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.store.sqlite import blocks
from telemetry.store.sqlite.blocks import Kind
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    import sqlite3


def reports_in_hour(connection: sqlite3.Connection, site: str, probe: str, hour_ns: int) -> int:
    """Reports of a probe whose windows begin in an hour."""
    (rows,) = connection.execute(
        "SELECT count(*) FROM report WHERE site = ? AND start_ns >= ? AND start_ns < ? AND probe = ?",
        (site, hour_ns, hour_ns + HOUR_NS, probe),
    ).fetchone()
    folded = 0
    for block, _ in blocks.find(connection, Kind.WINDOWS, site, hour_ns, hour_ns + 1):
        contacts = blocks.read_contacts(connection, block)
        if probe in contacts.probes:
            folded += int(np.count_nonzero(contacts.probe == contacts.probes.index(probe)))
    return int(rows) + folded
