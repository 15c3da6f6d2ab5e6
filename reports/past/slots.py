"""Reads the slot grid of a span out of a store, block by block, in bounded memory beside the grid itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.forecast.slots import empty_slots, put_offices
from analytics.lines import Lines
from reports.past.as_closed import read_as_closed
from reports.past.judged import JudgedSpan, read_judged
from telemetry.store.by_blocks import InProcess
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analytics.forecast.slots import SlotGrid
    from config.profiles import Limits
    from telemetry.store.by_blocks import Blocks
    from telemetry.store.protocol import StoreReader

SITES_PER_READ = 8


def read_slots(  # noqa: PLR0913 - what, of when, how told, by whom
    reader: StoreReader,
    lines: Lines,
    limits: Sequence[Limits],
    span_ns: tuple[int, int],
    progress: Callable[[int, int], None] = lambda _, __: None,
    *,
    blocks: Blocks | None = None,
    as_closed: bool = False,
) -> SlotGrid:
    """The slots of `[start, end)` of all lines under each limit set; `as_closed`: as a replay knows them.

    `progress(done, of)` counts offices; `blocks` does the reading, here unless it says otherwise.
    """
    first, last = span_ns[0] // SLOT_NS, -(-span_ns[1] // SLOT_NS)
    sites = [lines.sites[at : at + SITES_PER_READ] for at in range(0, len(lines.sites), SITES_PER_READ)]
    jobs = [
        JudgedSpan(Lines(each, lines.paths), tuple(limits), first, last, last * SLOT_NS) for each in sites
    ]
    grid, done = empty_slots(lines, len(limits), first, last - first), 0
    read = read_as_closed if as_closed else read_block_of_slots
    for part in (blocks or InProcess(reader)).each(read, jobs):
        put_offices(grid, part, done)
        done += len(part.lines.sites)
        progress(done, len(lines.sites))
    return grid


def read_block_of_slots(reader: StoreReader, job: JudgedSpan) -> SlotGrid:
    """Read one block."""
    grid, _ = read_judged(reader, job, with_figures=False)
    return grid
