"""Every question that a dashboard asks of the store, by name: the tests ask each of the real engines."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dashboards.grafana.ask import Ask, Grain, How, Whom
from telemetry.decisions import State
from telemetry.store.server.decided import STATES, Decided
from telemetry.store.server.item_points import Itemised
from telemetry.store.server.points import Family

_WAYS: Final = ("path", "direction")
_WHOLE: Final = ("site",)
_PATH: Final = (("path", "path"),)
_HORIZON: Final = (("horizon", "horizon"),)
_OCCASION: Final = ("meeting", "day")


def _line(how: How, field: str, *, under: str = "") -> Ask:
    return Ask(family=Family.WINDOW, how=how, field=field, under=under, where=_PATH)


def _way(how: How, field: str, *, under: str = "") -> Ask:
    return Ask(family=Family.WINDOW_DIRECTION, how=how, field=field, under=under, by=_WAYS, where=_PATH)


def _office(family: Family | Decided, how: How, field: str, *, under: str = "", times: int = 1) -> Ask:
    return Ask(
        family=family,
        how=how,
        field=field,
        under=under,
        by=_WHOLE,
        whom=Whom.REGION,
        over_range=True,
        times=times,
    )


def _probe(how: How, field: str) -> Ask:
    return Ask(family=Family.REPORT, how=how, field=field, by=("site", "probe"), whom=Whom.REGION)


def _call(how: How, field: str, *, under: str = "") -> Ask:
    return Ask(family=Itemised.CALL, how=how, field=field, under=under, by=("media", "direction"))


def _rehearsal(how: How, field: str) -> Ask:
    return Ask(family=Itemised.REHEARSAL, how=how, field=field, by=_WAYS, where=_PATH)


def _limit(field: str) -> Ask:
    return Ask(
        family=Decided.LIMIT,
        how=How.MAX,
        field=field,
        by=("profile",),
        whom=Whom.ALL,
        where=(("profile", "profile"),),
    )


def _verdict(field: str, *, times: int = 1) -> Ask:
    return Ask(
        family=Decided.VERDICT,
        how=How.LAST,
        field=field,
        by=("site", *_OCCASION),
        whom=Whom.REGION,
        where=(("meeting", "meeting"),),
        over_range=True,
        times=times,
        ahead=True,
    )


def _of_office(field: str, *, times: int = 1) -> Ask:
    """The same of one office."""
    return replace(_verdict(field, times=times), whom=Whom.SITE, by=_OCCASION, where=())


def _meeting(how: How, field: str, between: tuple[int, int] | None = None, *, times: int = 1) -> Ask:
    """Of each occurrence, over the offices that the viewer looks at: counted from their own newest verdicts."""
    return Ask(
        family=Decided.VERDICT,
        how=how,
        field=field,
        by=_OCCASION,
        whom=Whom.REGION,
        where=(("meeting", "meeting"),),
        over_range=True,
        times=times,
        ahead=True,
        each=("site", *_OCCASION),
        between=between,
    )


def _in_state(*states: State) -> Ask:
    numbers = [STATES[state] for state in states]
    return _meeting(How.COUNT, "state", (min(numbers), max(numbers)))


def _score(how: How, field: str) -> Ask:
    """Scores by horizon, over time."""
    return Ask(family=Decided.SCORE, how=how, field=field, by=("horizon",), whom=Whom.REGION, where=_HORIZON)


def _bin(how: How, field: str) -> Ask:
    """Scores by tenths of what was said."""
    return Ask(
        family=Decided.SCORE,
        how=how,
        field=field,
        by=("bin",),
        whom=Whom.REGION,
        where=_HORIZON,
        over_range=True,
    )


def _incident(how: How, field: str, between: tuple[int, int] | None = None, *, times: int = 1) -> Ask:
    """Of each shared fault, over the offices that the viewer looks at."""
    return Ask(
        family=Decided.STRUCK,
        how=how,
        field=field,
        by=("factor",),
        whom=Whom.REGION,
        over_range=True,
        times=times,
        each=("site", "factor"),
        between=between,
    )


def _region(field: str, *, now: bool = False, times: int = 1) -> Ask:
    return Ask(
        family=Decided.ROLLOUT,
        how=How.LAST if now else How.MAX,
        field=field,
        by=("region",),
        whom=Whom.ALL,
        where=(("region", "area"),),
        over_range=now,
        times=times,
    )


_OF_LINES: Final[dict[str, Ask]] = {
    "rtt_min": _line(How.MIN, "rtt_min_ms"),
    "rtt_p50": _line(How.MEAN, "rtt_p50_ms"),
    "rtt_p95": _line(How.MEAN, "rtt_p95_ms"),
    "rtt_p99": _line(How.MEAN, "rtt_p99_ms"),
    "rtt_max": _line(How.MAX, "rtt_max_ms"),
    "lost_both": _line(How.RATIO, "lost", under="sent"),
    "lost_way": _way(How.RATIO, "lost", under="sent"),
    "longest_run": _way(How.MAX, "longest_loss_run"),
    "jitter": _way(How.MEAN, "jitter_ms"),
    "jitter_max": _way(How.MAX, "jitter_max_ms"),
    "bitrate": _way(How.MEAN, "bitrate_bps"),
    "pdv_p999": _way(How.MAX, "pdv_p999_ms"),
    "present": _line(How.PRESENT, "sent"),
}
"""Of one office's lines, window by window."""


def _long(ask: Ask) -> Ask:
    """The same of a span of more than a day, from roll-ups."""
    family = Family.ROLLUP if ask.family is Family.WINDOW else Family.ROLLUP_DIRECTION
    field = "windows" if ask.how is How.PRESENT else ask.field
    return replace(ask, family=family, field=field, grain=Grain.ROLLUPS)


LONG: Final = "_long"
"""Ends the name of a question that takes over when the span is long."""


def _pace(field: str, *, times: int = 1) -> Ask:
    return replace(_region(field, now=True, times=times), family=Decided.PACE)


def _course(field: str, *, times: int = 1) -> Ask:
    return replace(_pace(field, times=times), family=Decided.LINE, by=("region", "step"))


QUESTIONS: Final[dict[str, Ask]] = {
    **{name: replace(ask, grain=Grain.WINDOWS) for name, ask in _OF_LINES.items()},
    **{name + LONG: _long(ask) for name, ask in _OF_LINES.items()},
    "office_lost": _office(Family.WINDOW, How.RATIO, "lost", under="sent"),
    "office_rtt": _office(Family.WINDOW, How.MAX, "rtt_p95_ms"),
    "office_jitter": _office(Family.WINDOW_DIRECTION, How.MAX, "jitter_ms"),
    "office_newest": _office(Family.WINDOW, How.MAX, "received_s", times=1000),
    "office_online": _office(Decided.PRESENCE, How.LAST, "online"),
    "office_silent": _office(Decided.PRESENCE, How.LAST, "silent"),
    "office_next": _office(Decided.PRESENCE, How.LAST, "next_state"),
    "call_bitrate": _call(How.MEAN, "bitrate_bps"),
    "call_lost": _call(How.RATIO, "lost", under="expected"),
    "call_jitter": _call(How.MAX, "jitter_ms"),
    "call_frames": _call(How.MIN, "frames_per_s"),
    "call_freezes": _call(How.SUM, "freezes"),
    "rehearsal_held": _rehearsal(How.MAX, "held"),
    "rehearsal_rungs": _rehearsal(How.MAX, "rungs"),
    "limit_loss": _limit("loss_ratio"),
    "limit_jitter": _limit("jitter_ms"),
    "limit_rtt": _limit("rtt_ms"),
    "meeting_starts": _meeting(How.MAX, "starts_s", times=1000),
    "meeting_invited": _in_state(*STATES),
    "meeting_ready": _in_state(State.READY),
    "meeting_at_risk": _in_state(State.AT_RISK),
    "meeting_not_ready": _in_state(State.NOT_READY),
    "meeting_unknown": _in_state(State.UNKNOWN),
    "verdict_state": _verdict("state"),
    "verdict_probability": _verdict("probability"),
    "verdict_reason": _verdict("reason"),
    "verdict_action": _verdict("action"),
    "verdict_starts": _verdict("starts_s", times=1000),
    "own_state": _of_office("state"),
    "own_probability": _of_office("probability"),
    "own_reason": _of_office("reason"),
    "own_starts": _of_office("starts_s", times=1000),
    "own_online": Ask(family=Decided.PRESENCE, how=How.MIN, field="online", by=("site",)),
    "incident_open": _incident(How.MAX, "open"),
    "incident_offices": _incident(How.COUNT, "open", (1, 1)),
    "incident_since": _incident(How.MAX, "since_s", times=1000),
    "score_brier": _score(How.MEAN, "brier"),
    "score_said": _score(How.MEAN, "probability"),
    "score_held": _score(How.MEAN, "held"),
    "score_count": _score(How.COUNT, "held"),
    "bin_said": _bin(How.MEAN, "probability"),
    "bin_held": _bin(How.MEAN, "held"),
    "bin_count": _bin(How.COUNT, "held"),
    "rollout_linked": _region("linked"),
    "rollout_planned": _region("planned"),
    "rollout_silent": _region("silent"),
    "rollout_linked_now": _region("linked", now=True),
    "rollout_planned_now": _region("planned", now=True),
    "rollout_silent_now": _region("silent", now=True),
    "pace_complete": _pace("complete_s", times=1000),
    "pace_target": _pace("target_s", times=1000),
    "pace_linked": _pace("linked"),
    "pace_total": _pace("total"),
    "pace_per_week": _pace("per_week"),
    "pace_needed": _pace("needed_per_week"),
    "course_at": _course("at_s", times=1000),
    "course_linked": _course("linked"),
    "reports_stored": Ask(family=Family.REPORT, how=How.COUNT, field="received_s", by=(), whom=Whom.REGION),
    "probe_late_sends": _probe(How.SUM, "late_sends"),
    "probe_drops": _probe(How.SUM, "rx_drops"),
    "probe_clock_error": _probe(How.MAX, "clock_error_ms"),
}
"""A step of a chart holds one window or one roll-up, up to four weeks; where it holds more (PromQL, longer spans) its percentile is a mean of theirs."""
