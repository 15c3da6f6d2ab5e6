"""What the report says of a week, computed: offices, regions, troubles, meetings. Arrays in, records out."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.judge import judge
from analytics.quality.mos import SATISFIED_MOS
from reports.spells import faults
from telemetry.decisions import OutcomeState, ReasonCode
from telemetry.windows import WINDOW_NS, WINDOWS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from config.profiles import Limits
    from telemetry.decisions import Outcome

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class SoundWeek:
    """The estimated sound of calls over a week, in the worse direction towards the worse headquarters."""

    median_mos: float
    """Middle of the windows, on the scale of the settings' codec; NaN where nothing was rated."""
    low_hours: float
    """Of the windows below 3.6."""


UNRATED: Final = SoundWeek(float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class OfficeWeek:
    """One office's week. Shares are of the windows that were measured, of a week that runs so far; NaN where none was."""

    site: str
    region: str
    below_hours: float
    below_share: float
    complete_share: float
    """Windows measured of those of the week so far."""
    by_hour: tuple[float, ...]
    """Share of windows below the profile by local hour of the day, 24 figures."""
    troubles: int
    main_cause: ReasonCode | None
    sound: SoundWeek = UNRATED
    hours_of: Mapping[ReasonCode, tuple[int, ...]] = field(default_factory=dict)
    """By cause of its troubles, the windows that broke by local hour of the day, 24 figures."""


@dataclass(frozen=True, slots=True)
class RegionWeek:
    """One region's week over its linked offices."""

    region: str
    linked: int
    planned: int
    below_hours: float
    complete_share: float
    steady: int
    """Offices that were below the profile for less than an hour."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble of one office: spells of its lines that overlap and have the same cause."""

    site: str
    paths: tuple[str, ...]
    start_ns: int
    duration_s: float
    broken_s: float
    """Of the windows that broke on any of those lines."""
    cause: ReasonCode


@dataclass(frozen=True, slots=True)
class MeetingWeek:
    """What came true of one occurrence."""

    meeting: str
    occurrence_ns: int
    held: int
    failed: int
    open: int
    """Excused, or not settled."""
    final: bool
    """Nothing of it can change any more; before that late data may still decide."""
    excused: int = 0
    """Of the open ones."""

    @property
    def decided(self) -> bool:
        """Whether it is known of any office that it held or failed."""
        return bool(self.held + self.failed)


@dataclass(frozen=True, slots=True)
class Judged:
    """A week judged: planes over (site, path, window)."""

    present: NDArray[np.bool_]
    causes: NDArray[np.uint16]


def judge_week(values: Mapping[str, NDArray[np.float32]], limits: Limits) -> Judged:
    """Judge every window of a grid (S, P, W) against the limits that break one."""
    found = judge(values, limits, pool_windows=1)
    return Judged(present=found.present, causes=found.causes)


def sound_week(mos: NDArray[np.float64]) -> SoundWeek:
    """Of one office, from the MOS of each window on each line, (P, W)."""
    worst = np.fmin.reduce(mos, axis=0)
    rated = worst[~np.isnan(worst)]
    if not len(rated):
        return UNRATED
    return SoundWeek(float(np.median(rated)), float((rated < SATISFIED_MOS).sum()) / WINDOWS_PER_HOUR)


def office_week(
    site: str, region: str, week: Judged, hour_of: NDArray[np.int64], sound: SoundWeek = UNRATED
) -> OfficeWeek:
    """One office from its planes (P, W); a window is below when it breaks towards any headquarters.

    Args:
        site: the office.
        region: its region.
        week: planes of this office alone, shape (P, W).
        hour_of: local hour of the day of each window, shape (W,).
        sound: how calls would have sounded.
    """
    present = np.asarray(week.present.any(axis=0))
    below = np.asarray((week.causes != 0).any(axis=0))
    measured = int(present.sum())
    totals = np.bincount(hour_of[present], minlength=HOURS)
    bad = np.bincount(hour_of[below], minlength=HOURS)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_hour = np.where(totals > 0, bad / totals, np.nan)
    found = faults(week.causes)
    causes = Counter[ReasonCode]()
    hours_of: dict[ReasonCode, NDArray[np.int64]] = {}
    for fault in found:
        causes[fault.cause] += fault.broken
        windows = slice(fault.first, fault.last + 1)
        broke = (week.causes[list(fault.lines), windows] != 0).any(axis=0)
        hours = np.bincount(hour_of[windows][broke], minlength=HOURS)
        hours_of[fault.cause] = hours_of.get(fault.cause, 0) + hours
    return OfficeWeek(
        site=site,
        region=region,
        below_hours=float(below.sum()) / WINDOWS_PER_HOUR,
        below_share=float(below.sum()) / measured if measured else float("nan"),
        complete_share=measured / len(present) if len(present) else float("nan"),
        by_hour=tuple(by_hour.tolist()),
        troubles=len(found),
        main_cause=causes.most_common(1)[0][0] if causes else None,
        sound=sound,
        hours_of={cause: tuple(hours.tolist()) for cause, hours in hours_of.items()},
    )


def troubles(sites: Sequence[str], paths: Sequence[str], week: Judged, start_ns: int) -> list[Trouble]:
    """Every trouble of a week, longest first."""
    found = [
        Trouble(
            site=site,
            paths=tuple(paths[line] for line in fault.lines),
            start_ns=start_ns + fault.first * WINDOW_NS,
            duration_s=fault.windows * WINDOW_NS / 1e9,
            broken_s=fault.broken * WINDOW_NS / 1e9,
            cause=fault.cause,
        )
        for s, site in enumerate(sites)
        for fault in faults(week.causes[s])
    ]
    return sorted(found, key=lambda t: (-t.duration_s, t.site, t.paths, t.start_ns))


def regions(
    offices: Sequence[OfficeWeek], planned: Mapping[str, int], order: Sequence[str]
) -> list[RegionWeek]:
    """One record a region, in the order of the configuration."""
    rows = []
    for region in order:
        own = [office for office in offices if office.region == region]
        complete = [o.complete_share for o in own if not np.isnan(o.complete_share)]
        rows.append(
            RegionWeek(
                region=region,
                linked=len(own),
                planned=planned.get(region, 0),
                below_hours=sum(o.below_hours for o in own),
                complete_share=sum(complete) / len(complete) if complete else float("nan"),
                steady=sum(o.below_hours < 1 and o.complete_share > 0 for o in own),
            )
        )
    return rows


def meetings(outcomes: Sequence[Outcome]) -> list[MeetingWeek]:
    """One record an occurrence, in the order of time."""
    counts: dict[tuple[int, str], Counter[OutcomeState]] = defaultdict(Counter)
    waiting: set[tuple[int, str]] = set()
    for outcome in outcomes:
        key = outcome.occurrence_ns, outcome.meeting
        counts[key][outcome.state] += 1
        if not outcome.final:
            waiting.add(key)
    return [
        MeetingWeek(
            meeting=meeting,
            occurrence_ns=occurrence_ns,
            held=count[OutcomeState.HELD],
            failed=count[OutcomeState.FAILED],
            open=count[OutcomeState.EXCUSED] + count[OutcomeState.UNSETTLED],
            final=(occurrence_ns, meeting) not in waiting,
            excused=count[OutcomeState.EXCUSED],
        )
        for (occurrence_ns, meeting), count in sorted(counts.items())
    ]
