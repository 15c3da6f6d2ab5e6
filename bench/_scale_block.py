"""One block of the scale benchmark: roll-ups of many offices judged by the week, their track, the chances of what is to come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.asking import hourly
from analytics.forecast.deployment import Surroundings, track_of
from analytics.forecast.held import came_true
from analytics.forecast.model import fit
from analytics.forecast.slots import empty_slots, put_rollups
from analytics.forecast.track import Asks
from analytics.limits import limit_sets
from analytics.lines import Lines
from config.load import load_config
from config.profiles import ladder_of
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.tables import RollupTable
from telemetry.windows import HOUR_NS, SECOND_NS, SLOT_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.model import Model
    from analytics.forecast.slots import SlotGrid
    from analytics.forecast.track import Track
    from config.profiles import Limits
    from telemetry.store.protocol import StoreReader

WEEKS: Final = 8
SLOTS_PER_WEEK: Final = 2016
PATHS: Final = ("main.state", "main.national")
JUDGED_AT_ONCE: Final = 8
"""Offices whose week of window values is in memory at a time."""
OCCURRENCES: Final = 10
T0: Final = 1_795_392_000 * SECOND_NS
NOW_NS: Final = T0 + WEEKS * SLOTS_PER_WEEK * SLOT_NS + 120 * SECOND_NS
RUNG: Final = "video-720p"
"""What the meetings ask for; the ladder below it is judged too."""


@dataclass(frozen=True, slots=True)
class Block:
    """Offices `first` to before `last`, and the model to ask."""

    first: int
    last: int
    model: Model


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one block: the chances (lines x occurrences), and what it took."""

    holds: NDArray[np.float64]
    judge_s: float
    """CPU seconds from window values to slots."""
    pass_s: float
    """CPU seconds from slots to chances."""


def answer(_: StoreReader, block: Block) -> Answer:
    """Do one block; the roll-ups are made here, as a worker would read them, and their making is not counted."""
    limits = _limits()
    offices = Lines(tuple(f"s{i}" for i in range(block.first, block.last)), PATHS)
    grid = empty_slots(offices, len(limits), T0 // SLOT_NS, WEEKS * SLOTS_PER_WEEK)
    judge_s = sum(
        _judged(grid, at, week, limits)
        for at in range(block.first, block.last, JUDGED_AT_ONCE)
        for week in range(WEEKS)
    )
    begin = time.process_time()
    chances = block.model.chances(_track(grid), asks_of_all(len(offices.sites) * len(PATHS)))
    return Answer(chances.holds.reshape(-1, OCCURRENCES), judge_s, time.process_time() - begin)


def fitted() -> Model:
    """A model of sixteen lines' eight weeks, every sixth hour of which stands for a meeting."""
    limits = _limits()
    grid = empty_slots(
        Lines(tuple(f"s{i}" for i in range(8)), PATHS), len(limits), T0 // SLOT_NS, WEEKS * SLOTS_PER_WEEK
    )
    for week in range(WEEKS):
        _judged(grid, 0, week, limits)
    track = _track(grid)
    every = hourly(np.arange(16), T0 + 7 * 24 * HOUR_NS, NOW_NS - HOUR_NS)
    some = np.flatnonzero(every.start_ns // HOUR_NS % 6 == 0)
    asks = Asks(every.line[some], every.now_ns[some], every.start_ns[some], every.end_ns[some])
    true = came_true(track, asks)
    use = np.flatnonzero(true.known)
    return fit(
        track, Asks(asks.line[use], asks.now_ns[use], asks.start_ns[use], asks.end_ns[use]), true.held[use]
    )


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
def _limits() -> tuple[Limits, ...]:
    every = load_config(None).profiles
    return limit_sets({rung.id: rung for rung in ladder_of(every, RUNG)}).limits


def _judged(grid: SlotGrid, first: int, week: int, limits: tuple[Limits, ...]) -> float:
    """A week of some offices, judged into the grid; CPU seconds."""
    table = _rollups(first, week, min(JUDGED_AT_ONCE, int(grid.lines.sites[-1][1:]) + 1 - first))
    begin = time.process_time()
    put_rollups(grid, table, limits)
    return time.process_time() - begin


def _rollups(first: int, week: int, offices: int) -> RollupTable:
    """A week of eight offices drawn once; others and other weeks are the same one, begun at another slot."""
    values, columns = _drawn()
    rows = offices * len(PATHS) * SLOTS_PER_WEEK
    shift = (first * 37 + week * 211) % SLOTS_PER_WEEK
    slot = (np.asarray(columns["slot"])[:rows] + shift) % SLOTS_PER_WEEK + week * SLOTS_PER_WEEK
    kept = {name: column[:rows] for name, column in columns.items() if name != "slot"}
    kept |= {"slot_ns": T0 + slot * SLOT_NS, "received_ns": T0 + (slot + 1) * SLOT_NS + 20 * SECOND_NS}
    sites = tuple(f"s{i}" for i in range(first, first + offices))
    return RollupTable(
        sites, ("p1",), PATHS, kept, {name: column[:rows] for name, column in values.items()}, {}
    )


@cache
def _drawn() -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.generic]]]:
    """0.1 % random loss, a fault of half an hour in one of a hundred, jitter and round trips with a tail."""
    rng = np.random.default_rng(1)
    rows = JUDGED_AT_ONCE * len(PATHS) * SLOTS_PER_WEEK
    site, path, slot = np.unravel_index(np.arange(rows), (JUDGED_AT_ONCE, len(PATHS), SLOTS_PER_WEEK))
    shape = (rows, WINDOWS_PER_SLOT)
    values = {name: np.zeros(shape, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...] = 150
    loss = np.where(np.repeat(rng.random(rows // 6) < 0.01, 6), 0.05, 0.001)[:, None]
    values["up_lost"][...] = values["lost"][...] = rng.binomial(150, loss, shape)
    for name in ("up_jitter_ms", "down_jitter_ms"):
        values[name][...] = rng.gamma(2.0, 2.0, shape)
    values["rtt_p95_ms"][...] = 40.0 + rng.gamma(2.0, 10.0, shape)
    columns: dict[str, NDArray[np.generic]] = {
        "site": site.astype(np.int32),
        "probe": np.zeros(rows, dtype=np.int32),
        "path": path.astype(np.int32),
        "slot": slot.astype(np.int64),
    }
    for name in ("up_jitter_ms", "down_jitter_ms", "rtt_p95_ms"):
        columns[name] = values[name].mean(axis=-1).astype(np.float64)
    return values, columns


def _track(grid: SlotGrid) -> Track:
    """Of the hardest rung's limits; four providers, the block as one region."""
    sites, paths, slots = grid.measured.shape
    groups = {
        "provider": np.repeat(np.arange(sites, dtype=np.int32) % 4, paths),
        "region": np.zeros(sites * paths, dtype=np.int32),
        "end": np.tile(np.arange(paths, dtype=np.int32), sites),
    }
    around = Surroundings(
        groups, np.zeros((sites, slots), dtype=bool), np.zeros((sites, paths, slots), dtype=bool)
    )
    return track_of(grid, 0, around)
