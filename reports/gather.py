"""A week out of store and state database: the offices block by block, then what all of them give together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from analytics.forecast.record import bins, decided, record
from analytics.quality.assumed import endpoints_of
from config.sites import SiteStatus
from reports.figures import meetings, regions
from reports.responses import responses
from reports.roll_out import rolled_out
from reports.trend import held_by_office, held_weeks
from reports.week_block import WeekJob, joined, read_block
from telemetry.decisions import Horizon
from telemetry.store.completeness import Completeness, total
from telemetry.windows import DAY_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from analytics.changes.moved import Moved
    from analytics.forecast.record import Bin, Record
    from analytics.quality.line import Endpoints
    from config.config import Config
    from config.meetings import Occurrence
    from config.sites import Site
    from reports.figures import MeetingWeek, OfficeWeek, RegionWeek, Trouble
    from reports.responses import Response
    from reports.roll_out import RolledOut
    from reports.trend import Held, HeldWeek
    from reports.week import Week
    from reports.week_block import BlockFigures
    from telemetry.decisions import Incident
    from telemetry.state.db import StateDb
    from telemetry.store.by_blocks import Blocks

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
    blocks: Blocks,
    state: StateDb,
    week: Week,
    now_ns: int,
    progress: Callable[[int, int], None],
    region: str = "",
) -> WeekFigures:
    """Read and compute a week, of all regions or of one; `progress` is told offices done and offices in all.

    Raises:
        StoreError, StateError: store or state database cannot be read.
        SchedulerError: the blocks are done elsewhere, and cannot be.
    """
    everybody = [site for site in config.registry.sites if region in {"", site.region}]
    sites = [site for site in everybody if site.status is SiteStatus.LINKED]
    linked = {site.id for site in sites}
    until_ns = min(week.end_ns, slot_start(max(now_ns, week.start_ns)))
    whole = joined(_read(config, blocks, sites, (week, until_ns, now_ns), progress))
    planned = Counter(site.region for site in everybody if site.status is SiteStatus.PLANNED)
    outcomes = [each for each in state.outcomes(week.start_ns, week.end_ns) if each.site in linked]
    held = tuple(meetings(outcomes))
    waiting, ahead = _not_settled(config, week, now_ns, linked, held)
    records, by_tenths = _record(state, week, linked)
    return WeekFigures(
        week=week,
        until_ns=until_ns,
        profile=config.settings.meetings.default_profile,
        offices=whole.offices,
        regions=tuple(regions(whole.offices, planned, [region] if region else list(config.regions))),
        troubles=whole.troubles,
        meetings=held,
        waiting=waiting,
        ahead=ahead,
        linked=len(sites),
        total=len(everybody),
        emulated=whole.emulated,
        endpoints=endpoints_of(config.settings.quality),
        completeness={
            site.id: whole.completeness[site.id] for site in sites if site.id in whole.completeness
        },
        before_below_hours=whole.before_hours if whole.before_measured else float("nan"),
        region=region,
        trend=held_weeks(state, week, linked),
        held_by_office=held_by_office(outcomes),
        roll_out=rolled_out(whole.first_ns, len(sites), len(everybody), until_ns),
        incidents=tuple(
            one for one in state.incidents(week.start_ns, week.end_ns) if linked.intersection(one.sites)
        ),
        responses=responses(
            state.alerts(week.start_ns, week.end_ns), {site.id: site.region for site in sites}
        ),
        moves=whole.moves,
        record=records,
        bins=by_tenths,
    )


def _read(
    config: Config,
    blocks: Blocks,
    sites: Sequence[Site],
    when: tuple[Week, int, int],
    progress: Callable[[int, int], None],
) -> list[BlockFigures]:
    """The figures of all offices, block by block in the order of the registry."""
    week, until_ns, now_ns = when
    jobs = [
        WeekJob(
            sites=tuple(site.id for site in sites[begin : begin + BLOCK]),
            regions=tuple(site.region for site in sites[begin : begin + BLOCK]),
            paths=tuple(f"main.{end}" for end in config.headquarters),
            week=week,
            until_ns=until_ns,
            now_ns=now_ns,
            limits=config.profiles[config.settings.meetings.default_profile].alarm,
            endpoints=endpoints_of(config.settings.quality),
        )
        for begin in range(0, len(sites), BLOCK)
    ]
    found: list[BlockFigures] = []
    done = 0
    for part in blocks.each(read_block, jobs):
        found.append(part)
        done += len(part.offices)
        progress(done, len(sites))
    return found


def _not_settled(
    config: Config, week: Week, now_ns: int, linked: Collection[str], held: Sequence[MeetingWeek]
) -> tuple[int, int]:
    """Meetings of the week that are over and have no outcome, and those that are not over."""
    known = {(one.meeting, one.occurrence_ns) for one in held}
    asked = [
        one
        for one in config.calendar.occurrences(week.start_ns, week.end_ns)
        if one.starts_ns >= week.start_ns and set(linked).intersection(one.meeting.invited)
    ]
    waiting = sum(one.ends_ns <= now_ns and _identity(one) not in known for one in asked)
    return waiting, sum(one.ends_ns > now_ns for one in asked)


def _identity(occurrence: Occurrence) -> tuple[str, int]:
    return occurrence.meeting.uid, occurrence.recurrence_ns


def _record(state: StateDb, week: Week, sites: Collection[str]) -> tuple[dict[str, Record], tuple[Bin, ...]]:
    """Of the forecasts of the last four weeks that are decided: by horizon, and the bins of the one that people act on."""
    from_ns = week.end_ns - RECORD_NS
    outcomes = [each for each in state.outcomes(from_ns, week.end_ns) if each.site in sites]
    rows = decided(state.forecasts(from_ns, week.end_ns), outcomes)
    return {horizon.value: record(own) for horizon, own in rows.items()}, bins(rows[Horizon.T30M])
