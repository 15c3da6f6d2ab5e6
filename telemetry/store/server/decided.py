"""What was decided, as points beside the reports: names, tags, fields and numbers, for InfluxDB and VictoriaMetrics alike.

Fixed for ever, like those in `points.py`. Enums are the numbers below, which never change their meaning. Times end in `_s` (Unix
seconds). A point lies in the second in which it was taken (forecasts: issued; scores: in which the meeting began), at the
millisecond `lane` of its occurrence, so that two occurrences of one series do not cover each other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from config.sites import SiteStatus
from telemetry.decisions import Action, OutcomeState, ReasonCode, State
from telemetry.rehearsing import HubResult, OfficeState, RehearsalState
from telemetry.store.server.lines import escaped
from telemetry.windows import HOUR_NS, MS_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.profiles import CallProfile
    from config.sites import Site
    from telemetry.decisions import Forecast, Incident, Outcome, Verdict
    from telemetry.rehearsing import RehearsalRecord


class Decided(StrEnum):
    """The measurements, without the deployment's prefix."""

    VERDICT = "verdict"
    """What is expected of an office at an occurrence, as it stands now."""
    FORECAST = "forecast"
    """A verdict issued for keeps, at its issue."""
    OUTCOME = "outcome"
    """What came true."""
    SCORE = "score"
    """A forecast beside what came true, once that is final."""
    MEETING = "meeting"
    """How many offices of an occurrence are in which state."""
    INCIDENT = "incident"
    """A fault that offices share."""
    REHEARSED = "rehearsed"
    """How far a meeting's offices are with a rehearsal, or what it came to."""
    STRUCK = "incident_site"
    """An office of a shared fault, so that faults can be asked for by office and region."""
    EVENT = "event"
    """Beginnings and ends, for annotations."""
    PRESENCE = "presence"
    """Whether an office is heard of, and what is expected of it next."""
    ROLLOUT = "rollout"
    """A region's offices: linked, planned, silent."""
    PACE = "rollout_pace"
    """How fast a region's offices are linked, and when all would be."""
    LINE = "rollout_line"
    """How many were linked when, and the day on which all would be: points of a line, each with its own time as a field."""
    LIMIT = "limit"
    """The alarm limits of a call profile."""


STATES: Final = {State.UNKNOWN: 0, State.READY: 1, State.AT_RISK: 2, State.NOT_READY: 3}
VOIDED: Final = 9
"""In place of a state: the occurrence was moved or cancelled, or the office is no longer invited."""
OUTCOMES: Final = {
    OutcomeState.UNSETTLED: 0,
    OutcomeState.HELD: 1,
    OutcomeState.FAILED: 2,
    OutcomeState.EXCUSED: 3,
}
REASONS: Final = {
    ReasonCode.LOSS_UP: 1,
    ReasonCode.LOSS_DOWN: 2,
    ReasonCode.LOSS: 3,
    ReasonCode.BURST_UP: 4,
    ReasonCode.BURST_DOWN: 5,
    ReasonCode.BURST: 6,
    ReasonCode.JITTER_UP: 7,
    ReasonCode.JITTER_DOWN: 8,
    ReasonCode.RTT: 9,
    ReasonCode.RTT_FLOOR: 10,
    ReasonCode.BITRATE_UP: 11,
    ReasonCode.BITRATE_DOWN: 12,
    ReasonCode.MOVED_RTT: 13,
    ReasonCode.MOVED_JITTER: 14,
    ReasonCode.MOVED_LOSS: 15,
    ReasonCode.OUTAGE: 16,
    ReasonCode.DARK: 17,
    ReasonCode.USUAL_HOUR: 18,
    ReasonCode.RECENT_FAULT: 19,
    ReasonCode.STRAINED: 20,
    ReasonCode.PLANNED: 21,
    ReasonCode.SHARED_FAULT: 22,
    ReasonCode.ROOM_DEVICE: 23,
    ReasonCode.PROBE_FAULT: 24,
    ReasonCode.NO_HISTORY: 25,
    ReasonCode.NO_DATA: 26,
    ReasonCode.NOT_LINKED: 27,
    ReasonCode.REHEARSAL_UP: 28,
    ReasonCode.REHEARSAL_DOWN: 29,
    ReasonCode.PLATFORM_EDGE: 30,  # 28 and 29 are taken: the rehearsal's
    ReasonCode.EXPECTED_STRAIN: 31,
    ReasonCode.FLAPPING: 32,
    ReasonCode.RISING_RTT: 33,
    ReasonCode.RISING_JITTER: 34,
    ReasonCode.RISING_LOSS: 35,
}
"""0: no reason, or one that this table does not know yet."""
ACTIONS: Final = {
    Action.NONE: 0,
    Action.RESTART_ROUTER: 1,
    Action.SECOND_LINE: 2,
    Action.CALL_PROVIDER: 3,
    Action.CHECK_POWER: 4,
    Action.SWITCH_ON_DEVICE: 5,
    Action.LOWER_PROFILE: 6,
    Action.WAIT_HEADQUARTERS: 7,
    Action.WATCH: 8,
    Action.AUDIO_ONLY: 9,
}
REHEARSALS: Final = {
    RehearsalState.WAITING: 0,
    RehearsalState.RUNNING: 1,
    RehearsalState.DONE: 2,
    RehearsalState.REFUSED: 3,
    RehearsalState.ABORTED: 4,
}
MEETINGS: Final = 4096
"""So many values the tag `meeting` can have, however many meetings there ever are."""
BINS: Final = 10
LANES: Final = 768
"""Hours that lie apart are lanes apart, for 32 days, which is further than verdicts reach."""

Value = int | float | None


@dataclass(frozen=True, slots=True)
class Point:
    """One point: its series (name and tags), its fields, its time."""

    series: str
    fields: tuple[tuple[str, Value], ...]
    time_ms: int

    @property
    def line(self) -> str:
        """In line protocol; what is absent is left out."""
        said = ",".join(f"{name}={_text(value)}" for name, value in self.fields if value is not None)
        return f"{self.series} {said} {self.time_ms}"

    @property
    def digest(self) -> str:
        """The same as long as nothing but its time changes."""
        said = [pair for pair in self.fields if pair[0] not in {"issued_s", "seen_s"}]
        return hashlib.sha256(f"{self.series} {said}".encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Course:
    """The roll-out of a region. `complete_s`, `target_s`: 0 where there is no such day, since a newest value must take back an older one."""

    linked: int
    total: int
    per_week: float | None
    complete_s: int
    target_s: int
    needed_per_week: float | None
    steps: tuple[tuple[str, int, int], ...]
    """Tag, Unix seconds and offices linked of each point of the line: `w8` … `w1` weeks ago, `now`, `end`."""


def meeting_tag(uid: str) -> str:
    """The tag of a meeting: three hex digits of its UID's hash, so that there are never more than `MEETINGS` of them.

    Two meetings share one with the odds of 1 in 4,096; their points stay apart, a list by tag shows them under both names.
    """
    number = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") % MEETINGS
    return f"m{number:03x}"


def day_tag(occurrence_ns: int) -> str:
    """The weekday of an occurrence in UTC, 1 (Monday) to 7: tells today's from tomorrow's of a daily meeting."""
    return str(datetime.fromtimestamp(occurrence_ns // SECOND_NS, UTC).isoweekday())


def lane(occurrence_ns: int) -> int:
    """The millisecond of an occurrence's points within their second."""
    return occurrence_ns // HOUR_NS % LANES


class PointMaker:
    """Makes the points of one deployment."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def verdict(self, verdict: Verdict, taken_ns: int) -> Point:
        """What is expected now; the first reason is the weightiest."""
        first = verdict.reasons[0] if verdict.reasons else None
        fields: tuple[tuple[str, Value], ...] = (
            ("state", STATES[verdict.state]),
            ("probability", _float(verdict.probability)),
            ("reason", REASONS.get(first.code, 0) if first else 0),
            ("reasons", len(verdict.reasons)),
            ("reason_value", _float(first.value) if first else None),
            ("reason_limit", _float(first.limit) if first else None),
            ("action", ACTIONS.get(verdict.action, 0)),
            ("issued_s", verdict.issued_ns // SECOND_NS),
            *_when(verdict),
        )
        series = self._occasion(Decided.VERDICT, verdict.meeting, verdict.occurrence_ns, verdict.site)
        return Point(series, fields, _time_ms(taken_ns, verdict.occurrence_ns))

    def forecast(self, forecast: Forecast) -> Point:
        """As issued, at the time of issue."""
        verdict = forecast.verdict
        fields: tuple[tuple[str, Value], ...] = (
            ("state", STATES[verdict.state]),
            ("probability", _float(verdict.probability)),
            *_when(verdict),
        )
        series = self._occasion(Decided.FORECAST, verdict.meeting, verdict.occurrence_ns, verdict.site)
        series += f",horizon={forecast.horizon.value}"
        return Point(series, fields, _time_ms(verdict.issued_ns, verdict.occurrence_ns))

    def outcome(self, outcome: Outcome, taken_ns: int) -> Point:
        """What came true, as far as is known."""
        fields: tuple[tuple[str, Value], ...] = (
            ("state", OUTCOMES[outcome.state]),
            ("windows", outcome.windows),
            ("broken", outcome.broken),
            ("missing", outcome.missing),
            ("final", int(outcome.final)),
            ("occurrence_s", outcome.occurrence_ns // SECOND_NS),
        )
        series = self._occasion(Decided.OUTCOME, outcome.meeting, outcome.occurrence_ns, outcome.site)
        return Point(series, fields, _time_ms(taken_ns, outcome.occurrence_ns))

    def score(self, forecast: Forecast, outcome: Outcome) -> Point | None:
        """A forecast beside its outcome; None where there is no probability, or nothing final to score it by."""
        verdict, p = forecast.verdict, forecast.verdict.probability
        if p is None or not outcome.final or outcome.state not in {OutcomeState.HELD, OutcomeState.FAILED}:
            return None
        held = int(outcome.state is OutcomeState.HELD)
        decile = min(int(p * BINS), BINS - 1)
        fields: tuple[tuple[str, Value], ...] = (
            ("probability", float(p)),
            ("held", held),
            ("brier", float((p - held) ** 2)),
            ("flagged", int(verdict.state in {State.AT_RISK, State.NOT_READY})),
            ("issued_at_s", verdict.issued_ns // SECOND_NS),
        )
        series = self._occasion(Decided.SCORE, verdict.meeting, verdict.occurrence_ns, verdict.site)
        series += f",horizon={forecast.horizon.value},bin={decile}"
        return Point(series, fields, _time_ms(verdict.starts_ns, verdict.occurrence_ns))

    def meeting(self, verdicts: list[Verdict], taken_ns: int) -> Point:
        """The offices of one occurrence by state."""
        one = verdicts[0]
        counts = {state: sum(v.state is state for v in verdicts) for state in STATES}
        fields: tuple[tuple[str, Value], ...] = (
            ("invited", len(verdicts)),
            *((state.value, number) for state, number in counts.items()),
            *_when(one),
        )
        series = self._occasion(Decided.MEETING, one.meeting, one.occurrence_ns)
        return Point(series, fields, _time_ms(taken_ns, one.occurrence_ns))

    def incident(self, incident: Incident, taken_ns: int) -> Point:
        """A shared fault as it stands; `until_s` once it is over."""
        fields: tuple[tuple[str, Value], ...] = (
            ("open", int(incident.until_ns is None)),
            ("offices", len(incident.sites)),
            ("suffer", incident.evidence.suffer),
            ("members", incident.evidence.members),
            ("since_s", incident.since_ns // SECOND_NS),
            ("until_s", None if incident.until_ns is None else incident.until_ns // SECOND_NS),
        )
        return Point(
            self._series(Decided.INCIDENT, {"factor": str(incident.factor)}), fields, taken_ns // MS_NS
        )

    def rehearsed(self, record: RehearsalRecord, taken_ns: int) -> Point:
        """A rehearsal as it stands; what the hub took once a stage is over."""
        request, hub = record.request, record.hub or HubResult()
        fields: tuple[tuple[str, Value], ...] = (
            ("state", REHEARSALS[record.state]),
            ("offices", len(record.offices)),
            *((state.value, sum(one.state is state for one in record.offices)) for state in OfficeState),
            ("stages", len(record.starts_ns)),
            ("took_up_bps", _float(hub.took_up_bps)),
            ("took_down_bps", _float(hub.took_down_bps)),
            ("common_from", hub.common_from),
            ("asked_s", request.asked_ns // SECOND_NS),
        )
        series = self._occasion(Decided.REHEARSED, request.meeting, request.recurrence_ns)
        return Point(series, fields, _time_ms(taken_ns, request.recurrence_ns))

    def struck(self, incident: Incident, site: str, taken_ns: int, *, is_struck: bool) -> Point:
        """An office of a shared fault; `open` 0 once it is over or the office is no longer part of it."""
        is_open = is_struck and incident.until_ns is None
        fields: tuple[tuple[str, Value], ...] = (
            ("open", int(is_open)),
            ("since_s", incident.since_ns // SECOND_NS),
        )
        series = self._series(Decided.STRUCK, {"site": site, "factor": str(incident.factor)})
        return Point(series, fields, taken_ns // MS_NS)

    def began(self, kind: str, about: str, at_ns: int, offices: int, lane_ms: int = 0) -> Point:
        """A beginning or an end: `kind` meeting, incident, incident_end or rehearsal (its first load)."""
        fields: tuple[tuple[str, Value], ...] = (("offices", offices),)
        series = self._series(Decided.EVENT, {"kind": kind, "about": about})
        return Point(series, fields, at_ns // SECOND_NS * 1000 + lane_ms)

    def presence(self, site: Site, *, online: bool, ahead: Verdict | None, at_ns: int) -> Point:
        """Whether any probe of an office is on line, and what is expected of it at its next meeting (or the one that is on)."""
        linked = site.status is SiteStatus.LINKED
        fields: tuple[tuple[str, Value], ...] = (
            ("online", int(online)),
            ("linked", int(linked)),
            ("silent", int(linked and not online)),
            ("next_state", STATES[ahead.state] if ahead else None),
            ("next_starts_s", ahead.starts_ns // SECOND_NS if ahead else None),
        )
        return Point(self._series(Decided.PRESENCE, {"site": site.id}), fields, at_ns // MS_NS)

    def rollout(self, region: str, counts: Mapping[str, int], at_ns: int) -> Point:
        """A region's offices: linked, planned, silent (linked, but no probe on line)."""
        return Point(self._series(Decided.ROLLOUT, {"region": region}), tuple(counts.items()), at_ns // MS_NS)

    def pace(self, region: str, course: Course, at_ns: int) -> Point:
        """How fast, and until when; what is not known is absent."""
        fields: tuple[tuple[str, Value], ...] = (
            ("linked", course.linked),
            ("total", course.total),
            ("per_week", course.per_week),
            ("complete_s", course.complete_s),
            ("target_s", course.target_s),
            ("needed_per_week", course.needed_per_week),
        )
        return Point(self._series(Decided.PACE, {"region": region}), fields, at_ns // MS_NS)

    def line(self, region: str, course: Course, at_ns: int) -> list[Point]:
        """The points of the line, all written now."""
        return [
            Point(
                self._series(Decided.LINE, {"region": region, "step": step}),
                (("at_s", at_s), ("linked", linked)),
                at_ns // MS_NS,
            )
            for step, at_s, linked in course.steps
        ]

    def limit(self, profile: CallProfile, at_ns: int) -> Point:
        """A profile's alarm limits; what it does not judge is absent."""
        alarm = profile.alarm
        fields: tuple[tuple[str, Value], ...] = (
            ("rank", profile.rank),
            ("loss_ratio", _float(alarm.loss_ratio)),
            ("jitter_ms", _float(alarm.jitter_ms)),
            ("rtt_ms", _float(alarm.rtt_ms)),
        )
        return Point(self._series(Decided.LIMIT, {"profile": profile.id}), fields, at_ns // MS_NS)

    def _occasion(self, family: Decided, uid: str, occurrence_ns: int, site: str = "") -> str:
        tags = {"meeting": meeting_tag(uid), "day": day_tag(occurrence_ns)}
        return self._series(family, ({"site": site} if site else {}) | tags)

    def _series(self, family: Decided, tags: Mapping[str, str]) -> str:
        said = ",".join(f"{name}={escaped(value)}" for name, value in tags.items())
        return f"{self._prefix}_{family.value},{said}"


def _when(verdict: Verdict) -> tuple[tuple[str, Value], ...]:
    return (("starts_s", verdict.starts_ns // SECOND_NS), ("ends_s", verdict.ends_ns // SECOND_NS))


def _time_ms(at_ns: int, occurrence_ns: int) -> int:
    return at_ns // SECOND_NS * 1000 + lane(occurrence_ns)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _text(value: Value) -> str:
    return f"{value}i" if isinstance(value, int) else repr(value)
