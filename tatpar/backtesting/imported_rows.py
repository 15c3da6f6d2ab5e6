"""Which slots of a past are another tool's: told row by row, for a replay.

The state database knows an imported source as a span of time, which reaches to rows that a replay may not know of yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.lines import Lines
from telemetry.store.imported import of_other_tools
from telemetry.store.protocol import Selection
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from telemetry.store.by_blocks import Blocks
    from telemetry.store.protocol import StoreReader


@dataclass(frozen=True, slots=True)
class _Job:
    """Slots `first` to before `last` of one office."""

    lines: Lines
    first: int
    last: int


def imported_rows(
    blocks: Blocks, lines: Lines, offices: Collection[str], span: tuple[int, int]
) -> NDArray[np.bool_] | None:
    """(S, P, T): the roll-up of the slot was imported, or the one that a replay has in its place; None where nothing was imported of any of the lines.

    Args:
        blocks: what reads the roll-ups.
        lines: the axes S and P.
        offices: of whom anything was imported; the roll-ups of others are not read.
        span: the axis T: first slot, and the slot after the last one.

    Raises:
        StoreError: the store cannot be read.
    """
    rows = [row for row, site in enumerate(lines.sites) if site in offices]
    if not rows:
        return None
    out = np.zeros((*lines.shape, span[1] - span[0]), dtype=bool)
    jobs = [_Job(Lines((lines.sites[row],), lines.paths), *span) for row in rows]
    for row, part in zip(rows, blocks.each(_read, jobs), strict=True):
        out[row] = part
    return out


def _read(reader: StoreReader, job: _Job) -> NDArray[np.bool_]:
    """(P, T) of one office; of its roll-ups no figures are read."""
    span = Selection(job.first * SLOT_NS, job.last * SLOT_NS, sites=job.lines.sites, paths=job.lines.paths)
    out = np.zeros((len(job.lines.paths), job.last - job.first), dtype=bool)
    for read in (reader.rollups, reader.superseded):
        table = read(span, histograms=False, columns=("stamps",), window_values=())
        mine = of_other_tools(table)
        path = np.array([job.lines.path_index[name] for name in table.paths], dtype=np.int64)
        slot = np.asarray(table.columns["slot_ns"], dtype=np.int64) // SLOT_NS - job.first
        out[path[table.columns["path"][mine]], slot[mine]] = True
    return out
