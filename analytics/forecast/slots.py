"""Roll-ups of a deployment by the slot: the grid that a `Track` is cut from, for several limit sets at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from analytics.floor import ABOVE
from analytics.history import METRICS, of_slots, slot_figures
from analytics.hours import utc_bounds_ns
from analytics.one_window import begins, counted_once, fullest_rows, ranks
from analytics.samples import broken_in_past
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.history import History
    from analytics.hours import HourSpan
    from analytics.lines import Lines
    from analytics.losses import Values
    from config.profiles import Limits
    from telemetry.store.tables import RollupTable

MOST_STRAIN: Final = 10.0
"""A figure ten times its limit says no less than one a hundred times."""


@dataclass(frozen=True, slots=True)
class SlotGrid:
    """Slots `first_slot ..` of all lines; L limit sets, S sites, P paths, T slots.

    Attributes:
        lines: the axes S and P.
        first_slot: number of the first slot since the epoch.
        measured: (S, P, T) windows that were measured, 0..20.
        broken: (L, S, P, T) how many of them broke.
        strain: (L, S, P, T) the worst figure of the slot over its limit, 0..`MOST_STRAIN`; NaN where none was measured.
        received_ns: (S, P, T) when the last of its windows was received; 0 where none was.
    """

    lines: Lines
    first_slot: int
    measured: NDArray[np.uint8]
    broken: NDArray[np.uint8]
    strain: NDArray[np.float32]
    received_ns: NDArray[np.int64]

    @property
    def end_slot(self) -> int:
        """The slot after the last one."""
        return self.first_slot + int(self.measured.shape[-1])


def empty_slots(lines: Lines, limit_sets: int, first_slot: int, slots: int) -> SlotGrid:
    """A grid that has seen nothing."""
    shape = (*lines.shape, slots)
    return SlotGrid(
        lines=lines,
        first_slot=first_slot,
        measured=np.zeros(shape, dtype=np.uint8),
        broken=np.zeros((limit_sets, *shape), dtype=np.uint8),
        strain=np.full((limit_sets, *shape), np.nan, dtype=np.float32),
        received_ns=np.zeros(shape, dtype=np.int64),
    )


def put_rollups(
    grid: SlotGrid,
    table: RollupTable,
    limits: Sequence[Limits],
    *,
    figures: NDArray[np.float32] | None = None,
) -> None:
    """Lay roll-ups into a grid; rows of other lines and times are passed over.

    Where a probe took another's place within a slot there are two rows of it: their windows count together, each once, and
    the figures are those of the fuller one.

    Args:
        grid: filled in place.
        table: with window values, and the columns `up_jitter_ms`, `down_jitter_ms`, `rtt_p95_ms`.
        limits: the grid's L limit sets.
        figures: (6, S, P, T) of the grid; filled with the figures of `METRICS` where it is given.
    """
    rows, cell = _cells(grid, table)
    if not len(rows):
        return
    values: Values = table.window_values
    if len(rows) < len(table):
        values = {name: column[rows] for name, column in table.window_values.items()}
    values = counted_once(table, values, rows)
    found = slot_figures(table, rows, values)
    measured = (values["sent"] > 0).sum(axis=-1)
    firsts, cell = _without_twins(cell)
    if figures is not None:
        fullest = fullest_rows(firsts, measured, ranks(table.probes)[table.columns["probe"][rows]])
        for index, name in enumerate(METRICS):
            figures[(index, *cell)] = found[name][fullest]
    if ABOVE in values:
        found[ABOVE] = _mean(values[ABOVE])
    grid.measured[cell] = np.add.reduceat(measured, firsts)
    received_ns = np.asarray(table.columns["received_ns"], dtype=np.int64)[rows]
    grid.received_ns[cell] = np.maximum.reduceat(received_ns, firsts)
    broken = broken_in_past(values, measured, limits)
    for index, each in enumerate(limits):
        grid.broken[(index, *cell)] = np.add.reduceat(broken[index], firsts)
        grid.strain[(index, *cell)] = np.fmax.reduceat(strain(found, each), firsts)


def history_of(table: RollupTable, lines: Lines, limits: Sequence[Limits], span: HourSpan) -> History:
    """The hours of a span out of roll-ups, as the watch has them; rows of other lines and times are passed over."""
    start_ns, end_ns = utc_bounds_ns(span)
    grid = empty_slots(lines, len(limits), start_ns // SLOT_NS, (end_ns - start_ns) // SLOT_NS)
    figures = np.full((len(METRICS), *grid.measured.shape), np.nan, dtype=np.float32)
    put_rollups(grid, table, limits, figures=figures)
    times_ns = np.arange(grid.first_slot, grid.end_slot, dtype=np.int64) * SLOT_NS
    return of_slots(lines, span, (times_ns, grid.measured, grid.broken), figures)


def merged_slots(old: SlotGrid, new: SlotGrid, keep_slots: int) -> SlotGrid:
    """`old` with the slots of `new` put in place of its own, and at most the newest `keep_slots` kept."""
    end = max(old.end_slot, new.end_slot)
    first = max(min(old.first_slot, new.first_slot), end - keep_slots)
    out = empty_slots(new.lines, len(new.broken), first, end - first)
    for source in (old, new):
        low, high = max(source.first_slot, first), min(source.end_slot, end)
        if high <= low:
            continue
        here = slice(low - first, high - first)
        there = slice(low - source.first_slot, high - source.first_slot)
        for name in ("measured", "broken", "strain", "received_ns"):
            getattr(out, name)[..., here] = getattr(source, name)[..., there]
    return out


def put_offices(grid: SlotGrid, part: SlotGrid, first: int) -> None:
    """Lay the grid of some offices, over the same slots, into a whole one, from its office `first` on."""
    here = slice(first, first + len(part.lines.sites))
    grid.measured[here] = part.measured
    grid.received_ns[here] = part.received_ns
    grid.broken[:, here] = part.broken
    grid.strain[:, here] = part.strain


def joined_slots(lines: Lines, blocks: Sequence[SlotGrid]) -> SlotGrid:
    """The grids of consecutive blocks of sites, over the same slots, as one."""
    return SlotGrid(
        lines=lines,
        first_slot=blocks[0].first_slot,
        measured=np.concatenate([block.measured for block in blocks], axis=0),
        broken=np.concatenate([block.broken for block in blocks], axis=1),
        strain=np.concatenate([block.strain for block in blocks], axis=1),
        received_ns=np.concatenate([block.received_ns for block in blocks], axis=0),
    )


def strain(figures: Mapping[str, NDArray[np.floating]], limits: Limits) -> NDArray[np.float32]:
    """The worst of a slot's figures over its limit; NaN where there is none, so everywhere when there are no limits.

    Args:
        figures: of one shape: loss ratios of the slot as a whole, mean jitter, `rtt_p95_ms`; where known, `floor.ABOVE`.
        limits: a figure without a limit does not count.
    """
    loss = np.fmax(
        np.fmax(figures["up_loss_ratio"], figures["down_loss_ratio"]), figures["loss_ratio"] / 2.0
    )  # half of what is lost without a known direction, at least, is of one direction
    parts = [
        value / limit
        for value, limit in (
            (loss, limits.loss_ratio),
            (figures["up_jitter_ms"], limits.jitter_ms),
            (figures["down_jitter_ms"], limits.jitter_ms),
            (figures["rtt_p95_ms"], limits.rtt_ms),
            (figures.get(ABOVE, np.full_like(loss, np.nan)), limits.rtt_above_floor_ms),
        )
        if limit
    ]
    if not parts:  # nothing is measured by anything, also where nothing comes through
        return np.full_like(loss, np.nan, dtype=np.float32)
    return np.asarray(np.minimum(np.fmax.reduce(parts, axis=0), MOST_STRAIN), dtype=np.float32)


def _mean(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean of the windows that have the figure, NaN where none has."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


Cells: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]"


def _without_twins(cell: Cells) -> tuple[NDArray[np.int64], Cells]:
    """Where the rows of each slot begin (those of one slot follow each other), and each slot once."""
    firsts = np.flatnonzero(begins(*cell))
    return firsts, (cell[0][firsts], cell[1][firsts], cell[2][firsts])


def _cells(grid: SlotGrid, table: RollupTable) -> tuple[NDArray[np.int64], Cells]:
    """Rows of the table that lie on the grid, and their places."""
    site, path = grid.lines.places(table)
    slot = np.asarray(table.columns["slot_ns"], dtype=np.int64) // SLOT_NS - grid.first_slot
    rows = np.flatnonzero((site >= 0) & (path >= 0) & (slot >= 0) & (slot < grid.measured.shape[-1]))
    return rows, (site[rows], path[rows], slot[rows])
