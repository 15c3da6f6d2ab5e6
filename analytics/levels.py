"""Since when a line's present level lasts: what is usual is not asked of the time before its level moved for good.

The level moved where the first `LASTS_DAYS` measured days after it, all but one between the ends, lie past four fifths of
the days before it (three, where the past that is kept begins within them) and past the middle between both medians, which
lie apart, while the day just before does not. Only the first days after are asked, so a later outage undoes no adoption.
At least fourteen days before are asked, so a week's own rhythm is none; of a level that was itself adopted seven do, and
none before it: the way back takes a week as the way there did (decision 219). Days end at the hour that is asked from; how
much of the days at its ends a level filled is told by their hours, so a clear move is adopted seven days after it, and what
lasted clearly less is none.

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
FRAYED: Final = 0.15
"""So much of a day may be missing in a week on the new level: noise hides some hours of its first and its last day."""
LEAST_HOURS: Final = 6
"""A day with fewer measured hours has no level."""
STRAY: Final = 0.2
"""The share of the days before that may lie on the new side, such as those of an outage."""
STRAY_AT_START: Final = 0.4
"""The same where the past that is kept begins within those days: it may begin with days of a level that was left since."""
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
        moved = np.flatnonzero(since)
        out[moved] = _hours_since(by_day, moved, since[moved])
    return out.reshape(figures.shape[:-1])


class _ByDay(NamedTuple):
    """(N, D) measured days, the others moved to the end: the two values in the middle of each, its number; (N, D, 24) the hours by that number."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    number: NDArray[np.int64]
    hours: NDArray[np.float64]

    def lines(self, some: NDArray[np.int64]) -> _ByDay:
        """The same of some lines."""
        return _ByDay(self.low[some], self.high[some], self.number[some], self.hours[some])

    def ordered(self, order: NDArray[np.int64]) -> _ByDay:
        """The same days in another order, (N, D)."""
        low, high = (np.take_along_axis(each, order, axis=-1) for each in (self.low, self.high))
        number = np.take_along_axis(self.number, order, axis=-1)
        return _ByDay(low, high, number, self.hours)

    def backwards(self, oldest: int | None = None) -> _ByDay:
        """The measured days, or the `oldest` so many of them, from the newest on."""
        order = np.broadcast_to(np.arange(self.low.shape[-1])[:oldest][::-1], self.low[:, :oldest].shape)
        back = self.ordered(order)
        return back.ordered(np.argsort(np.isnan(back.low), axis=-1, kind="stable"))


def _by_day(hours: NDArray[np.float64]) -> _ByDay:
    low, high, known = middle_two(hours)
    low, high = (np.where(known >= LEAST_HOURS, each, np.nan) for each in (low, high))
    number = np.broadcast_to(np.arange(low.shape[-1]), low.shape)
    return _ByDay(low, high, number, hours).ordered(np.argsort(known < LEAST_HOURS, axis=-1, kind="stable"))


def _since(days: _ByDay, least_step: float) -> NDArray[np.int64]:
    """(N,) the first day of the present level, counted in measured days; 0 where it never moved."""
    since = _newest_move(days, np.zeros(len(days.low), dtype=np.int64), least_step)
    for otherwise in (_since_left_again, _since_long_ago):
        unmoved = np.flatnonzero(since == 0)
        since[unmoved] = otherwise(days.lines(unmoved), least_step)
    return since


def _newest_move(days: _ByDay, since: NDArray[np.int64], least_step: float) -> NDArray[np.int64]:
    """(N,) the day of the newest move after those of `since`, or these.

    From the oldest on: a move is seen against the days since the one before it. Older days would hide that a short level was left again.
    """
    since, lines = since.copy(), np.arange(len(since))
    while len(lines):
        moved = _moved_since(days.lines(lines), since[lines], least_step)
        found = moved.any(axis=-1)
        lines = lines[found]
        since[lines] = np.argmax(moved[found], axis=-1)
    return since


def _moved_since(days: _ByDay, since: NDArray[np.int64], least_step: float) -> NDArray[np.bool_]:
    """(N, D) whether the level that lasts since those days moved with the day, for no less than a week."""
    left = np.arange(days.low.shape[-1]) < since[:, None]
    low, high = (np.where(left, np.nan, each) for each in (days.low, days.high))
    least_before = np.where(since > 0, LASTS_DAYS, LEAST_BEFORE_DAYS)[:, None]
    moved = _moved(days._replace(low=low, high=high), least_step, least_before)
    line, day = np.nonzero(moved)
    moved[line, day] = _ends_filled(days, line, day).sum(axis=-1) >= 2.0 - FRAYED
    return moved


def _since_left_again(days: _ByDay, least_step: float) -> NDArray[np.int64]:
    """(N,) the same of a level that came too early in the past that is kept to be seen as in `_since`, but was left again."""
    back = days.backwards(LEAST_BEFORE_DAYS - 1 + LEAST_AFTER_DAYS)
    came = _moved(back, least_step, LEAST_AFTER_DAYS, LEAST_AFTER_DAYS)
    lines = np.flatnonzero(came.any(axis=-1))
    first = _oldest_of_level(back, came)[lines]
    newest = _newest_move(days.lines(lines), first, least_step)
    since = np.zeros(len(came), dtype=np.int64)
    since[lines] = np.where(newest > first, newest, 0)
    return since


def _since_long_ago(days: _ByDay, least_step: float) -> NDArray[np.int64]:
    """(N,) the same where the time before the move has nearly left the past that is kept: looked at from now backwards."""
    back = days.backwards()
    measured = np.isfinite(back.low).sum(axis=-1)
    older = measured[:, None] - np.arange(back.low.shape[-1])
    moved = _moved(back, least_step, _least_after(measured)[:, None]) & (older < LEAST_BEFORE_DAYS)
    return np.where(moved.any(axis=-1), _oldest_of_level(back, moved), 0)


def _oldest_of_level(back: _ByDay, left: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(N,) the day, counted from the oldest on, after the newest of those by which the level was left, looked at backwards."""
    return np.asarray(np.isfinite(back.low).sum(axis=-1) - np.argmax(left, axis=-1))


def _least_after(measured: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) the days after a move that stand for the new level, of so many `measured`: in three weeks fewer than `LEAST_AFTER_DAYS`.

    The day on which those before it become too few is the first that must do, or what was adopted would be forgotten until more have come.
    """
    taken_over = measured - LEAST_BEFORE_DAYS + 1
    return np.where(taken_over > LASTS_DAYS, np.minimum(taken_over, LEAST_AFTER_DAYS), LEAST_AFTER_DAYS)


def _hours_since(days: _ByDay, line: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """(K,) the hours of all days since the line's level moved with the day, but those of the day that it did not fill."""
    first_filled = _ends_filled(days, line, day)[:, 1]
    not_yet = np.rint((1.0 - first_filled) * HOURS_PER_DAY).astype(np.int64)
    return np.asarray((days.number.shape[-1] - days.number[line, day]) * HOURS_PER_DAY - not_yet)


def _ends_filled(days: _ByDay, line: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K, 4) which part the new level filled of the days at the ends of its first week: the day before, this, the seventh, the one after.

    Told by the hours past the middle, between their rule in the week before and in the days between the ends: so it
    also holds where the rhythm of a day is larger than the step.
    """
    around = day[:, None] + np.arange(-LASTS_DAYS, LASTS_DAYS + 1)
    inside = (around >= 0) & (around < days.low.shape[-1])
    at = line[:, None], np.where(inside, around, 0)
    level = np.where(inside, (days.low[at] + days.high[at]) / 2.0, np.nan)
    old, _ = medians(level[:, :LASTS_DAYS])
    new, _ = medians(level[:, LASTS_DAYS:-1])
    hours = days.hours[line[:, None], days.number[at]]
    past_middle = (hours - ((old + new) / 2.0)[:, None, None]) * np.sign(new - old)[:, None, None]
    known = np.where(inside, np.isfinite(past_middle).sum(axis=-1), 0)
    share = np.where(known > 0, (past_middle > 0).sum(axis=-1) / np.maximum(known, 1), np.nan)
    none, _ = medians(share[:, : LASTS_DAYS - 1])
    whole, _ = medians(share[:, LASTS_DAYS + 1 : -2])
    filled = (share - none[:, None]) / np.maximum(whole - none, 1.0 / HOURS_PER_DAY)[:, None]
    ends = filled[:, [LASTS_DAYS - 1, LASTS_DAYS, -2, -1]]
    return np.asarray(np.clip(np.nan_to_num(ends), 0.0, 1.0))


def _moved(
    days: _ByDay, least_step: float, least_before: int | NDArray[np.int64], most_before: int = BEFORE_DAYS
) -> NDArray[np.bool_]:
    """(N, D) whether the level moved for good with the day; the first and the last days, with too few around them, never."""
    level = (days.low + days.high) / 2.0
    before, after = _around(level, most_before)
    old, known = medians(before)
    new, seen = medians(after)
    spread, _ = medians(np.abs(before - old[..., None]))
    low, high = tails(before, np.where(known < most_before, STRAY_AT_START, STRAY))
    middle = (old + new) / 2.0
    up = _crosses(days.low, np.maximum(high, middle), middle)
    down = _crosses(-days.high, -np.minimum(low, middle), -middle)
    apart = np.maximum(np.maximum(least_step, LEAST_SHARE * np.abs(old)), STEP_IN_SPREAD * spread)
    large = np.abs(new - old) >= apart
    out = np.zeros(level.shape, dtype=bool)
    out[:, : after.shape[1]] = (up | down) & large & (known >= least_before) & (seen == LASTS_DAYS)
    return out


def _around(level: NDArray[np.float64], most_before: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every day with enough after it: the days before it, and the first from it on."""
    wide = np.concatenate([np.full((len(level), most_before), np.nan), level], axis=-1)
    before = np.lib.stride_tricks.sliding_window_view(wide, most_before, axis=-1)
    after = np.lib.stride_tricks.sliding_window_view(level, LASTS_DAYS, axis=-1)
    return before[:, : after.shape[1]], after


def _crosses(
    level: NDArray[np.float64], bar: NDArray[np.float64], middle: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether the days after lie above the bar, but for one between the first and the last, while the day before is not past the middle."""
    before, after = _around(level, 1)
    above = after > bar[..., None]
    lasts = (above.sum(axis=-1) >= LASTS_DAYS - 1) & above[..., 0] & above[..., -1]
    return np.asarray(lasts & (before[..., -1] <= middle))
