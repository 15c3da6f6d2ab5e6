"""Reads the slot grid of a span out of a store, block by block, in bounded memory beside the grid itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.forecast.slots import empty_slots, joined_slots, put_rollups
from analytics.lines import Lines
from tatpar.watching.floors import rollups_to_judge
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analytics.forecast.slots import SlotGrid
    from config.profiles import Limits
    from telemetry.store.protocol import StoreReader

SITES_PER_READ = 8
SPAN_PER_READ_NS = 7 * DAY_NS


def read_slots(
    reader: StoreReader,
    lines: Lines,
    limits: Sequence[Limits],
    span_ns: tuple[int, int],
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> SlotGrid:
    """The slots of `[start, end)` of all lines under each limit set; `progress(done, of)` counts offices."""
    first, last = span_ns[0] // SLOT_NS, -(-span_ns[1] // SLOT_NS)
    blocks = []
    for at in range(0, len(lines.sites), SITES_PER_READ):
        sites = lines.sites[at : at + SITES_PER_READ]
        grid = empty_slots(Lines(sites, lines.paths), len(limits), first, last - first)
        for start_ns in range(first * SLOT_NS, last * SLOT_NS, SPAN_PER_READ_NS):
            end_ns = min(start_ns + SPAN_PER_READ_NS, last * SLOT_NS)
            table = rollups_to_judge(reader, grid.lines, limits, Selection(start_ns, end_ns, sites=sites))
            if len(table):
                put_rollups(grid, table, limits)
        blocks.append(grid)
        progress(at + len(sites), len(lines.sites))
    return joined_slots(lines, blocks)
