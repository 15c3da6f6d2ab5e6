"""When a slot is told to a replay: when it closes, or a minute after the first of it came; and what of it had come by then, for good."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from telemetry.line_slots import NEVER
from telemetry.store.rollup import CLOSED_AFTER_NS, roll_up
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemetry.store.tables import RollupTable, StreamTable

_SLOTS: Final = 1 << 40
"""More than there are since the epoch."""


def closes_ns(slot: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,): when slots, counted since the epoch, close."""
    return np.asarray((slot + 1) * SLOT_NS + CLOSED_AFTER_NS)


def first_to_close(time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,): of each time the first slot that closes then or later: what comes at that time is in time for it, and late for those before."""
    return np.asarray(-((CLOSED_AFTER_NS - time_ns) // SLOT_NS) - 1)


class Told(NamedTuple):
    """Of W windows, or samples, of one office that lie in K slots of its lines.

    Attributes:
        line_slots: (K,) a number for each path and slot, rising.
        told_ns: (K,) when it was told.
        closed: (K,) that was when it closed: something had come in time.
        had: (W,) which of them had come when their slot was told.
    """

    line_slots: NDArray[np.int64]
    told_ns: NDArray[np.int64]
    closed: NDArray[np.bool_]
    had: NDArray[np.bool_]

    @classmethod
    def of(
        cls, path: NDArray[np.integer], time_ns: NDArray[np.int64], received_ns: NDArray[np.int64]
    ) -> Told:
        """What is known of a path (W,), of a time, and since when; of whichever probes."""
        numbers = _line_slot(path, time_ns)
        line_slots, of_window = np.unique(numbers, return_inverse=True)
        first_ns = np.full(len(line_slots), NEVER)
        np.minimum.at(first_ns, of_window, received_ns)
        at_closing_ns = closes_ns(line_slots % _SLOTS)
        closed = first_ns <= at_closing_ns
        told_ns = np.where(closed, at_closing_ns, first_ns + CLOSED_AFTER_NS)
        return cls(line_slots, told_ns, closed, received_ns <= told_ns[of_window])

    def roll_up(self, windows: StreamTable) -> RollupTable:
        """Roll-ups of some of the windows; one of a slot that was late as a whole was received when it was told, at the earliest."""
        table = roll_up(windows)
        row = np.searchsorted(self.line_slots, _line_slot(table.columns["path"], table.columns["slot_ns"]))
        told_ns = np.where(self.closed, 0, self.told_ns)[row]
        columns = {**table.columns, "received_ns": np.maximum(table.columns["received_ns"], told_ns)}
        return replace(table, columns=columns)


def _line_slot(path: NDArray[np.integer], time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    return path.astype(np.int64) * _SLOTS + time_ns // SLOT_NS
