"""Figures that rise steadily towards a limit: how they stand, how fast they rise, and when they pass the limit at this rate.

How a delay goes on is read off ten minutes of its windows (`rising`), how loss does off the counts of half an hour (`rising_loss`).

Nothing is told unless even the slowest rate passes the limit within `AHEAD_NS`: a rise that was seen for ten minutes says nothing of the next
hour. Nor is a line that stands hardly higher than it usually does now or in the next hour: it goes its usual way, which the model knows.
Decisions 195 and 199 say how often a rise that was told was followed by its crossing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.causes import Cause, limit_of
from analytics.delays import delay_of
from analytics.ranks import medians
from analytics.rising import LEAST_KNOWN, Course, delay_course
from analytics.rising_loss import LOSS_WINDOWS, loss_course
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.windows import MINUTE_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.baseline import UsualNow
    from analytics.losses import Values
    from analytics.recent import Recent
    from config.profiles import Limits

    Floats = NDArray[np.float64]

TREND_WINDOWS: Final = 40
"""Ten minutes; of loss `LOSS_WINDOWS`."""
AHEAD_NS: Final = 15 * MINUTE_NS
"""No rise is thought on for longer."""
ABOVE_USUAL: Final = 1.25
"""What is told stands at so many times the usual figure or higher."""
BLOCK_LINES: Final = 1000
"""So many lines are looked at together: the slopes of all pairs of ten minutes' windows are 6 kB a line, several times over."""
LEAST_SHARE: Final = 0.15
"""What rises by less of its limit within the span is told by nobody: the line breathes."""
JUST_PASSED: Final = 12
"""A limit that was passed so many windows ago is passed for the filter too, which calls it a fault; until then the rise is what is known."""
FRESH_WINDOWS: Final = 4
"""Of which one was measured, or the line has fallen silent: that is told, and no trend."""
_WINDOWS_PER_MINUTE: Final = MINUTE_NS / WINDOW_NS
CODE: Final = {
    Cause.RTT: ReasonCode.RISING_RTT,
    Cause.RTT_FLOOR: ReasonCode.RISING_RTT,
    Cause.JITTER_UP: ReasonCode.RISING_JITTER,
    Cause.JITTER_DOWN: ReasonCode.RISING_JITTER,
    Cause.LOSS_UP: ReasonCode.RISING_LOSS,
    Cause.LOSS_DOWN: ReasonCode.RISING_LOSS,
}
"""What is looked at, in the order in which it is told. No test stream measures a bitrate, and what a burst loses is too coarse to rise."""
_LOSS: Final = Cause.LOSS_UP | Cause.LOSS_DOWN
_METRIC: Final = {
    Cause.RTT: "rtt_p95_ms",
    Cause.RTT_FLOOR: "rtt_p95_ms",
    Cause.JITTER_UP: "up_jitter_ms",
    Cause.JITTER_DOWN: "down_jitter_ms",
    Cause.LOSS_UP: "up_loss_ratio",
    Cause.LOSS_DOWN: "down_loss_ratio",
}
"""What is usual for it (`baseline`)."""
SAID_BY: Final = {
    ReasonCode.RISING_RTT: {ReasonCode.RTT, ReasonCode.RTT_FLOOR, ReasonCode.OUTAGE},
    ReasonCode.RISING_JITTER: {ReasonCode.JITTER_UP, ReasonCode.JITTER_DOWN, ReasonCode.OUTAGE},
    ReasonCode.RISING_LOSS: {ReasonCode.OUTAGE}
    | {ReasonCode[f"{what}{way}"] for what in ("LOSS", "BURST") for way in ("", "_UP", "_DOWN")},
}
"""Flags past a limit that say more: beside them a rise is not told."""


@dataclass(frozen=True, slots=True)
class Trends:
    """Lines that rise, of one cause and limit, (K,) each.

    Attributes:
        cause: whose figure rises.
        site: index of the office.
        path: index of the path.
        now: the figure at the end of the newest window, on the fitted line; ms or a ratio.
        limit: what it will pass.
        per_minute: by how much it rises.
        crosses_ns: when it passes the limit at this rate.
        surely_ns: when it does at the lower bound of the rate.
    """

    cause: Cause
    site: NDArray[np.int64]
    path: NDArray[np.int64]
    now: Floats
    limit: Floats
    per_minute: Floats
    crosses_ns: NDArray[np.int64]
    surely_ns: NDArray[np.int64]

    def reason(self, row: int, path_name: str) -> Reason:
        """One of them as it is told."""
        is_loss = CODE[self.cause] is ReasonCode.RISING_LOSS
        return Reason(
            code=CODE[self.cause],
            value=round(float(self.now[row]), 5),
            limit=round(float(self.limit[row]), 5),
            unit="ratio" if is_loss else "ms",
            path=path_name,
            per_minute=round(float(self.per_minute[row]), 5),
            crosses_ns=int(self.crosses_ns[row]),
        )


def trends(recent: Recent, limits: Limits, usual: UsualNow | None = None) -> tuple[Trends, ...]:
    """What rises towards each limit of a set, and passes it within `AHEAD_NS` of the grid's end; windows of an outage count as unknown."""
    found = []
    for cause in CODE:
        limit = limit_of(cause, limits)
        if limit is not None and len(recent.start_ns) >= _span(cause):
            risen = _risen(recent, cause, limit)
            found.append(_worth_telling(risen, cause, int(recent.start_ns[-1]) + WINDOW_NS, usual))
    return tuple(each for each in found if len(each.site))


def _span(cause: Cause) -> int:
    """For how many windows a figure is looked at."""
    return LOSS_WINDOWS if cause & _LOSS else TREND_WINDOWS


def rising_flags(
    recent: Recent, found: Sequence[Sequence[Trends]], set_of_site: NDArray[np.int64], told: Sequence[Flag]
) -> list[Flag]:
    """News of lines that rise, each site by the limit set `set_of_site[site]`, (S,); not beside a flag past a limit (`told`) of the same kind or an outage."""
    past = {(flag.site, flag.path, flag.reason.code) for flag in told}
    flags: dict[tuple[str, str, ReasonCode], Flag] = {}
    for index, each in ((index, each) for index, of_set in enumerate(found) for each in of_set):
        for row in np.flatnonzero(set_of_site[each.site] == index).tolist():
            site, path = recent.lines.sites[each.site[row]], recent.lines.paths[each.path[row]]
            code = CODE[each.cause]
            if any((site, path, said) in past for said in SAID_BY[code]):
                continue
            flag = _flag(recent, each, row, site, path)
            before = flags.get((site, path, code))
            if before is None or (flag.reason.crosses_ns or 0) < (before.reason.crosses_ns or 0):
                flags[site, path, code] = flag
    return list(flags.values())


def _flag(recent: Recent, each: Trends, row: int, site: str, path: str) -> Flag:
    newest = int(recent.newest[each.site[row], each.path[row]])
    return Flag(
        site=site,
        path=path,
        reason=each.reason(row, path),
        since_ns=int(recent.start_ns[-_span(each.cause)]),
        seen_ns=int(recent.start_ns[newest]) + WINDOW_NS,
    )


@dataclass(frozen=True, slots=True)
class _Risen:
    """Lines that were worth a look, (K,) each: office, path, course and limit."""

    site: NDArray[np.int64]
    path: NDArray[np.int64]
    course: Course
    limit: Floats


def _risen(recent: Recent, cause: Cause, limit: float) -> _Risen:
    """Block by block: the figures are the same, the memory is that of one."""
    sites, paths = recent.lines.shape
    step = max(BLOCK_LINES // max(paths, 1), 1)
    look = _loss if cause & _LOSS else _delay
    found = [(at, look(recent, slice(at, at + step), cause, limit)) for at in range(0, max(sites, 1), step)]
    of = Course(
        *(np.concatenate([getattr(each.course, field.name) for _, each in found]) for field in fields(Course))
    )
    return _Risen(
        np.concatenate([each.site + at for at, each in found]),
        np.concatenate([each.path for _, each in found]),
        of,
        np.concatenate([each.limit for _, each in found]),
    )


def _known(recent: Recent, sites: slice, span: int) -> NDArray[np.bool_]:
    return recent.present[sites, :, -span:] & ~recent.outages.down[sites, :, -span:]


def _delay(recent: Recent, sites: slice, cause: Cause, limit: float) -> _Risen:
    values = {name: each[sites, :, -TREND_WINDOWS:] for name, each in recent.values.items()}
    figures, bounds = _figures(values, cause, limit)
    figures = np.where(_known(recent, sites, TREND_WINDOWS), figures, np.nan)
    quarter = TREND_WINDOWS // 4
    rise = medians(figures[..., -quarter:])[0] - medians(figures[..., :quarter])[0]
    site, path = np.nonzero(_may_rise(np.isfinite(figures), rise, bounds))
    return _Risen(site, path, delay_course(figures[site, path]), bounds[site, path])


def _figures(values: Values, cause: Cause, limit: float) -> tuple[Floats, Floats]:
    """The figure of a cause in each window (S, P, W), and the limit of each line (S, P)."""
    if cause is not Cause.RTT_FLOOR:
        figures = delay_of(values, cause).astype(np.float64)
        return figures, np.full(figures.shape[:2], limit)
    round_trip = delay_of(values, Cause.RTT).astype(np.float64)
    floor = round_trip - delay_of(values, cause)
    floor = np.fmin.reduce(floor, axis=-1)  # one and the same, but where nothing came back
    return round_trip, limit + floor


def _loss(recent: Recent, sites: slice, cause: Cause, limit: float) -> _Risen:
    known = _known(recent, sites, LOSS_WINDOWS)
    up, down, _ = recent.counts.part((sites, slice(None), slice(-LOSS_WINDOWS, None))).directions()
    lost, sent = (np.where(known, each, 0) for each in (up if cause is Cause.LOSS_UP else down))
    quarter = LOSS_WINDOWS // 4
    oldest, newest = (
        lost[..., part].sum(axis=-1) / np.maximum(sent[..., part].sum(axis=-1), 1)
        for part in (slice(quarter), slice(-quarter, None))
    )
    bounds = np.full(oldest.shape, limit)
    site, path = np.nonzero(_may_rise(known, newest - oldest, bounds))
    course = loss_course(lost[site, path], sent[site, path], limit)
    return _Risen(site, path, course, bounds[site, path])


def _may_rise(known: NDArray[np.bool_], rise: Floats, bounds: Floats) -> NDArray[np.bool_]:
    """(S, P): lines that are worth a course: heard, and in the newest quarter higher than in the oldest by half of what is asked for."""
    enough = known.sum(axis=-1) >= LEAST_KNOWN * known.shape[-1]
    enough &= known[..., -FRESH_WINDOWS:].any(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(enough & (rise >= 0.5 * LEAST_SHARE * bounds))


def _worth_telling(risen: _Risen, cause: Cause, end_ns: int, usual: UsualNow | None) -> Trends:
    now, rate, slowest = risen.course.now, risen.course.rate, risen.course.slowest
    site, path, limit = risen.site, risen.path, risen.limit
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.maximum(limit - now, 0.0)
        crosses, surely = (left / each * WINDOW_NS for each in (rate, slowest))
        worth = (
            (slowest > 0.0)
            & (now - limit < rate * JUST_PASSED)
            & (rate * _span(cause) >= LEAST_SHARE * limit)
            & (surely <= AHEAD_NS)
        )
    if usual is not None and worth.any():
        worth &= ~(now <= ABOVE_USUAL * _usual(usual, cause)[site, path])  # unknown is no excuse
    rows = np.flatnonzero(worth)
    crosses_ns, surely_ns = (end_ns + each[rows].astype(np.int64) for each in (crosses, surely))
    per_minute = rate[rows] * _WINDOWS_PER_MINUTE
    return Trends(cause, site[rows], path[rows], now[rows], limit[rows], per_minute, crosses_ns, surely_ns)


def _usual(usual: UsualNow, cause: Cause) -> Floats:
    """(S, P): what is usual in this hour or the next, whichever is higher; NaN where nobody knows."""
    metric = _METRIC[cause]
    return np.fmax(usual.lines(metric), usual.next_hour.lines(metric))
