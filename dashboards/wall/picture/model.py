"""The picture as it goes to the browser: small frozen records, times in whole milliseconds since the Unix epoch.

Words are not in it: codes and numbers are, so that one picture serves every language.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Shade(StrEnum):
    """The state of a tile: a verdict's word, or what stands before any verdict."""

    READY = "ready"
    AT_RISK = "at_risk"
    NOT_READY = "not_ready"
    DARK = "dark"
    UNKNOWN = "unknown"
    PLANNED = "planned"


class _Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Absent fields are left out on the wire."""


class Office(_Record, frozen=True, kw_only=True):
    """What does not change about a site, and where it lies on the ground."""

    id: str
    hi: str
    en: str
    region: str
    x: float
    y: float
    level: str = "district"
    provider: str = ""
    linked: bool = False


class Place(_Record, frozen=True, kw_only=True):
    """A name in both languages: a region, an end, a call profile."""

    id: str
    hi: str
    en: str


class Cause(_Record, frozen=True, kw_only=True):
    """What several offices have in common, as `telemetry.decisions.Factor`."""

    kind: str
    name: str = ""
    region: str = ""


class Why(_Record, frozen=True, kw_only=True):
    """A reason: `value`, `limit` and `usual` in `unit`, or the `cause` that it shares with other offices."""

    code: str
    value: float | None = None
    limit: float | None = None
    usual: float | None = None
    unit: str = ""
    path: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    """When it was over, of a reason that lies in the recent past."""
    unseen: bool = False
    """Of a fault of the line: it may have begun before `since_ms`."""
    cause: Cause | None = None
    among: Cause | None = None
    """Of whose other lines `value` is the share that is broken now, where no shared fault is proved."""
    record: tuple[int, int] | None = None
    """Of a usual hour: in how many weeks it failed, of how many that is known."""
    per_minute: float | None = None
    """By how much `value` rises in a minute, of what rises steadily."""
    crosses_ms: int | None = None
    """When it passes `limit` at that rate."""


class Tile(_Record, frozen=True, kw_only=True):
    """One office now. `meeting` is empty when the shade comes from the line alone, not from a verdict."""

    shade: Shade
    probability: float | None = None
    why: Why | None = None
    down: Why | None = None
    """That the line is down now, where another reason comes before it."""
    action: str = ""
    best: str = ""
    path: str = ""
    meeting: str = ""
    """Key of the meeting that the verdict is about."""
    online: bool | None = None
    """What the probe's presence says; None when it never spoke."""
    presence_ms: int | None = None
    newest_ms: int | None = None
    """End of the newest window that arrived."""
    flags: int = 0
    loss: tuple[float | None, ...] = ()
    """Loss ratio of the last two hours, oldest first, five minutes a step."""
    rtt: tuple[float | None, ...] = ()
    """95th percentile of the round trip (ms) beside it."""


class Count(_Record, frozen=True, kw_only=True):
    """How many invited offices have which verdict; those without one yet are `unknown`."""

    ready: int = 0
    at_risk: int = 0
    not_ready: int = 0
    dark: int = 0
    unknown: int = 0
    planned: int = 0


class Came(_Record, frozen=True, kw_only=True):
    """How many offices of a meeting that is over have which outcome."""

    held: int = 0
    failed: int = 0
    excused: int = 0
    unsettled: int = 0


class Weak(_Record, frozen=True, kw_only=True):
    """An invited office that is not ready for one meeting."""

    site: str
    shade: Shade
    probability: float | None = None
    why: Why | None = None
    down: Why | None = None
    """That the line is down now, where another reason comes before it."""
    action: str = ""


class Gathering(_Record, frozen=True, kw_only=True):
    """One occurrence of a meeting. Key: UID, a space, RECURRENCE-ID in UTC."""

    uid: str
    recurrence: str
    hi: str
    en: str
    starts_ms: int
    ends_ms: int
    end: str
    profile: str
    linked: int
    """Invited offices that have a line; of a meeting with outcomes, those that were in it."""
    count: Count
    came: Came | None = None
    """What came true, once it is over and outcomes are on record."""
    stamp: str
    """Changes when any verdict of this meeting does; a page that shows it fetches it again."""
    weak: tuple[Weak, ...] = ()
    """Of the meeting that comes next and of those that run: the offices that will not hold, worst first. An office's tile tells of one meeting only."""
    failed: dict[str, float] = {}
    """Of one that runs: the offices that have failed it already, whatever comes, each with the share of the whole meeting that broke."""
    rehearsal: str = ""
    """Id of the rehearsal of it that waits or is going on."""


class Degraded(_Record, frozen=True, kw_only=True):
    """A line that is degraded now."""

    site: str
    path: str
    why: Why
    since_ms: int
    severe: bool = False


class Incident(_Record, frozen=True, kw_only=True):
    """One cause that several offices share: `suffer` of its `members` do, and `others_suffer` of the `others`."""

    id: str
    kind: str
    """What the offices have in common, as `telemetry.decisions.FactorKind`."""
    name: str
    region: str
    suffer: int
    members: int
    others: int
    others_suffer: int
    sites: tuple[str, ...]
    since_ms: int
    until_ms: int | None = None
    """When it was over; absent while it lasts."""
    alert: str = ""
    """Id of the alert that it has become; empty: none yet."""
    told: int = 0
    """How many people were told."""
    by: str = ""
    """Who has taken it up; empty: nobody."""
    by_ms: int | None = None
    note: str = ""


class Pulse(_Record, frozen=True, kw_only=True):
    """When a part of the house last said that it is at work."""

    role: str
    at_ms: int


class Held(_Record, frozen=True, kw_only=True):
    """All-clears that wait because the watch judges windows late."""

    n: int
    since_ms: int


class Track(_Record, frozen=True, kw_only=True):
    """How often forecasts came true: `right` of `of`, over so many days."""

    days: int
    of: int
    right: int
    brier: float | None = None


class Picture(_Record, frozen=True, kw_only=True):
    """All that changes, by key, so that two pictures can be compared."""

    tiles: dict[str, Tile]
    meetings: dict[str, Gathering]
    flags: dict[str, Degraded]
    incidents: tuple[Incident, ...] = ()
    pulses: dict[str, Pulse] = {}
    """The parts of the hub that say they are alive, by name; `store` says that the store takes nothing in."""
    track: Track | None = None
    held: Held | None = None
    trouble: str = ""
    """Why parts of the picture may be missing or old: the store or the state database cannot be read."""
    refused: str = ""
    """What is wrong with a changed file of the operator's; what stood before it is in force."""


class Scene(_Record, frozen=True, kw_only=True):
    """All that does not change while the configuration stands."""

    name: str
    timezone: str
    language: str
    phone: str
    offices: tuple[Office, ...]
    regions: tuple[Place, ...]
    ends: tuple[Place, ...]
    profiles: tuple[Place, ...]
    width: float
    height: float
    cells: tuple[tuple[float, ...], ...]
    outline: tuple[tuple[float, ...], ...]
    calendar: str = ""
    """Where the operator's meetings are read from, for the sentence on an empty calendar."""
