"""Reads the slot grid of a span out of a store, block by block, in bounded memory beside the grid itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.forecast.slots import empty_slots, joined_slots, put_rollups
from analytics.lines import Lines
from tatpar.watching.floors import rollups_to_judge
from telemetry.store.by_blocks import InProcess
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analytics.forecast.slots import SlotGrid
    from config.profiles import Limits
    from telemetry.store.by_blocks import Blocks
    from telemetry.store.protocol import StoreReader

SITES_PER_READ = 8
SPAN_PER_READ_NS = 7 * DAY_NS


@dataclass(frozen=True, slots=True)
class BlockOfSlots:
    """Slots `first` to before `last` of some lines under some limit sets."""

    lines: Lines
    limits: tuple[Limits, ...]
    first: int
    last: int


def read_slots(  # noqa: PLR0913 - what, of when, how told, by whom
    reader: StoreReader,
    lines: Lines,
    limits: Sequence[Limits],
    span_ns: tuple[int, int],
    progress: Callable[[int, int], None] = lambda _, __: None,
    *,
    blocks: Blocks | None = None,
) -> SlotGrid:
    """The slots of `[start, end)` of all lines under each limit set.

    `progress(done, of)` counts offices; `blocks` does the reading, here unless it says otherwise.
    """
    first, last = span_ns[0] // SLOT_NS, -(-span_ns[1] // SLOT_NS)
    sites = [lines.sites[at : at + SITES_PER_READ] for at in range(0, len(lines.sites), SITES_PER_READ)]
    jobs = [BlockOfSlots(Lines(each, lines.paths), tuple(limits), first, last) for each in sites]
    grids, done = [], 0
    for grid in (blocks or InProcess(reader)).each(read_block_of_slots, jobs):
        grids.append(grid)
        done += len(grid.lines.sites)
        progress(done, len(lines.sites))
    return joined_slots(lines, grids)


def read_block_of_slots(reader: StoreReader, job: BlockOfSlots) -> SlotGrid:
    """Read and judge one block; a week of its roll-ups is in memory at a time."""
    grid = empty_slots(job.lines, len(job.limits), job.first, job.last - job.first)
    for start_ns in range(job.first * SLOT_NS, job.last * SLOT_NS, SPAN_PER_READ_NS):
        end_ns = min(start_ns + SPAN_PER_READ_NS, job.last * SLOT_NS)
        selection = Selection(start_ns, end_ns, sites=job.lines.sites)
        table = rollups_to_judge(reader, job.lines, job.limits, selection)
        if len(table):
            put_rollups(grid, table, job.limits)
    return grid
