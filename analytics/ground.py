"""What a forecast stands on, and what it says of all sites: the two sides of any readiness model."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analytics.hours import hour_of_week, local_hour
from analytics.told_flags import ToldFlags
from analytics.usual_trouble import usual_chance
from telemetry.windows import SILENT_NS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from numpy.typing import NDArray

    from analytics.baseline import UsualNow
    from analytics.climatology import Climatology
    from analytics.condition import Condition
    from analytics.flapping import Flapping
    from analytics.forecast.foresight import Foresight
    from analytics.limits import LimitSets
    from analytics.lines import Lines
    from analytics.reach import Reached
    from analytics.recent import Recent
    from analytics.rehearsed import BrokeInRehearsal
    from analytics.trends import Trends
    from config.profiles import CallProfile
    from telemetry.decisions import Incident


class Standing(IntEnum):
    """The verdict's state as a number in arrays."""

    UNKNOWN = 0
    NOT_READY = 1
    AT_RISK = 2
    READY = 3


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Everything that is known as of `now_ns`. L limit sets, S sites, P paths."""

    now_ns: int
    zone: tzinfo
    profiles: Mapping[str, CallProfile]
    sets: LimitSets
    recent: Recent
    condition: Condition
    climate: Climatology
    usual: UsualNow | None
    fault_since_ns: NDArray[np.int64]
    """(L, S, P): since when the line has been broken; 0 where it is not."""
    relapses: NDArray[np.int64]
    """(S, P): spells of degradation that ended within the last hour."""
    silent_since_ns: NDArray[np.int64]
    """(S, P): end of the last window that came in time, or when we began to listen."""
    dark: NDArray[np.bool_]
    """(S,): no contact with the office's probe."""
    linked: NDArray[np.bool_]
    """(S,): the office has a probe."""
    link_bps: NDArray[np.float64]
    """(S, 2): rates of the line up and down as registered, NaN where nobody wrote them down."""
    dark_after_ns: int
    foresight: Foresight
    relapsing_since_ns: NDArray[np.int64] | None = None
    """(S, P): when the first of the spells of `relapses` began; None: not known."""
    flapping: Flapping
    """Which lines come and go, and since when."""
    told: ToldFlags = field(default_factory=ToldFlags)
    """The flags of faults that are up, or were within the last hour."""
    listening_since_ns: int = 0
    """Since when we listen: of silence before that nothing is known."""
    rehearsed: Mapping[str, BrokeInRehearsal] = field(default_factory=dict)
    """By call profile, the lines that broke under its load in their last rehearsal; none where nobody rehearsed."""
    reached: Reached | None = None
    """The rooms' devices and the platform's edge; None where nobody asks."""
    explained: NDArray[np.bool_] | None = None
    """(L, S, P): the line looks broken, and the probe's own trouble could explain it; None: no probe is in trouble."""
    not_believed: NDArray[np.bool_] | None = None
    """(S, P): the probe says for too long that it is in trouble itself: its figures stand as it reported them."""
    rising: tuple[tuple[Trends, ...], ...] = ()
    """By limit set, what rises steadily towards a limit and will pass it soon; empty: nobody looked."""
    stored: NDArray[np.bool_] | None = None
    """(S,): something of the office is stored, however old; None where nobody looked."""
    incidents: tuple[Incident, ...] = ()
    """The faults that offices share now."""
    providers: tuple[str, ...] = ()
    """(S,): of each office's first uplink, empty where unknown; none where nobody names them."""
    past_incidents: tuple[Incident, ...] = ()
    """Those that they shared and that were over within the hour; others may be among them."""
    with_late: Recent | None = None
    """`recent` with the windows that came late of the time in which nothing came: how long an outage was that is told; None: nobody kept them."""
    relapsed_until_ns: NDArray[np.int64] | None = None
    """(S, P): when the last spell of degradation that ended within the last hour was seen last; 0 without one, None: not known."""

    @property
    def lines(self) -> Lines:
        """The axes S and P."""
        return self.recent.lines

    @cached_property
    def faults_of(self) -> Mapping[str, tuple[Incident, ...]]:
        """By office, the faults that it shares or shared: looked up for each verdict, and a fault may list the whole fleet."""
        found: dict[str, list[Incident]] = {}
        for incident in (*self.past_incidents, *self.incidents):
            for site in incident.sites:
                found.setdefault(site, []).append(incident)
        return {site: tuple(faults) for site, faults in found.items()}

    @cached_property
    def heard(self) -> NDArray[np.bool_]:
        """(S, P): a window came, and not too long ago."""
        return (self.recent.newest >= 0) & (self.now_ns - self.silent_since_ns <= self.dark_after_ns)

    @cached_property
    def silent(self) -> NDArray[np.bool_]:
        """(S, P): nothing has come for `SILENT_NS`, as far as we have listened: nobody counts on the line, though it may be back at once."""
        listened_ns = self.now_ns - np.maximum(self.silent_since_ns, self.listening_since_ns)
        return np.asarray(~self.heard | (listened_ns > SILENT_NS))

    @cached_property
    def usual_chance(self) -> NDArray[np.float64]:
        """(L, S, P): the chance that what is broken now is the usual trouble of this hour."""
        this_hour = hour_of_week(np.array([local_hour(self.now_ns, self.zone)]))[0]
        return usual_chance(self.condition, self.recent, self.usual, self.climate.fails[..., this_hour])


@dataclass(frozen=True, slots=True)
class Terms:
    """The probability that each part takes away, (S,) each, on the chosen path.

    Attributes:
        fault: what is broken now or was lately, by the model, or by the guard where that takes more.
        silence: what silence hides, likewise.
        usual: the hours of the meeting and the line's usual trouble.
        strain: figures that draw near their limits.
        rising: a figure that rises steadily and will pass its limit before the meeting is over.
        peers: trouble of the lines that share provider, region or end.
        planned: announced works or a holiday.
        capacity: the line is registered as too slow.
        rehearsal: the line broke under the load in its last rehearsal.
    """

    fault: NDArray[np.float64]
    silence: NDArray[np.float64]
    usual: NDArray[np.float64]
    strain: NDArray[np.float64]
    rising: NDArray[np.float64]
    peers: NDArray[np.float64]
    planned: NDArray[np.float64]
    capacity: NDArray[np.float64]
    rehearsal: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expectation:
    """Of one occurrence, all sites, (S,) each.

    `probability` is NaN where there is none; `path` is -1 without one; `best` is an index into `rungs` (the
    profiles of the meeting's ladder from its own downwards), -1 when none is expected to hold.
    """

    probability: NDArray[np.float64]
    standing: NDArray[np.int8]
    path: NDArray[np.int64]
    best: NDArray[np.int64]
    rungs: tuple[str, ...]
    terms: Terms
