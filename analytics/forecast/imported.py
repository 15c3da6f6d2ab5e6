"""What another tool measured, and was imported: how far it reaches, at what rhythm, and what its silence says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from analytics.forecast.in_time import closed_ns, heard_before, in_time
from analytics.rhythm import slots_due
from telemetry.line_slots import NEVER
from telemetry.windows import HOUR_NS, SLOT_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid

OVER_NS: Final = 24 * HOUR_NS
"""An imported source that has been silent for so long may be over."""
_OVER_SLOTS: Final = OVER_NS // SLOT_NS


@dataclass(frozen=True, slots=True)
class Imported:
    """Which slots of a grid's offices are of imported sources.

    Attributes:
        covered: (S, T) a source covers the slot, or may.
        rows: (S, P, T) which cells are imported; (S, 1, T): on all lines alike.
    """

    covered: NDArray[np.bool_]
    rows: NDArray[np.bool_]

    @classmethod
    def of_spans(cls, covered: NDArray[np.bool_]) -> Self:
        """Of sources that are known by the time that they cover, (S, T): all that was measured in it is theirs."""
        return cls(covered, covered[:, None])

    @classmethod
    def of_rows(cls, grid: SlotGrid, rows: NDArray[np.bool_]) -> Self:
        """Of imported cells, (S, P, T): a source may go on while a row of it that came in time lies at most `OVER_NS` before. Nothing that comes later tells of it."""
        slot = np.arange(rows.shape[-1])
        last = np.maximum.accumulate(np.where(in_time(grid, rows), slot, -len(slot) - _OVER_SLOTS), axis=1)
        return cls(np.asarray(slot - last <= _OVER_SLOTS), rows)


def expected_slots(grid: SlotGrid, imported: Imported) -> NDArray[np.bool_]:
    """(S, T): whether an office was to report at that time: a probe of it had been heard before, or an imported source covers it.

    Such a source has an end, after which nobody can tell the office's silence from a file that is over; and a rhythm of its own.
    """
    return due_slots(grid, imported) & (imported.covered | _by_probes(grid, imported))


def due_slots(grid: SlotGrid, imported: Imported) -> NDArray[np.bool_]:
    """(S, T): a slot without anything is silence, not only the time between two samples of an imported source.

    Its rhythm is told by those of its rows that came in time: what comes late must not be told of beforehand.
    """
    sampled = slots_due(in_time(grid, imported.rows))
    return np.asarray(sampled | ~imported.covered | _by_probes(grid, imported))


def over_by_ns(grid: SlotGrid, lost: NDArray[np.bool_], imported: Imported) -> NDArray[np.int64]:
    """(S, T): when the silence of an imported source has lasted for so long that the source may be over; `NEVER` of what was no such silence.

    While a file has a hole nobody knows whether rows follow, so a hole and an end are told alike: as silence for `OVER_NS`, then not
    at all. A source none of whose rows comes in time is never silent.

    Args:
        grid: what is there, whenever it came.
        lost: (S, T) contact was lost: that is known of itself.
        imported: the sources.
    """
    closes_ns = closed_ns(grid)
    there = in_time(grid, imported.rows)
    last_ns = np.maximum.accumulate(np.where(there, closes_ns, 0), axis=1)
    next_ns = np.minimum.accumulate(np.where(there, closes_ns, NEVER)[:, ::-1], axis=1)[:, ::-1]
    over_ns = np.where(last_ns > 0, last_ns + OVER_NS, 0)
    ends = imported.covered & ~lost & ~_by_probes(grid, imported) & (next_ns > over_ns)
    return np.where(ends, over_ns, NEVER)


def _by_probes(grid: SlotGrid, imported: Imported) -> NDArray[np.bool_]:
    """(S, T): a probe of the office had been heard before: what is not among the imported rows."""
    return heard_before(grid, (grid.measured > 0) & ~imported.rows)
