"""Since when a line's present level lasts: what is usual is not asked of the time before its level moved for good.

The level moved where the first `LASTS_DAYS` measured days after it, all but one, lie past four fifths of the days before
it and past the middle between both medians, which lie apart, while the day just before does not. Only the first days
after are asked, so a later outage undoes no adoption. At least fourteen days before are asked, so a week's own
rhythm is none. Days end at the hour that is asked from, so a day counts as being on a new level when more than half of
its hours are: a clear move is adopted between six and seven days after it. An outage of up to five days is no level:
it fills five whole days, or four and more than half of one other, fewer than the six of seven that are needed.

What was adopted stays so: when fewer than fourteen days before it are left in the past that is kept, the same is asked
backwards, of the last `LASTS_DAYS` days before it against those after it (decision 212).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.hours import HOURS_PER_DAY
from analytics.ranks import medians, middle_two, tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

LASTS_DAYS: Final = 7
"""Measured days after which a moved level is adopted: every hour of the week was then seen on it."""
BEFORE_DAYS: Final = 28
LEAST_BEFORE_DAYS: Final = 14
LEAST_AFTER_DAYS: Final = 10
"""So many days after a move stand for the new level when the time before has nearly left the past that is kept (`_least_after`)."""
LEAST_HOURS: Final = 6
"""A day with fewer measured hours has no level."""
STRAY: Final = 0.2
"""The share of the days before that may lie on the new side, such as those of an outage."""
STEP_IN_SPREAD: Final = 3.0
"""The least step, in median deviations of the days before."""
LEAST_SHARE: Final = 0.1
"""The least step as a share of the level before, and in the metric's own unit below."""
LEAST_STEP: Final = {"rtt_p95_ms": 2.0, "up_jitter_ms": 1.0, "down_jitter_ms": 1.0}
LEAST_LOSS_STEP: Final = 0.002


def hours_of_level(figures: NDArray[np.float64], metric: str) -> NDArray[np.int64]:
    """(...) how many of the newest hours of (..., T) figures of `metric` belong to the present level; T where it never moved."""
    total = figures.shape[-1]
    days = total // HOURS_PER_DAY
    lines = int(np.prod(figures.shape[:-1]))
    out = np.full(lines, total, dtype=np.int64)
    if days >= LEAST_BEFORE_DAYS + LASTS_DAYS and lines:
        by_day = _by_day(figures[..., total - days * HOURS_PER_DAY :].reshape(lines, days, HOURS_PER_DAY))
        since = _since(by_day, LEAST_STEP.get(metric, LEAST_LOSS_STEP))
        out = np.where(since >= 0, (days - since) * HOURS_PER_DAY, total)
    return out.reshape(figures.shape[:-1])


class _ByDay(NamedTuple):
    """(N, D) measured days, the others moved to the end: the two values in the middle of each, and its number."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    number: NDArray[np.int64]


def _by_day(hours: NDArray[np.float64]) -> _ByDay:
    low, high, known = middle_two(hours)
    number = np.argsort(known < LEAST_HOURS, axis=-1, kind="stable")
    low, high = (
        np.take_along_axis(np.where(known >= LEAST_HOURS, each, np.nan), number, axis=-1)
        for each in (low, high)
    )
    return _ByDay(low, high, number)


def _since(days: _ByDay, least_step: float) -> NDArray[np.int64]:
    """(N,) the first day of the present level; -1 where it never moved."""
    moved = _moved(days, least_step, LEAST_BEFORE_DAYS)
    newest = moved.shape[-1] - 1 - np.argmax(moved[:, ::-1], axis=-1)
    since = np.where(moved.any(axis=-1), _at(days.number, newest), -1)
    return np.where(since >= 0, since, _since_long_ago(days, least_step))


def _since_long_ago(days: _ByDay, least_step: float) -> NDArray[np.int64]:
    """(N,) the same where the time before the move has nearly left the past that is kept: looked at from now backwards."""
    back = _newest_first(days)
    measured = np.isfinite(back.low).sum(axis=-1)[:, None]
    older = measured - np.arange(back.low.shape[-1])
    moved = _moved(back, least_step, _least_after(measured)) & (older < LEAST_BEFORE_DAYS)
    oldest_of_level = np.maximum(np.argmax(moved, axis=-1) - 1, 0)
    return np.where(moved.any(axis=-1), _at(back.number, oldest_of_level), -1)


def _least_after(measured: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, 1) the days after a move that stand for the new level, of so many `measured`: in three weeks fewer than `LEAST_AFTER_DAYS`.

    The day on which those before it become too few is the first that must do, or what was adopted would be forgotten until more have come.
    """
    taken_over = measured - LEAST_BEFORE_DAYS + 1
    return np.where(taken_over > LASTS_DAYS, np.minimum(taken_over, LEAST_AFTER_DAYS), LEAST_AFTER_DAYS)


def _newest_first(days: _ByDay) -> _ByDay:
    order = np.argsort(np.isnan(days.low[:, ::-1]), axis=-1, kind="stable")
    low, high = (np.take_along_axis(each[:, ::-1], order, axis=-1) for each in (days.low, days.high))
    return _ByDay(low, high, np.take_along_axis(days.number[:, ::-1], order, axis=-1))


def _moved(days: _ByDay, least_step: float, least_before: int | NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N, D) whether the level moved for good with the day; the first and the last days, with too few around them, never."""
    level = (days.low + days.high) / 2.0
    before, after = _around(level)
    old, known = medians(before)
    new, seen = medians(after)
    spread, _ = medians(np.abs(before - old[..., None]))
    low, high = tails(before, STRAY)
    middle = (old + new) / 2.0
    up = _crosses(days.low, np.maximum(high, middle), middle)
    down = _crosses(-days.high, -np.minimum(low, middle), -middle)
    apart = np.maximum(np.maximum(least_step, LEAST_SHARE * np.abs(old)), STEP_IN_SPREAD * spread)
    large = np.abs(new - old) >= apart
    out = np.zeros(level.shape, dtype=bool)
    out[:, : after.shape[1]] = (up | down) & large & (known >= least_before) & (seen == LASTS_DAYS)
    return out


def _around(level: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every day with enough after it: the days before it, and the first from it on."""
    wide = np.concatenate([np.full((len(level), BEFORE_DAYS), np.nan), level], axis=-1)
    before = np.lib.stride_tricks.sliding_window_view(wide, BEFORE_DAYS, axis=-1)
    after = np.lib.stride_tricks.sliding_window_view(level, LASTS_DAYS, axis=-1)
    return before[:, : after.shape[1]], after


def _crosses(
    level: NDArray[np.float64], bar: NDArray[np.float64], middle: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether the first of the days after lies above the bar, and all others but one, while the day before is not past the middle."""
    before, after = _around(level)
    above = after > bar[..., None]
    lasts = (above.sum(axis=-1) >= LASTS_DAYS - 1) & above[..., 0]
    return np.asarray(lasts & (before[..., -1] <= middle))


def _at(values: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) the value of each row of (N, D) at its own place."""
    return np.asarray(np.take_along_axis(values, at[:, None], axis=-1)[:, 0])
