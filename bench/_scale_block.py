"""One block of the scale benchmark: slots of many offices out of the store, their track, the chances of what is to come."""

from __future__ import annotations

import time
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.deployment import Surroundings, awaited_slots, track_of, tracks_of
from analytics.forecast.track import Asks
from analytics.limits import limit_sets
from analytics.lines import Lines
from bench._scale_store import END_NS, PATHS, T0
from bench._shipped_model import shipped_model
from config.load import load_config
from config.profiles import ladder_of
from reports.past.slots import read_slots
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from analytics.forecast.track import Track
    from config.profiles import Limits
    from telemetry.store.protocol import StoreReader

OCCURRENCES: Final = 10
NOW_NS: Final = END_NS + 120 * SECOND_NS
RUNG: Final = "video-720p"
"""What the meetings ask for; the ladder below it is judged too."""


@dataclass(frozen=True, slots=True)
class Block:
    """Offices `first` to before `last`, which are found in the store under their numbers less a multiple of `on_disk`."""

    first: int
    last: int
    on_disk: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one block: the chances (lines x occurrences), and what it took."""

    holds: NDArray[np.float64]
    read_s: float
    """CPU seconds from the store to slots."""
    pass_s: float
    """CPU seconds from slots to chances."""


def answer(reader: StoreReader, block: Block) -> Answer:
    """Do one block."""
    begin = time.process_time()
    offices = Lines(tuple(f"s{i % block.on_disk}" for i in range(block.first, block.last)), PATHS)
    grid = read_slots(reader, offices, limits(), (T0, END_NS))
    read_s = time.process_time() - begin
    begin = time.process_time()
    chances = shipped_model().chances(_track(grid), asks_of_all(len(offices.sites) * len(PATHS)))
    return Answer(chances.holds.reshape(-1, OCCURRENCES), read_s, time.process_time() - begin)


def state_bytes(reader: StoreReader, offices: int) -> int:
    """What a watch keeps of so many offices to ask the model of them: their slots and the tracks of every limit set, each array once."""
    lines = Lines(tuple(f"s{i}" for i in range(offices)), PATHS)
    grid = read_slots(reader, lines, limits(), (T0, END_NS))
    kept: list[SlotGrid | Track] = [grid, *tracks_of(grid, _surroundings(grid))]
    values = [getattr(each, field.name) for each in kept for field in fields(each)]
    owners = [_owner(value) for value in values if isinstance(value, np.ndarray)]
    return sum({id(owner): owner.nbytes for owner in owners}.values())


def _owner(array: NDArray[np.generic]) -> NDArray[np.generic]:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def asks_of_all(lines: int) -> Asks:
    """Every line, for ten meetings of an hour over the next two days, as of now."""
    start = NOW_NS + (2 + 4 * np.arange(OCCURRENCES, dtype=np.int64)) * HOUR_NS
    starts = np.tile(start, lines)
    return Asks(
        line=np.repeat(np.arange(lines, dtype=np.int64), OCCURRENCES),
        now_ns=np.full(len(starts), NOW_NS),
        start_ns=starts,
        end_ns=starts + HOUR_NS,
    )


@cache
def limits() -> tuple[Limits, ...]:
    """The ladder's limits, as they are built in."""
    every = load_config(None).profiles
    return limit_sets({rung.id: rung for rung in ladder_of(every, RUNG)}).limits


def _track(grid: SlotGrid) -> Track:
    """Of the hardest rung's limits."""
    return track_of(grid, 0, _surroundings(grid))


def _surroundings(grid: SlotGrid) -> Surroundings:
    """Four providers, the block as one region."""
    sites, paths, slots = grid.measured.shape
    groups = {
        "provider": np.repeat(np.arange(sites, dtype=np.int32) % 4, paths),
        "region": np.zeros(sites * paths, dtype=np.int32),
        "end": np.tile(np.arange(paths, dtype=np.int32), sites),
    }
    return Surroundings(
        groups,
        awaited_slots(grid, np.zeros((sites, slots), dtype=bool)),
        np.zeros((sites, paths, slots), dtype=bool),
    )
