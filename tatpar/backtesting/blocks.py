"""What a back-test asks of a store's history, block by block of offices, so that memory does not grow with their number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from analytics.forecast.asking import LEADS_NS, asks_of, every_hour
from analytics.forecast.deployment import (
    Surroundings,
    awaited_slots,
    clock_ahead,
    groups_of,
    planned_slots,
    track_of,
)
from analytics.forecast.imported import Imported, due_slots, over_by_ns
from analytics.forecast.lots import seeds_of
from analytics.forecast.other_lines import silent_before_heard
from analytics.forecast.replay import Doing, Extent, ReplayBlock
from analytics.forecast.track import joined_asks
from analytics.lines import Lines
from reports.past.slots import read_slots
from tatpar.backtesting.imported_rows import imported_rows
from tatpar.backtesting.works_in_time import works_in_time
from tatpar.watching.lost_contact import lost_in
from tatpar.watching.rehearsed import RECALLED, rehearsed_slots
from telemetry.store.by_blocks import InProcess
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from analytics.forecast.track import Asks
    from config.config import Config
    from config.profiles import Limits
    from tatpar.watching.offices import Offices
    from telemetry.state.db import StateDb
    from telemetry.store.by_blocks import Blocks
    from telemetry.store.protocol import StoreReader

OFFICES_PER_BLOCK: Final = 100
"""Whose slots are in memory at a time; the reference deployment is one block."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the history is: the store, and the state database for lost contact."""

    reader: StoreReader
    state: StateDb
    blocks: Blocks | None = None
    """What reads the roll-ups; here unless it says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be replayed: `[from_ns, until_ns)`; empty `sites` or `meeting` mean all; every hour as a meeting or not."""

    from_ns: int
    until_ns: int
    sites: frozenset[str] = frozenset()
    meeting: str = ""
    hourly: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """(P,) each."""

    site: NDArray[np.int64]
    meeting: tuple[str, ...]
    end: tuple[str, ...]
    profile: tuple[str, ...]
    limit_set: NDArray[np.int64]
    starts_ns: NDArray[np.int64]
    ends_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Questions:
    """Asks of one limit set, of which pair each is, and whether of a usual line; asks of a pair lie beside each other by line, then horizon."""

    asks: Asks
    pair: NDArray[np.int64]
    usual: NDArray[np.bool_]


class HistoryBlocks:
    """The blocks of a replay: of each block of offices, one for each limit set that is asked of.

    Of one block the tracks are kept; of more each is read when its turn comes, so that the memory is that of one block. A
    block of which nothing is asked is not read, neither to score nor to learn from.
    Neighbours of a region stand in one block as far as it goes: peers are those that are asked together.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what is replayed
        self,
        config: Config,
        offices: Offices,
        source: Source,
        wanted: Wanted,
        pairs: Pairs,
        progress: Callable[[Doing], None],
    ) -> None:
        self._config, self._offices, self._source, self._wanted = config, offices, source, wanted
        self._progress = progress
        paths = _paths(config, offices, source.reader)
        rows = _neighbours_together(config, offices)
        self._blocks = [
            _Block(
                Lines(tuple(offices.sites[row] for row in block), paths),
                np.asarray(block),
                np.tile(np.isin(paths, offices.usual_paths), len(block)),
            )
            for block in (
                rows[first : first + OFFICES_PER_BLOCK] for first in range(0, len(rows), OFFICES_PER_BLOCK)
            )
        ]
        limits = range(len(offices.sets.limits))
        self._questions = [[_questions(block, pairs, index) for index in limits] for block in self._blocks]
        self._works = tuple(works_in_time(config.works, offices.sites, pairs))
        self._kept: list[ReplayBlock] | None = None

    @property
    def pair_of_ask(self) -> list[NDArray[np.int64]]:
        """Which pair each ask is of, block by block of the replay."""
        return [part.pair for parts in self._questions for part in parts if len(part.pair)]

    @property
    def usual_ask(self) -> NDArray[np.bool_]:
        """Whether each ask is of a usual line, likewise."""
        asked = [part.usual for parts in self._questions for part in parts if len(part.pair)]
        return np.concatenate([np.empty(0, dtype=bool), *asked])

    @property
    def extent(self) -> Extent:
        """Of all blocks. Lots go by the usual lines: which others were ever heard is known only at the end."""
        asked = [part.asks.now_ns for parts in self._questions for part in parts if len(part.pair)]
        now_ns = np.concatenate([np.empty(0, dtype=np.int64), *asked])
        scored = int(self.usual_ask.sum())
        hours = len(_learnt(np.zeros(1, dtype=np.int64), self._wanted).line)
        lines = sum(
            int(self._linked(block).sum())
            * len(self._offices.usual_paths)
            * sum(1 for part in parts if len(part.pair))
            for block, parts in zip(self._blocks, self._questions, strict=True)
        )
        first_ns, last_ns = int(now_ns.min(initial=2**62)), int(now_ns.max(initial=0))
        return Extent(scored, lines * hours, first_ns, last_ns, others=len(now_ns) - scored)

    def __iter__(self) -> Iterator[ReplayBlock]:
        """Read what is not kept."""
        if self._kept is not None:
            yield from self._kept
            return
        kept = []
        for number, (block, parts) in enumerate(zip(self._blocks, self._questions, strict=True)):
            if not any(len(part.pair) for part in parts):
                continue
            for asked in self._of_block(number, block, parts):
                if len(self._blocks) == 1:
                    kept.append(asked)
                yield asked
        if len(self._blocks) == 1:
            self._kept = kept

    def _of_block(self, number: int, block: _Block, parts: list[_Questions]) -> Iterator[ReplayBlock]:
        before, of = number * OFFICES_PER_BLOCK, len(self._offices.sites)
        grid = read_slots(
            self._source.reader,
            block.lines,
            self._offices.sets.limits,
            (self._wanted.from_ns, self._wanted.until_ns),
            lambda done, _: self._progress(Doing("read", {"done": before + done, "of": of})),
            blocks=self._source.blocks,
            as_closed=True,
        )
        around = self._surroundings(block.lines, grid)
        there = block.usual | (grid.measured > 0).any(axis=-1).ravel()
        linked = np.repeat(self._linked(block), len(block.lines.paths))
        learnt = _learnt(np.flatnonzero(linked & there), self._wanted)
        weeks = self._config.settings.watch.history_weeks
        slots = grid.measured.shape[-1]
        rehearsed = rehearsed_slots(
            self._source.state.rehearsals(RECALLED), block.lines, grid.first_slot, slots
        )
        for index, part in enumerate(parts):
            if len(part.pair):
                track = silent_before_heard(track_of(grid, index, around), block.usual)
                track = track if rehearsed is None else replace(track, rehearsed=rehearsed)
                seeds = _seeds(block.lines, self._offices.sets.limits[index])
                yield ReplayBlock(track, part.asks, learnt, self._offices.zone, weeks, seeds)

    def _surroundings(self, lines: Lines, grid: SlotGrid) -> Surroundings:
        config, state, slots = self._config, self._source.state, grid.measured.shape[-1]
        starts = (grid.first_slot + np.arange(slots, dtype=np.int64)) * SLOT_NS
        blocks = self._source.blocks or InProcess(self._source.reader)
        rows = imported_rows(blocks, lines, state.imported(), (grid.first_slot, grid.end_slot))
        imported = None if rows is None else Imported.of_rows(grid, rows)
        lost = lost_in(state, lines.sites, starts, SLOT_NS)
        return Surroundings(
            groups_of(lines, config.registry.by_id),
            awaited_slots(grid, lost, imported=imported),
            planned_slots(self._works, lines, grid.first_slot, slots, known_ns=None),
            over_ns=None if imported is None else over_by_ns(grid, lost, imported),
            due=None if imported is None else due_slots(grid, imported),
            ahead=clock_ahead(grid.first_slot, slots, self._offices.zone),
        )

    def _linked(self, block: _Block) -> NDArray[np.bool_]:
        return np.asarray(self._offices.linked[block.rows])


@dataclass(frozen=True, slots=True)
class _Block:
    """Some offices: their lines, (S,) where they stand among all offices, and (N,) which of the lines are usual ones."""

    lines: Lines
    rows: NDArray[np.int64]
    usual: NDArray[np.bool_]


def _neighbours_together(config: Config, offices: Offices) -> list[int]:
    """All offices by region, in the order of the registry; that order itself where they make one block."""
    rows = list(range(len(offices.sites)))
    if len(rows) <= OFFICES_PER_BLOCK:
        return rows
    return sorted(rows, key=lambda row: config.registry.by_id[offices.sites[row]].region)


def _paths(config: Config, offices: Offices, reader: StoreReader) -> tuple[str, ...]:
    """The usual paths, and what else leads to a headquarters that some office was measured on."""
    more = (path for path in reader.latest().paths if path.partition(".")[2] in config.headquarters)
    return tuple(dict.fromkeys((*offices.usual_paths, *sorted(more))))


def _seeds(lines: Lines, limits: Limits) -> NDArray[np.uint64]:
    """(N,): of each line under some limits, whichever others there are."""
    named = msgspec.json.encode(limits).decode()
    return seeds_of(f"{site} {path} {named}" for site in lines.sites for path in lines.paths)


def _questions(block: _Block, pairs: Pairs, limit_set: int) -> _Questions:
    """The asks of a block's pairs under one limit set: every line of the office to the meeting's end, every horizon."""
    asks, pair = [], []
    place = np.full(int(max(pairs.site.max(initial=0), block.rows.max(initial=0))) + 1, -1, dtype=np.int64)
    place[block.rows] = np.arange(len(block.rows))
    mine = (pairs.limit_set == limit_set) & (place[pairs.site] >= 0)
    for end in dict.fromkeys(pairs.end):
        rows = np.flatnonzero(mine & (np.array(pairs.end, dtype=object) == end))
        for path in block.lines.to_end(end):
            line = place[pairs.site[rows]] * len(block.lines.paths) + path
            asks.append(asks_of(line, pairs.starts_ns[rows], pairs.ends_ns[rows]))
            pair.append(np.repeat(rows, len(LEADS_NS)))
    if not asks:
        nothing = np.empty(0, dtype=np.int64)
        return _Questions(asks_of(nothing, nothing, nothing), nothing, np.empty(0, dtype=bool))
    joined = joined_asks(asks)
    return _Questions(joined, np.concatenate(pair), block.usual[joined.line])


def _learnt(lines: NDArray[np.int64], wanted: Wanted) -> Asks:
    """Every hour of every line stands for a meeting, to learn from; those of which nothing is known drop out."""
    asks = every_hour(lines, wanted.from_ns, wanted.until_ns)
    return asks.rows(asks.now_ns >= wanted.from_ns)
