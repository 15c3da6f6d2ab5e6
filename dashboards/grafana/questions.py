"""Every question that a dashboard asks of the store, by name: the tests ask each of the real engines."""

from __future__ import annotations

from typing import Final

from dashboards.grafana.ask import Ask, How, Whom
from telemetry.store.server.points import Family

_WAYS: Final = ("path", "direction")
_WHOLE: Final = ("site",)


def _line(how: How, field: str, *, under: str = "") -> Ask:
    return Ask(family=Family.WINDOW, how=how, field=field, under=under)


def _way(how: How, field: str, *, under: str = "") -> Ask:
    return Ask(family=Family.WINDOW_DIRECTION, how=how, field=field, under=under, by=_WAYS)


def _office(family: Family, how: How, field: str, *, under: str = "", times: int = 1) -> Ask:
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


QUESTIONS: Final[dict[str, Ask]] = {
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
    "office_lost": _office(Family.WINDOW, How.RATIO, "lost", under="sent"),
    "office_rtt": _office(Family.WINDOW, How.MAX, "rtt_p95_ms"),
    "office_jitter": _office(Family.WINDOW_DIRECTION, How.MAX, "jitter_ms"),
    "office_newest": _office(Family.WINDOW, How.MAX, "received_s", times=1000),
    "probe_late_sends": _probe(How.SUM, "late_sends"),
    "probe_drops": _probe(How.SUM, "rx_drops"),
    "probe_clock_error": _probe(How.MAX, "clock_error_ms"),
}
"""Over an interval: the mean of 15 s windows' percentiles is no percentile of the interval; the panel says "mean of"."""
