"""A deployment's history replayed: its calendar's past occurrences as they would have been forecast, and what came true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.asking import LEADS_NS, asks_of, hourly
from analytics.forecast.deployment import Surroundings, groups_of, planned_slots, track_of
from analytics.forecast.replay import Ground, joined_asks, only_asks, replay
from analytics.forecast.report import Scored
from analytics.lines import Lines
from config.sites import SiteStatus
from tatpar.watching.lost_contact import lost_in
from tatpar.watching.offices import prepare
from tatpar.watching.slots import read_slots
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analytics.forecast.model import Model
    from analytics.forecast.slots import SlotGrid
    from analytics.forecast.track import Asks
    from config.config import Config
    from config.meetings import Occurrence
    from tatpar.watching.offices import Offices
    from telemetry.state.db import StateDb
    from telemetry.store.by_blocks import Blocks
    from telemetry.store.protocol import StoreReader

HORIZONS: Final = ("T-24h", "T-2h", "T-30m", "T-10m")
"""Names of `LEADS_NS`, in order."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """P pairs of an office and a meeting with H horizons each; the arrays are (P, H).

    Attributes:
        sites: (P,) index into the registry.
        meetings: (P,) UID, empty for an hour that stands for a meeting.
        starts_ns: (P,)
        chance, persistence, climatology: that the office holds the profile, on its best line; NaN where nobody says.
        held: (P,) what came true.
        known: (P,) whether it is known.
        refits: when the model was fitted anew, and to how many settled forecasts.
    """

    sites: NDArray[np.int64]
    meetings: tuple[str, ...]
    starts_ns: NDArray[np.int64]
    chance: NDArray[np.float64]
    persistence: NDArray[np.float64]
    climatology: NDArray[np.float64]
    held: NDArray[np.bool_]
    known: NDArray[np.bool_]
    refits: tuple[tuple[int, int], ...]

    def scored(self, horizon: int, among: NDArray[np.bool_] | None = None) -> Scored:
        """The forecasts of a horizon that have a number, a reference beside it and an outcome."""
        rows = self.comparable(horizon) if among is None else self.comparable(horizon) & among
        return Scored(
            chance=self.chance[rows, horizon],
            persistence=self.persistence[rows, horizon],
            climatology=self.climatology[rows, horizon],
            held=self.held[rows],
            block=self.starts_ns[rows] // DAY_NS,
        )

    def comparable(self, horizon: int) -> NDArray[np.bool_]:
        """(P,) pairs that can be scored at a horizon."""
        there = np.isfinite(self.chance[:, horizon]) & np.isfinite(self.persistence[:, horizon])
        return np.asarray(there & self.known)

    def asked(self, horizon: int) -> NDArray[np.bool_]:
        """(P,) pairs that were asked after the first refit: those that a number is owed for."""
        if not self.refits:
            return np.zeros(len(self.sites), dtype=bool)
        return np.asarray(self.starts_ns - LEADS_NS[horizon] >= self.refits[0][0])


@dataclass(frozen=True, slots=True)
class _Questions:
    """Asks of one limit set, and of which pair each is; asks of a pair lie beside each other by line, then horizon."""

    asks: Asks
    pair: NDArray[np.int64]


def replayed(
    config: Config, source: Source, wanted: Wanted, prior: Model | None, progress: Callable[[str], None]
) -> Replayed:
    """Replay a span of the store's history.

    Raises:
        StoreError, StateError: the store or the state database cannot be read.
    """
    occurrences = [
        each
        for each in config.calendar.occurrences(wanted.from_ns, wanted.until_ns)
        if each.ends_ns <= wanted.until_ns and each.starts_ns >= wanted.from_ns
    ]
    offices = prepare(config, occurrences)
    lines = Lines(offices.sites, _paths(config, offices, source.reader))
    grid = read_slots(
        source.reader,
        lines,
        offices.sets.limits,
        (wanted.from_ns, wanted.until_ns),
        lambda done, of: progress(f"roll-ups of {done} of {of} offices read"),
        blocks=source.blocks,
    )
    around = _surroundings(config, source.state, lines, grid)
    pairs = _pairs(config, offices, occurrences, wanted)
    parts = [_questions(lines, pairs, index) for index in range(len(offices.sets.limits))]
    used = [index for index, part in enumerate(parts) if len(part.pair)]
    grounds = [
        Ground(track_of(grid, index, around), parts[index].asks, _learnt(grid, offices, parts[index], wanted))
        for index in used
    ]
    found = replay(grounds, prior, progress)
    pair = np.concatenate([parts[index].pair for index in used]) if used else np.empty(0, dtype=np.int64)
    return _by_pair(pairs, pair, found.refits, {
        "chance": found.chance,
        "persistence": found.persistence,
        "climatology": found.climatology,
        "held": np.where(found.known, found.held.astype(np.float64), np.nan),
    })  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pairs:
    """(P,) each."""

    site: NDArray[np.int64]
    meeting: tuple[str, ...]
    end: tuple[str, ...]
    limit_set: NDArray[np.int64]
    starts_ns: NDArray[np.int64]
    ends_ns: NDArray[np.int64]


def _paths(config: Config, offices: Offices, reader: StoreReader) -> tuple[str, ...]:
    """The usual paths, and what else leads to a headquarters that some office was measured on."""
    more = (path for path in reader.latest().paths if path.partition(".")[2] in config.headquarters)
    return tuple(dict.fromkeys((*offices.usual_paths, *more)))


def _surroundings(config: Config, state: StateDb, lines: Lines, grid: SlotGrid) -> Surroundings:
    slots = grid.measured.shape[-1]
    starts = (grid.first_slot + np.arange(slots, dtype=np.int64)) * SLOT_NS
    return Surroundings(
        groups_of(lines, config.registry.by_id),
        lost_in(state, lines.sites, starts, SLOT_NS),
        planned_slots(config.works, lines, grid.first_slot, slots, known_ns=None),
    )


def _pairs(config: Config, offices: Offices, occurrences: Sequence[Occurrence], wanted: Wanted) -> _Pairs:
    place = {site: i for i, site in enumerate(offices.sites)}
    rows = [
        (place[site], each.meeting.uid, each.meeting.end, each.meeting.profile, each.starts_ns, each.ends_ns)
        for each in occurrences
        if wanted.meeting in ("", each.meeting.uid)
        for site in each.meeting.invited
        if site in place and offices.linked[place[site]] and (not wanted.sites or site in wanted.sites)
    ]
    if wanted.hourly:
        rows += _hours(config, offices, wanted)
    site, meeting, end, profile, starts, ends = zip(*rows, strict=True) if rows else ((),) * 6
    sets = offices.sets.of_profile
    return _Pairs(
        np.array(site, dtype=np.int64),
        tuple(meeting),
        tuple(end),
        np.array([sets[each] for each in profile], dtype=np.int64),
        np.array(starts, dtype=np.int64),
        np.array(ends, dtype=np.int64),
    )


def _hours(config: Config, offices: Offices, wanted: Wanted) -> list[tuple[int, str, str, str, int, int]]:
    """Every whole hour as a meeting of every linked office, with the default end and profile."""
    meetings = config.settings.meetings
    rows = np.array([
        i for i, site in enumerate(offices.sites)
        if offices.linked[i] and (not wanted.sites or site in wanted.sites)
    ], dtype=np.int64)  # fmt: skip
    asks = hourly(rows, wanted.from_ns, wanted.until_ns, (0,))
    end, profile = meetings.default_end, meetings.default_profile
    return [
        (int(site), "", end, profile, int(start), int(finish))
        for site, start, finish in zip(asks.line, asks.start_ns, asks.end_ns, strict=True)
    ]


def _questions(lines: Lines, pairs: _Pairs, limit_set: int) -> _Questions:
    """The asks of all pairs under one limit set: every line of the office to the meeting's end, every horizon."""
    asks, pair = [], []
    mine = pairs.limit_set == limit_set
    for end in dict.fromkeys(pairs.end):
        rows = np.flatnonzero(mine & (np.array(pairs.end, dtype=object) == end))
        for path in lines.to_end(end):
            asks.append(
                asks_of(
                    pairs.site[rows] * len(lines.paths) + path, pairs.starts_ns[rows], pairs.ends_ns[rows]
                )
            )
            pair.append(np.repeat(rows, len(LEADS_NS)))
    if not asks:
        nothing = np.empty(0, dtype=np.int64)
        return _Questions(asks_of(nothing, nothing, nothing), nothing)
    return _Questions(joined_asks(asks), np.concatenate(pair))


def _learnt(grid: SlotGrid, offices: Offices, questions: _Questions, wanted: Wanted) -> Asks:
    """Every hour of every line stands for a meeting, to learn from; those of which nothing is known drop out."""
    if not len(questions.pair):
        return questions.asks
    lines = np.flatnonzero(np.repeat(offices.linked, grid.measured.shape[1]))
    asks = hourly(lines, wanted.from_ns, wanted.until_ns)
    return only_asks(asks, np.flatnonzero(asks.now_ns >= wanted.from_ns))


def _by_pair(
    pairs: _Pairs,
    pair: NDArray[np.int64],
    refits: tuple[tuple[int, int], ...],
    of_asks: dict[str, NDArray[np.float64]],
) -> Replayed:
    """The best of an office's lines speaks for it; it held when any of its lines did."""
    count, many = len(pairs.site), len(LEADS_NS)
    horizon = np.arange(len(pair)) % many
    best = {}
    for name, values in of_asks.items():
        out = np.full((count, many), -np.inf)
        np.maximum.at(out, (pair, horizon), np.nan_to_num(values, nan=-np.inf))
        best[name] = np.where(np.isneginf(out), np.nan, out)
    held = best["held"][:, 0]
    return Replayed(
        sites=pairs.site,
        meetings=pairs.meeting,
        starts_ns=pairs.starts_ns,
        chance=best["chance"],
        persistence=best["persistence"],
        climatology=best["climatology"],
        held=held == 1.0,
        known=np.isfinite(held),
        refits=refits,
    )


def regions_of(config: Config, found: Replayed) -> NDArray[np.object_]:
    """(P,): the region of each pair's office."""
    names = np.array([site.region for site in config.registry.sites], dtype=object)
    return np.asarray(names[found.sites])


def linked_in(config: Config, region: str) -> frozenset[str]:
    """The linked offices of a region."""
    return frozenset(
        site.id
        for site in config.registry.sites
        if site.region == region and site.status is SiteStatus.LINKED
    )
