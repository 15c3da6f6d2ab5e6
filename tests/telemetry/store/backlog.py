"""Four slots as another tool has them, and a probe's backlog that covers them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Received, Selection
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from telemetry.store.protocol import ReportStore
    from telemetry.store.tables import RollupTable
    from tests.telemetry.store.conftest import Fleet

LATER_NS = 3 * HOUR_NS
BEGUN = 25
"""So many windows come in time: the first slot as a whole, the second in part, of the third and fourth none."""


def file_of(fleet: Fleet, *, late_ns: int = 0) -> RollupTable:
    """Four slots of two lines as another tool has them."""
    store = MemoryStore()
    store.append([fleet.report("agra", n + 1, n, emulated=True, late_ns=late_ns) for n in range(80)])
    while store.maintain(fleet.t0 + DAY_NS):
        pass
    table = store.rollups(Selection(fleet.t0, fleet.t0 + DAY_NS))
    return replace(table, columns={**table.columns, "stamps": np.zeros(len(table), np.int64)})


def report(fleet: Fleet, window: int) -> Received:
    is_late = window >= BEGUN
    return fleet.report("agra", window + 1, window, probe="p2", late_ns=LATER_NS if is_late else 0)


def measures(store: ReportStore, fleet: Fleet) -> None:
    """What is in time, roll-ups of it, then the backlog, and roll-ups again."""
    for windows in (range(BEGUN), range(BEGUN, 80)):
        store.append([report(fleet, window) for window in windows])
        while store.maintain(fleet.t0 + 5 * HOUR_NS):
            pass
