"""What the house decides and keeps on record: flags, verdicts, forecasts, outcomes.

Analytics makes these, the state database keeps them, the wall, alerts and reports read them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterable


class State(StrEnum):
    """The verdict's word. Flagged means `at_risk` or worse."""

    READY = "ready"
    AT_RISK = "at_risk"
    NOT_READY = "not_ready"
    UNKNOWN = "unknown"


READY_FROM: Final = 0.90
AT_RISK_FROM: Final = 0.60
"""Where the states begin; no chance is told as if it stood on the other side."""


def within_state(chance: float, rounded: float, digits: int) -> float:
    """A chance (0..1) that was rounded to so many digits; one step below the border where it was rounded up to a better state."""
    for border in (READY_FROM, AT_RISK_FROM):
        if chance < border <= rounded:
            return round(border - 0.1**digits, digits)
    return rounded


class ReasonCode(StrEnum):
    """Why; each has its words in the catalogues under `reason.<code>`."""

    LOSS_UP = "loss_up"
    LOSS_DOWN = "loss_down"
    LOSS = "loss"  # direction not known
    BURST_UP = "burst_up"
    BURST_DOWN = "burst_down"
    BURST = "burst"
    JITTER_UP = "jitter_up"
    JITTER_DOWN = "jitter_down"
    RTT = "rtt"
    RTT_FLOOR = "rtt_floor"  # above the line's own floor
    BITRATE_UP = "bitrate_up"
    BITRATE_DOWN = "bitrate_down"
    MOVED_RTT = "moved_rtt"  # the level rose just now, past a limit or not
    MOVED_JITTER = "moved_jitter"
    MOVED_LOSS = "moved_loss"
    RISING_RTT = "rising_rtt"  # within its limit, rises steadily, and will pass it soon at this rate
    RISING_JITTER = "rising_jitter"
    RISING_LOSS = "rising_loss"
    OUTAGE = "outage"  # every packet lost
    DARK = "dark"  # no contact with the office's probe
    USUAL_HOUR = "usual_hour"  # this hour was bad in past weeks
    RECENT_FAULT = "recent_fault"
    FLAPPING = "flapping"  # fails and comes back, again and again
    STRAINED = "strained"  # not broken, but near a limit
    EXPECTED_STRAIN = (
        "expected_strain"  # will be over a limit during the meeting; with a figure where it is fine yet
    )
    REHEARSAL_UP = "rehearsal_up"  # broke under the load of the call, when it was tried
    REHEARSAL_DOWN = "rehearsal_down"
    PLANNED = "planned"  # works or a holiday were announced for the time
    SHARED_FAULT = "shared_fault"
    ROOM_DEVICE = "room_device"
    PLATFORM_EDGE = "platform_edge"  # the meeting platform does not answer this office
    PROBE_FAULT = "probe_fault"
    NO_HISTORY = "no_history"
    NO_DATA = "no_data"
    NOT_LINKED = "not_linked"


MOVED_LEVELS: Final = frozenset({ReasonCode.MOVED_RTT, ReasonCode.MOVED_JITTER, ReasonCode.MOVED_LOSS})
"""News of a line that is within its limits, or was told already."""

RISING: Final = frozenset({ReasonCode.RISING_RTT, ReasonCode.RISING_JITTER, ReasonCode.RISING_LOSS})
"""What is no fault yet, and will be one at the rate at which it rises."""

NEWS: Final = MOVED_LEVELS | RISING | {ReasonCode.FLAPPING}
"""Flags that are no faults of this moment: no verdict, incident or count of faults stands on them."""

BESIDE_THE_LINE: Final = frozenset({ReasonCode.ROOM_DEVICE, ReasonCode.PLATFORM_EDGE})
"""What a call needs and no window of the line shows: no forecast is scored by it."""


class Action(StrEnum):
    """The one thing to do; words in the catalogues under `action.<code>`."""

    NONE = "none"
    RESTART_ROUTER = "restart_router"
    SECOND_LINE = "second_line"
    CALL_PROVIDER = "call_provider"
    CHECK_POWER = "check_power"
    SWITCH_ON_DEVICE = "switch_on_device"
    LOWER_PROFILE = "lower_profile"
    AUDIO_ONLY = "audio_only"
    WAIT_HEADQUARTERS = "wait_headquarters"
    WATCH = "watch"


class FactorKind(StrEnum):
    """What several offices can have in common, in the order in which it is named when nothing tells two apart."""

    HUB = "hub"  # the headquarters' own collector or broker: nobody is heard
    END = "end"  # one headquarters' line or reflector: only what is measured to it suffers
    HEADQUARTERS = "headquarters"  # every line of every office
    PROVIDER = "provider"
    REGION = "region"
    PROVIDER_REGION = "provider_region"
    UPLINK = "uplink"
    AT_ONCE = "at_once"  # nothing that we know of: many fell silent at one moment


class Factor(Struct, frozen=True, omit_defaults=True):
    """A common factor: `provider` `provider-b`, `provider_region` `provider-b` in `awadh`, `end` `state`."""

    kind: FactorKind
    name: str = ""
    region: str = ""

    @property
    def is_headquarters(self) -> bool:
        """The fault is at headquarters: there is nothing that an office or its provider can do."""
        return self.kind in {FactorKind.HUB, FactorKind.END, FactorKind.HEADQUARTERS}

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind.value, self.name, self.region) if part)


class Evidence(Struct, frozen=True, kw_only=True):
    """Why a factor is named: `suffer` of its `members` offices do, and `others_suffer` of the `others`."""

    members: int
    suffer: int
    others: int
    others_suffer: int
    log_odds: float
    """Natural logarithm of the odds of a shared fault against offices that fail each for itself."""


class EndBegan(Struct, frozen=True, kw_only=True):
    """Since when most offices of a fault of headquarters have suffered at one of its ends."""

    end: str
    since_ns: int


class Incident(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault that several offices share."""

    id: str
    factor: Factor
    since_ns: int
    """When it began."""
    told_ns: int
    """When it was first told."""
    seen_ns: int
    """When it was last seen."""
    sites: tuple[str, ...]
    """The offices that suffer; of one that is over, all that did."""
    evidence: Evidence
    """That for which it has its name, as it was told: later looks add offices that join to `suffer` and `members`, and raise `log_odds`."""
    until_ns: int | None = None
    """When it was over; absent while it lasts."""
    ends: tuple[EndBegan, ...] = ()
    """Of a fault at headquarters, the ends that suffer: it may have begun at one and have grown."""

    def since_at_ns(self, end: str) -> int:
        """When it began for lines to `end`; where nobody knows, with the fault."""
        return next((one.since_ns for one in self.ends if one.end == end), self.since_ns)


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason with its numbers. `value` and `limit` are in `unit` (`ratio`, `ms`, `bps`, `s`)."""

    code: ReasonCode
    value: float | None = None
    limit: float | None = None
    usual: float | None = None
    """What is usual for this hour of the week on this line."""
    unit: str = ""
    path: str = ""
    since_ns: int | None = None
    until_ns: int | None = None
    """When it was over, of a reason that lies in the recent past; absent while it lasts."""
    unseen: bool = False
    """Of a fault of the line: it was there when it was first looked at, and may have begun before `since_ns`."""
    factor: Factor | None = None
    """What the offices have in common, of a shared fault."""
    among: Factor | None = None
    """Of whose other lines `value` is the share that is broken now, or was until `until_ns`, where no shared fault is proved: a provider's, or those to an end."""
    record: tuple[int, int] | None = None
    """Of a usual hour: in how many weeks it failed, and of how many that is known; `value` is the chance that it fails."""
    per_minute: float | None = None
    """By how much `value` rises in a minute, of what rises steadily."""
    crosses_ns: int | None = None
    """When it passes `limit` at that rate."""

    @property
    def is_down_now(self) -> bool:
        """Whether it says that nothing comes through or is heard at this moment, and since when."""
        return self.code in DOWN and self.since_ns is not None and self.until_ns is None

    @property
    def is_of_others(self) -> bool:
        """Whether it tells that others are in trouble, or were, and nothing proves that they share it."""
        return self.code is ReasonCode.SHARED_FAULT and self.factor is None

    @property
    def told_as(self) -> ReasonCode:
        """What is told to who is no engineer: an outage that is over is a fault of not long ago."""
        is_over = self.code is ReasonCode.OUTAGE and self.until_ns is not None
        return ReasonCode.RECENT_FAULT if is_over else self.code


DOWN: Final = frozenset({ReasonCode.OUTAGE, ReasonCode.NO_DATA, ReasonCode.DARK})
"""Nothing comes through, or nothing is heard."""


def down_now(reasons: Iterable[Reason]) -> Reason | None:
    """The reason that says that nothing comes through or is heard at this moment, and since when; None without one."""
    return next((one for one in reasons if one.is_down_now), None)


class Flag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line that is degraded now."""

    site: str
    path: str
    reason: Reason
    since_ns: int
    """Start of the first window of the spell."""
    seen_ns: int
    """End of the last window that says so."""
    severe: bool = False
    as_usual: bool = False
    """Past its limit, but no more than is usual on this line at this hour."""


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is expected of one office at one occurrence of a meeting, as of `issued_ns`."""

    site: str
    meeting: str
    """UID of the meeting."""
    occurrence_ns: int
    """RECURRENCE-ID, UTC; with the UID the identity of the occurrence."""
    starts_ns: int
    ends_ns: int
    profile: str
    issued_ns: int
    state: State
    probability: float | None = None
    """That the office holds the profile; None only when `state` is unknown or the office is dark."""
    path: str = ""
    """The best permitted path, on which the verdict stands."""
    reasons: tuple[Reason, ...] = ()
    best_profile: str = ""
    """The highest profile that the line is expected to hold; empty when none."""
    action: Action = Action.NONE
    model: str = ""
    """Name and version of the model that said so."""
    known_since_ns: int | None = None
    """Since when the line is known at all, said only while that is less than a day."""

    @property
    def expected(self) -> float | None:
        """What it adds to the number of offices that are expected to hold; None when nothing is known.

        `probability` is the line's: without contact, or where what a call needs beside the line is away, nothing is expected.
        """
        if self.state is State.UNKNOWN:
            return None
        is_beside = any(reason.code in BESIDE_THE_LINE for reason in self.reasons)
        if self.probability is None or (self.state is State.NOT_READY and is_beside):
            return 0.0
        return self.probability

    def known_for_ns(self, now_ns: int) -> int | None:
        """How long its line is known, ns; None once that is a day or more."""
        if self.known_since_ns is None:
            return None
        known_ns = max(now_ns - self.known_since_ns, 0)
        return known_ns if known_ns < DAY_NS else None


class Horizon(StrEnum):
    """When a forecast is issued for keeps, before the start of the meeting."""

    T24H = "T-24h"
    T2H = "T-2h"
    T30M = "T-30m"
    T10M = "T-10m"


class Forecast(Struct, frozen=True, kw_only=True):
    """A verdict issued for keeps at a horizon; never changed, scored against the outcome."""

    horizon: Horizon
    verdict: Verdict


class OutcomeState(StrEnum):
    """What came true."""

    HELD = "held"
    FAILED = "failed"
    EXCUSED = "excused"  # maintenance or a proven probe fault explains the missing windows
    UNSETTLED = "unsettled"  # late data may still come


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came true for one office at one occurrence; final 24 h after its end."""

    site: str
    meeting: str
    occurrence_ns: int
    state: OutcomeState
    windows: int
    broken: int
    missing: int
    settled_ns: int
    final: bool = False
    lost: int = 0
    """Windows in which every packet was lost, among those that are `broken`."""
    unheard: int = 0
    """Windows that were never measured while the office had lost contact, among those that are `missing`; once it is final they are `broken` too."""

    @property
    def rest(self) -> tuple[int, int]:
        """Windows that broke, and that are missing, beside those of outages."""
        counted = self.unheard if self.final else 0
        return max(self.broken - self.lost - counted, 0), max(self.missing - self.unheard, 0)
