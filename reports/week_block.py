"""One block of offices of a week, from the store to figures: what a worker does, here or elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.hours import HOURS_PER_DAY, local_hours
from analytics.one_window import each_slot_once
from analytics.quality.line import SLOT_COLUMNS, SLOT_WINDOW_VALUES, audio_quality, rollup_windows
from reports.figures import Judged, judge_week, office_week, sound_week, troubles
from reports.moves import moves
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.completeness import Completeness, completeness, settled_until
from telemetry.store.grid import slot_grid, slot_window_grid
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, HOUR_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.changes.moved import Moved
    from analytics.quality.line import Endpoints
    from config.profiles import Limits
    from reports.figures import OfficeWeek, SoundWeek, Trouble
    from reports.week import Week
    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import RollupTable

NOTICED_NS: Final = DAY_NS
"""A hole of the week is told from time never measured when it was noticed at most so long after its end."""


@dataclass(frozen=True, slots=True)
class WeekJob:
    """Which offices (with their regions), which week, judged how."""

    sites: tuple[str, ...]
    regions: tuple[str, ...]
    paths: tuple[str, ...]
    week: Week
    until_ns: int
    now_ns: int
    limits: Limits
    endpoints: Endpoints

    @property
    def span(self) -> tuple[int, int]:
        """The week, as far as it has passed."""
        return self.week.start_ns, self.until_ns


@dataclass(frozen=True, slots=True)
class BlockFigures:
    """What is told of those offices."""

    offices: tuple[OfficeWeek, ...]
    troubles: tuple[Trouble, ...]
    moves: tuple[Moved, ...]
    completeness: dict[str, Completeness]
    first_ns: dict[str, int]
    """When each was first heard, of those of which that is known."""
    emulated: bool
    before_hours: float
    """Below the profile in the week before."""
    before_measured: bool


def joined(parts: Sequence[BlockFigures]) -> BlockFigures:
    """Of all blocks as of one: offices in the order of the blocks, troubles by length, moves by time."""
    return BlockFigures(
        offices=tuple(office for part in parts for office in part.offices),
        troubles=tuple(
            sorted(
                (one for part in parts for one in part.troubles),
                key=lambda one: (-one.duration_s, one.site, one.paths, one.start_ns),
            )
        ),
        moves=tuple(
            sorted(
                (move for part in parts for move in part.moves),
                key=lambda move: (move.when_ns, move.site, move.path, move.metric),
            )
        ),
        completeness={site: own for part in parts for site, own in part.completeness.items()},
        first_ns={site: at_ns for part in parts for site, at_ns in part.first_ns.items()},
        emulated=any(part.emulated for part in parts),
        before_hours=sum(part.before_hours for part in parts),
        before_measured=any(part.before_measured for part in parts),
    )


def read_block(reader: StoreReader, job: WeekJob) -> BlockFigures:
    """Read and compute.

    Raises:
        StoreError: the store cannot be read.
    """
    table = _rollups(reader, job, job.span, ("emulated", *SLOT_COLUMNS))
    slots = each_slot_once(table)
    judged = _judged(slots, job, job.span)
    sound = _sound(slots, job)
    hour_of = hours_of_day(job.week, job.until_ns)
    offices = (
        office_week(site, region, Judged(judged.present[i], judged.causes[i]), hour_of, sound[i])
        for i, (site, region) in enumerate(zip(job.sites, job.regions, strict=True))
    )
    parts, first_ns = _completeness(reader, job)
    last = job.week.before
    span = last.start_ns, last.end_ns
    before = _judged(each_slot_once(_rollups(reader, job, span, ())), job, span)
    return BlockFigures(
        offices=tuple(offices),
        troubles=tuple(troubles(job.sites, job.paths, judged, job.week.start_ns)),
        moves=tuple(moves(reader, job.sites, job.paths, job.week, job.until_ns)),
        completeness=parts,
        first_ns=first_ns,
        emulated=bool(np.any(table.columns["emulated"])) if len(table) else False,
        before_hours=float((before.causes != 0).any(axis=1).sum()) * WINDOW_NS / HOUR_NS,
        before_measured=bool(before.present.any()),
    )


def _rollups(reader: StoreReader, job: WeekJob, span: tuple[int, int], columns: Sequence[str]) -> RollupTable:
    return reader.rollups(
        Selection(*span, job.sites, job.paths),
        histograms=False,
        columns=columns,
        window_values=WINDOW_VALUE_COLUMNS,
    )


def _judged(table: RollupTable, job: WeekJob, span: tuple[int, int]) -> Judged:
    return judge_week(slot_window_grid(table, job.sites, job.paths, *span, WINDOW_VALUE_COLUMNS), job.limits)


def _sound(table: RollupTable, job: WeekJob) -> list[SoundWeek]:
    """Of each of some offices, one after the other: a week of windows takes room."""
    slots = slot_grid(table, job.sites, job.paths, *job.span, SLOT_COLUMNS)
    windows = slot_window_grid(table, job.sites, job.paths, *job.span, SLOT_WINDOW_VALUES)
    found = []
    for i in range(len(job.sites)):
        own = {name: grid[i].reshape(*slots["rtt_p50_ms"].shape[1:], -1) for name, grid in windows.items()}
        rolled = rollup_windows({name: grid[i] for name, grid in slots.items()}, own)
        mos = audio_quality(rolled, job.endpoints)
        found.append(sound_week(mos.worse.reshape(len(job.paths), -1)))
    return found


def _completeness(reader: StoreReader, job: WeekJob) -> tuple[dict[str, Completeness], dict[str, int]]:
    """By the week's end, or by a minute ago while it runs; and when each office was first heard."""
    start_ns = job.week.start_ns
    until_ns = max(min(job.week.end_ns, settled_until(job.now_ns)), start_ns)
    reach_ns = max(min(job.week.end_ns + NOTICED_NS, job.now_ns), until_ns)
    gaps = reader.gaps(Selection(start_ns, reach_ns, job.sites))
    first_ns: dict[str, int] = {}
    for contact in gaps.contacts:
        first_ns[contact.site] = min(contact.first_ns, first_ns.get(contact.site, contact.first_ns))
    return completeness(gaps, start_ns, until_ns, reach_ns), first_ns


def hours_of_day(week: Week, until_ns: int) -> NDArray[np.int64]:
    """Hour of the day, by the clock on the wall, of every window of the week up to a moment, (W,); of a day of 25 hours two share one, of one of 23 an hour has none."""
    starts = np.arange(week.start_ns, until_ns, WINDOW_NS, dtype=np.int64)
    return np.asarray(local_hours(starts, week.zone) % HOURS_PER_DAY)
