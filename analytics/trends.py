"""Figures that rise steadily towards a limit: how they stand, how fast they rise, and when they pass the limit at this rate.

The rate is Theil and Sen's: the median of the slopes of all pairs of windows, which a few wild windows do not bend. Its lower bound is
Sen's (1968), by the variance of Kendall's tau. That bound takes windows for independent, and those of a line are not: so both halves of
the span must rise by themselves too. One step, however high, is no trend; `moved_levels` tells it.

Nothing is told unless even the lower bound passes the limit within `AHEAD_NS`: a rise that was seen for ten minutes says nothing of the next
hour. Nor is a line that stands hardly higher than it usually does now or in the next hour: it goes its usual way, which the model knows.
Decision 195 says how often a rise that was told was followed by its crossing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.causes import Cause, limit_of
from analytics.delays import delay_of
from analytics.ranks import medians
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.windows import MINUTE_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.baseline import UsualNow
    from analytics.recent import Recent
    from config.profiles import Limits

    Floats = NDArray[np.float64]

TREND_WINDOWS: Final = 40
"""Ten minutes."""
LEAST_KNOWN: Final = 0.8
"""A span, or half of one, of which less was measured has no trend."""
AHEAD_NS: Final = 15 * MINUTE_NS
"""No rise is thought on for longer."""
ABOVE_USUAL: Final = 1.25
"""What is told stands at so many times the usual figure or higher."""
LEAST_SHARE: Final = 0.15
"""What rises by less of its limit within the span is told by nobody: the line breathes."""
Z: Final = 2.58
"""One-sided 99.5 % of the normal distribution."""
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
    ReasonCode.RISING_LOSS: {ReasonCode.LOSS, ReasonCode.LOSS_UP, ReasonCode.LOSS_DOWN, ReasonCode.OUTAGE},
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
    if recent.present.shape[-1] < TREND_WINDOWS:
        return ()
    seen, down = recent.last(TREND_WINDOWS), recent.outages.down[..., -TREND_WINDOWS:]
    found = []
    for cause in CODE:
        limit = limit_of(cause, limits)
        if limit is not None:
            figures, bounds = _figures(seen, cause, limit)
            figures = np.where(down | ~seen.present, np.nan, figures)
            found.append(_trends(seen, cause, (figures, bounds), usual))
    return tuple(each for each in found if len(each.site))


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
        since_ns=int(recent.start_ns[-TREND_WINDOWS]),
        seen_ns=int(recent.start_ns[newest]) + WINDOW_NS,
    )


def rising(figures: Floats) -> tuple[Floats, Floats]:
    """The rate of each line, (K,), and its lower bound, in figures a window, of (K, W); NaN is not known.

    The bound is -inf where too little is known.
    """
    windows = figures.shape[-1]
    first, second = np.triu_indices(windows, 1)
    slopes = np.sort((figures[:, second] - figures[:, first]) / (second - first), axis=-1)  # NaN last
    count, known = (np.isfinite(each).sum(axis=-1) for each in (slopes, figures))
    spread = Z * np.sqrt(known * (known - 1) * (2 * known + 5) / 18.0)
    rank = np.floor((count - spread) / 2.0).astype(np.int64)
    lower = np.take_along_axis(slopes, rank.clip(0, len(first) - 1)[:, None], axis=-1)[:, 0]
    enough = (known >= LEAST_KNOWN * windows) & (rank >= 0)
    return medians(slopes)[0], np.where(enough, lower, -np.inf)


def _figures(seen: Recent, cause: Cause, limit: float) -> tuple[Floats, Floats]:
    """The figure of a cause in each window (S, P, W), and the limit of each line (S, P)."""
    shape = seen.present.shape
    if cause in (Cause.LOSS_UP, Cause.LOSS_DOWN):
        counts = seen.counts
        up = cause is Cause.LOSS_UP
        lost, sent = (counts.up_lost, counts.sent) if up else (counts.down_lost, counts.down_sent)
        return lost / np.maximum(sent, 1), np.full(shape[:2], limit)
    if cause is not Cause.RTT_FLOOR:
        return delay_of(seen.values, cause).astype(np.float64), np.full(shape[:2], limit)
    round_trip = delay_of(seen.values, Cause.RTT).astype(np.float64)
    floor = round_trip - delay_of(seen.values, cause)
    floor = np.fmin.reduce(floor, axis=-1)  # one and the same, but where nothing came back
    return round_trip, limit + floor


def _trends(seen: Recent, cause: Cause, towards: tuple[Floats, Floats], usual: UsualNow | None) -> Trends:
    figures, bounds = towards
    half, end_ns = TREND_WINDOWS // 2, int(seen.start_ns[-1]) + WINDOW_NS
    site, path = np.nonzero(_may_rise(figures, bounds))
    of, limit = figures[site, path], bounds[site, path]
    rate, lower = rising(of)
    steady = (rising(of[:, :half])[1] > 0.0) & (rising(of[:, half:])[1] > 0.0)
    ahead = (
        np.arange(TREND_WINDOWS) - TREND_WINDOWS + 0.5
    )  # the middle of each window, in windows before the end
    now = medians(of - rate[:, None] * ahead)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.maximum(limit - now, 0.0)
        crosses, surely = (left / each * WINDOW_NS for each in (rate, lower))
    worth = (
        steady
        & (lower > 0.0)
        & (now - limit < rate * JUST_PASSED)
        & (rate * TREND_WINDOWS >= LEAST_SHARE * limit)
    )
    worth &= surely <= AHEAD_NS
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


def _may_rise(figures: Floats, bounds: Floats) -> NDArray[np.bool_]:
    """(S, P): lines that are worth slopes: heard, and in the newest quarter higher than in the oldest by half of what is asked for."""
    quarter = TREND_WINDOWS // 4
    known = np.isfinite(figures)
    enough = known.sum(axis=-1) >= LEAST_KNOWN * TREND_WINDOWS
    enough &= known[..., -FRESH_WINDOWS:].any(axis=-1)
    rise = medians(figures[..., -quarter:])[0] - medians(figures[..., :quarter])[0]
    with np.errstate(invalid="ignore"):
        return np.asarray(enough & (rise >= 0.5 * LEAST_SHARE * bounds))
