"""Tracks of which everything arrived in time: what broke and the strain are all that a test need say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.track import Track
from telemetry.line_slots import NEVER
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NOON: Final = 5_985_072
"""A slot at noon UTC."""


def arrived_track(
    broke: NDArray[np.float64] | NDArray[np.float32] | NDArray[np.bool_],
    strain: NDArray[np.float64] | NDArray[np.float32],
    first_slot: int = NOON,
    late_ns: int = 0,
    groups: Mapping[str, NDArray[np.int32]] | None = None,
) -> Track:
    """Lines (N, T) of five-minute slots from `first_slot` on, each known `late_ns` after its end; NaN was not measured. No works, no rehearsals."""
    lines, slots = broke.shape
    ends_ns = (first_slot + 1 + np.arange(slots, dtype=np.int64)) * SLOT_NS
    return Track(
        first_slot=first_slot,
        slot_ns=SLOT_NS,
        broke=broke.astype(np.float32),
        measured=np.isfinite(broke).astype(np.float32),
        silent_until_ns=np.zeros((lines, slots), dtype=np.int64),
        strain=strain.astype(np.float32),
        arrived_ns=np.tile(ends_ns + late_ns, (lines, 1)),
        planned=np.zeros((lines, slots), dtype=bool),
        rehearsed=np.full((lines, slots), np.nan, dtype=np.float32),
        groups={} if groups is None else dict(groups),
    )


def silent_until(
    awaited: NDArray[np.bool_], measured: NDArray[np.float32], arrived_ns: NDArray[np.int64], paths: int = 1
) -> NDArray[np.int64]:
    """(N, T) of offices of so many lines each: an awaited slot was silent until the first of them came, for ever where none did."""
    came_ns = np.where(measured > 0, arrived_ns, NEVER)
    first_ns = came_ns.reshape(-1, paths, came_ns.shape[1]).min(axis=1)
    return np.where(awaited, np.repeat(first_ns, paths, axis=0), 0)
