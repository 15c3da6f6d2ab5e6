"""What rehearsals have held, slot by slot, for the forecast's model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.rehearsing import OfficeState
from telemetry.windows import SECOND_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from telemetry.rehearsing import OfficeProgress, RehearsalRecord

RECALLED: Final = 2_000
"""As many rehearsals as the state database keeps."""


def rehearsed_slots(
    records: Iterable[RehearsalRecord], lines: Lines, first_slot: int, slots: int
) -> NDArray[np.float32] | None:
    """(N, T) share of the rungs that the worse way of a line held in a rehearsal that ended in the slot; NaN without.

    None when there is nothing to tell. What was refused, broken off or not heard says nothing of a line. The slot is that of the
    ladder's end, and the track knows it a minute after its own end: later than the hub heard of it.
    """
    paths = {path: index for index, path in enumerate(lines.paths)}
    out: NDArray[np.float32] | None = None
    for record in sorted(records, key=lambda one: one.request.asked_ns):
        path = paths.get(record.path)
        for office in record.offices if path is not None and record.rungs else ():
            row = lines.site_index.get(office.site)
            if row is None or office.state not in {OfficeState.HELD, OfficeState.BROKE}:
                continue
            end_ns = record.starts_ns[office.stage - 1] + round(len(record.rungs) * record.rung_s * SECOND_NS)
            slot = end_ns // SLOT_NS - first_slot
            if 0 <= slot < slots:
                if out is None:
                    out = np.full((len(lines.sites) * len(lines.paths), slots), np.nan, dtype=np.float32)
                out[row * len(lines.paths) + paths[record.path], slot] = _share(record.rungs, office)
    return out


def _share(rungs: tuple[str, ...], office: OfficeProgress) -> float:
    held = [rungs.index(rung) + 1 if rung in rungs else 0 for rung in (office.rung_up, office.rung_down)]
    return min(held) / len(rungs)
