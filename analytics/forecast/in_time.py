"""Which slots of a deployment's grid were there when they closed, and of whom anything had come by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.seen import closing_ns
from telemetry.line_slots import NEVER
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid


def closed_ns(grid: SlotGrid) -> NDArray[np.int64]:
    """(T,): when each slot closes, ns."""
    return closing_ns(grid.first_slot, grid.measured.shape[-1], SLOT_NS)


def in_time(grid: SlotGrid, rows: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """(S, T): something of an office, or of some `rows` (S, P, T) of it, was there by the time at which the slot closed."""
    came = (grid.received_ns > 0) & (grid.received_ns <= closed_ns(grid))
    return np.asarray((came if rows is None else came & rows).any(axis=1))


def heard_before(grid: SlotGrid, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S, T): something of an office that is `there`, (S, P, T), had come by the time at which the slot closed."""
    first_ns = np.where(there, grid.received_ns, NEVER).min(axis=(1, 2), initial=NEVER)
    return np.asarray(first_ns[:, None] <= closed_ns(grid))
