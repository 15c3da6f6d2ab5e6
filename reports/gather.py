"""Reading a week from store and state, block by block, into the figures of the report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.record import bins, decided, record
from analytics.quality.assumed import endpoints_of
from analytics.quality.line import SLOT_COLUMNS, SLOT_WINDOW_VALUES, audio_quality, rollup_windows
from config.sites import SiteStatus
from reports.figures import (
    HOURS,
    Judged,
    judge_week,
    meetings,
    office_week,
    regions,
    sound_week,
    troubles,
)
from reports.moves import moves
from reports.responses import responses
from reports.roll_out import rolled_out
from reports.trend import held_by_office, held_weeks
from telemetry.decisions import Horizon
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.completeness import Completeness, completeness, settled_until, total
from telemetry.store.grid import slot_grid, slot_window_grid
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, HOUR_NS, WINDOW_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from analytics.changes.moved import Moved
    from analytics.forecast.record import Bin, Record
    from analytics.quality.line import Endpoints
    from config.config import Config
    from config.meetings import Occurrence
    from config.profiles import Limits
    from reports.figures import MeetingWeek, OfficeWeek, RegionWeek, SoundWeek, Trouble
    from reports.responses import Response
    from reports.roll_out import RolledOut
    from reports.trend import Held, HeldWeek
    from reports.week import Week
    from telemetry.decisions import Incident
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import RollupTable

NOTICED_NS: Final = DAY_NS
"""A hole of the week is told from time never measured when it was noticed at most so long after its end."""
RECORD_NS: Final = 28 * DAY_NS
"""Forecasts are judged over so long: one week has too few."""
BLOCK: Final = 16
"""Offices read at once: bounds the memory, and shows progress."""


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """Everything that the page shows."""

    week: Week
    until_ns: int
    """The end of the week, or of what has passed of it."""
    profile: str
    offices: tuple[OfficeWeek, ...]
    regions: tuple[RegionWeek, ...]
    troubles: tuple[Trouble, ...]
    meetings: tuple[MeetingWeek, ...]
    waiting: int
    """Meetings of the week that are over and of which no outcome is known."""
    ahead: int
    """Meetings of the week that are not over."""
    linked: int
    total: int
    emulated: bool
    """Some of it was made by the lab."""
    endpoints: Endpoints
    """What the estimated sound assumes."""
    completeness: dict[str, Completeness]
    """By office, of those that have ever reported by the week's end."""
    before_below_hours: float
    """Hours below the profile of all offices in the week before; NaN when nothing was measured then."""
    region: str = ""
    """The only one that it tells of; empty: all."""
    trend: tuple[HeldWeek, ...] = ()
    """The last weeks, this one last."""
    held_by_office: dict[str, Held] = field(default_factory=dict)
    roll_out: RolledOut | None = None
    incidents: tuple[Incident, ...] = ()
    """Shared faults that overlap the week, by start."""
    responses: tuple[Response, ...] = ()
    moves: tuple[Moved, ...] = ()
    """Levels that moved, by time."""
    record: dict[str, Record] = field(default_factory=dict)
    """By horizon, over the four weeks up to the end of this one."""
    bins: tuple[Bin, ...] = ()
    """Of the forecasts of half an hour before."""

    @property
    def measured(self) -> bool:
        """Whether there is any data."""
        return any(office.complete_share > 0 for office in self.offices)

    @property
    def complete(self) -> Completeness:
        """Of the fleet."""
        return total(self.completeness.values())

    @property
    def below_hours(self) -> float:
        """Of all offices."""
        return sum(office.below_hours for office in self.offices)


def gather(  # noqa: PLR0913, PLR0917 - what to read, from where, for when
    config: Config,
    reader: StoreReader,
    state: StateDb,
    week: Week,
    now_ns: int,
    progress: Callable[[int, int], None],
    region: str = "",
) -> WeekFigures:
    """Read and compute a week, of all regions or of one; `progress` is told offices done and offices in all."""
    everybody = [site for site in config.registry.sites if region in {"", site.region}]
    sites = [site for site in everybody if site.status is SiteStatus.LINKED]
    until_ns = min(week.end_ns, slot_start(max(now_ns, week.start_ns)))
    profile = config.profiles[config.settings.meetings.default_profile]
    paths = tuple(f"main.{end}" for end in config.headquarters)
    endpoints = endpoints_of(config.settings.quality)
    names = [site.id for site in sites]
    hour_of = local_hours(week, until_ns)
    offices: list[OfficeWeek] = []
    found: list[Trouble] = []
    emulated = False
    complete: dict[str, Completeness] = {}
    first_ns: dict[str, int] = {}
    moved: list[Moved] = []
    for begin in range(0, len(sites), BLOCK):
        block = sites[begin : begin + BLOCK]
        ids = [site.id for site in block]
        table = _rollups(reader, ids, paths, (week.start_ns, until_ns), ("emulated", *SLOT_COLUMNS))
        judged = _judged(table, ids, paths, (week.start_ns, until_ns), profile.alarm)
        emulated |= bool(np.any(table.columns["emulated"])) if len(table) else False
        sound = _sound(table, ids, paths, (week.start_ns, until_ns), endpoints)
        offices += [
            office_week(site.id, site.region, Judged(judged.present[i], judged.causes[i]), hour_of, sound[i])
            for i, site in enumerate(block)
        ]
        found += troubles(ids, paths, judged, week.start_ns)
        told = _completeness(reader, ids, week, now_ns)
        complete |= told.parts
        first_ns |= told.first_ns
        moved += moves(reader, ids, paths, week, until_ns)
        progress(min(begin + BLOCK, len(sites)), len(sites))
    planned = Counter(s.region for s in everybody if s.status is SiteStatus.PLANNED)
    outcomes = [o for o in state.outcomes(week.start_ns, week.end_ns) if o.site in set(names)]
    held = tuple(meetings(outcomes))
    records, by_tenths = _record(state, week, set(names))
    known = {(one.meeting, one.occurrence_ns) for one in held}
    linked = set(names)
    planned_meetings = [
        one
        for one in config.calendar.occurrences(week.start_ns, week.end_ns)
        if one.starts_ns >= week.start_ns and linked.intersection(one.meeting.invited)
    ]
    return WeekFigures(
        week=week,
        until_ns=until_ns,
        profile=profile.id,
        offices=tuple(offices),
        regions=tuple(regions(offices, planned, [region] if region else list(config.regions))),
        troubles=tuple(sorted(found, key=lambda t: (-t.duration_s, t.site, t.paths, t.start_ns))),
        meetings=held,
        waiting=sum(one.ends_ns <= now_ns and _identity(one) not in known for one in planned_meetings),
        ahead=sum(one.ends_ns > now_ns for one in planned_meetings),
        linked=len(sites),
        total=len(everybody),
        emulated=emulated,
        endpoints=endpoints,
        completeness=complete,
        before_below_hours=_before(config, reader, names, paths, week),
        region=region,
        trend=held_weeks(state, week, linked),
        held_by_office=held_by_office(outcomes),
        roll_out=rolled_out(first_ns, len(sites), len(everybody), until_ns),
        incidents=tuple(
            one for one in state.incidents(week.start_ns, week.end_ns) if linked.intersection(one.sites)
        ),
        responses=responses(
            state.alerts(week.start_ns, week.end_ns), {site.id: site.region for site in sites}
        ),
        moves=tuple(sorted(moved, key=lambda move: (move.when_ns, move.site, move.path, move.metric))),
        record=records,
        bins=by_tenths,
    )


def _record(state: StateDb, week: Week, sites: Collection[str]) -> tuple[dict[str, Record], tuple[Bin, ...]]:
    """Of the forecasts of the last four weeks that are decided: by horizon, and the bins of the one that people act on."""
    from_ns = week.end_ns - RECORD_NS
    outcomes = [each for each in state.outcomes(from_ns, week.end_ns) if each.site in sites]
    rows = decided(state.forecasts(from_ns, week.end_ns), outcomes)
    return {horizon.value: record(own) for horizon, own in rows.items()}, bins(rows[Horizon.T30M])


@dataclass(frozen=True, slots=True)
class _Told:
    """What the ledger says of some offices."""

    parts: dict[str, Completeness]
    first_ns: dict[str, int]
    """When each was first heard."""


def _completeness(reader: StoreReader, sites: Sequence[str], week: Week, now_ns: int) -> _Told:
    """Completeness of some offices by the week's end, or by a minute ago while it runs."""
    start_ns = week.start_ns
    until_ns = max(min(week.end_ns, settled_until(now_ns)), start_ns)
    reach_ns = max(min(week.end_ns + NOTICED_NS, now_ns), until_ns)
    gaps = reader.gaps(Selection(start_ns, reach_ns, tuple(sites)))
    first_ns: dict[str, int] = {}
    for contact in gaps.contacts:
        first_ns[contact.site] = min(contact.first_ns, first_ns.get(contact.site, contact.first_ns))
    return _Told(completeness(gaps, start_ns, until_ns, reach_ns), first_ns)


def _identity(occurrence: Occurrence) -> tuple[str, int]:
    return occurrence.meeting.uid, occurrence.recurrence_ns


def _before(
    config: Config, reader: StoreReader, names: Sequence[str], paths: Sequence[str], week: Week
) -> float:
    profile = config.profiles[config.settings.meetings.default_profile]
    last = week.before
    hours, measured = 0.0, False
    span = (last.start_ns, last.end_ns)
    for begin in range(0, len(names), BLOCK):
        ids = names[begin : begin + BLOCK]
        judged = _judged(_rollups(reader, ids, paths, span, ()), ids, paths, span, profile.alarm)
        hours += float((judged.causes != 0).any(axis=1).sum()) * WINDOW_NS / HOUR_NS
        measured |= bool(judged.present.any())
    return hours if measured else float("nan")


def _rollups(
    reader: StoreReader,
    sites: Sequence[str],
    paths: Sequence[str],
    span: tuple[int, int],
    columns: Sequence[str],
) -> RollupTable:
    return reader.rollups(
        Selection(*span, tuple(sites), tuple(paths)),
        histograms=False,
        columns=columns,
        window_values=WINDOW_VALUE_COLUMNS,
    )


def _judged(
    table: RollupTable, sites: Sequence[str], paths: Sequence[str], span: tuple[int, int], limits: Limits
) -> Judged:
    return judge_week(slot_window_grid(table, sites, paths, *span, WINDOW_VALUE_COLUMNS), limits)


def _sound(
    table: RollupTable,
    sites: Sequence[str],
    paths: Sequence[str],
    span: tuple[int, int],
    endpoints: Endpoints,
) -> list[SoundWeek]:
    """Of each of some offices, one after the other: a week of windows takes room."""
    slots = slot_grid(table, sites, paths, *span, SLOT_COLUMNS)
    windows = slot_window_grid(table, sites, paths, *span, SLOT_WINDOW_VALUES)
    found = []
    for i in range(len(sites)):
        own = {name: grid[i].reshape(*slots["rtt_p50_ms"].shape[1:], -1) for name, grid in windows.items()}
        mos = audio_quality(rollup_windows({name: grid[i] for name, grid in slots.items()}, own), endpoints)
        found.append(sound_week(mos.worse.reshape(len(paths), -1)))
    return found


def local_hours(week: Week, until_ns: int) -> NDArray[np.int64]:
    """Local hour of the day of every window of the week up to a moment: exact where days have 23 or 25 hours."""
    starts = np.arange(week.start_ns, until_ns, WINDOW_NS, dtype=np.int64)
    days = np.array([week.day_ns(i) for i in range(8)], dtype=np.int64)
    day = np.clip(np.searchsorted(days, starts, side="right") - 1, 0, 6)
    hours: NDArray[np.int64] = np.minimum((starts - days[day]) // HOUR_NS, HOURS - 1)
    return hours
