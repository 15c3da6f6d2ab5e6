"""What a line is in the habit of: how often its hours fail, at which clock hours, and whether what is now tells of later.

Two simple forecasters are run over the line's own past four weeks: "as usual at this clock hour" and "as it was `lead`
ago". How much better or worse than the line's plain rate each would have done (`clock_gain`, `last_gain`, log-ratio of
squared errors, negative is better) says which of them to listen to on this line; the model weighs them by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import lfilter

from analytics.forecast.clock import CLOCK_HALF_DAYS, CLOCK_PRIOR_DAYS, clock_rate
from analytics.forecast.fading import DAY, SIX_HOURS, TEN_DAYS, THREE_DAYS
from analytics.forecast.hourly import FAILED, hourly_beyond
from analytics.forecast.levels import levels
from analytics.forecast.margins import OTHER_LIMITS, Margin, margins
from analytics.forecast.mended import outlasted
from analytics.forecast.odds import log_odds
from analytics.hours import HOURS_PER_DAY
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.forecast.clock import Moment
    from analytics.forecast.hourly import Hourly
    from analytics.forecast.standpoints import Standpoints
    from analytics.forecast.track import Asks, Track

    Floats = NDArray[np.float64]

HOURS: Final = 672
"""Hours that are looked back to: four weeks."""
RATES: Final = {
    "rate_ten_days": TEN_DAYS,
    "rate_three_days": THREE_DAYS,
    "rate_day": DAY,
    "rate_six": SIX_HOURS,
}
"""Rates of failed hours by name, each shrunk to the one before it."""
WHOLE_PRIOR_HOURS: Final = 24.0
"""Hours' worth of the line's broken share of all time beside its four weeks."""
GAIN_HALF_HOURS: Final = 168.0
"""By so many hours since, an hour counts half for the gains."""
GAIN_PRIOR: Final = 0.16
"""Squared error that both forecasters start with, so that a short past says little."""
REPEAT_PRIOR_HOURS: Final = 6.0
"""Hours' worth of the rate of ten days beside the hours that followed one as it is now."""
NEARLY_ALL: Final = 9.0
"""So many hours that failed for each one that held: from there on a line is said to fail throughout."""
FIRST_RATE: Final = 0.08
"""Of hours that fail, before any is known."""
NEAR_HALF_HOURS: Final = 3.0
"""By so much lead the way in which the state now and the line's rate strengthen each other has halved."""


@dataclass(frozen=True, slots=True)
class Habits:
    """The hours of a track, and what the two plain forecasters would have said of each hour; (N, H) each."""

    hours: Hourly
    clock: Floats
    """The chance of failing by the same clock hours of the days before."""
    plain: Floats
    """The line's fading rate before the hour."""
    level: NDArray[np.float32]
    """(N, H + 1) the level of failing that the line stood at before the first hour and after each."""
    margins: tuple[Margin, ...]
    """The hours judged by each of `OTHER_LIMITS`."""


@dataclass(frozen=True, slots=True)
class _Weeks:
    """The last `HOURS` as seen from each standpoint, newest first, as far as they were known then; (U, `HOURS`) each, 0 where not known.

    Attributes:
        had: 1 where the hour is known.
        failed: 1 where it failed.
        weight: how much it counts for the gains.
        plain_error: squared error of the line's plain rate, weighed.
        clock_error: that of "as usual at this clock hour", weighed.
    """

    had: NDArray[np.float32]
    failed: NDArray[np.float32]
    weight: NDArray[np.float32]
    plain_error: NDArray[np.float32]
    clock_error: NDArray[np.float32]


def habits(tracks: Sequence[Track]) -> tuple[Habits, ...]:
    """Run the two forecasters over tracks of the same slots; of each hour they see those that were over when it began."""
    told = [hourly_beyond(track, tuple(OTHER_LIMITS.values())) for track in tracks]
    # Hour by hour, so for all tracks together.
    level = levels(
        np.concatenate([hours.had for hours, _ in told]), np.concatenate([hours.failed for hours, _ in told])
    )
    ends = np.cumsum([len(hours.had) for hours, _ in told])
    parts = np.split(level, ends[:-1])
    return tuple(_habits(hours, others, part) for (hours, others), part in zip(told, parts, strict=True))


def _habits(hours: Hourly, others: tuple[NDArray[np.bool_], ...], level: NDArray[np.float32]) -> Habits:
    had, failed = hours.had, hours.failed
    plain = TEN_DAYS.rate(TEN_DAYS.counts(failed)[:, :-1], TEN_DAYS.counts(had)[:, :-1], FIRST_RATE)
    sums, counts = _by_clock(failed, hours.ahead), _by_clock(had, hours.ahead)
    clock = (sums + CLOCK_PRIOR_DAYS * plain) / (counts + CLOCK_PRIOR_DAYS)
    return Habits(hours, clock, plain, level, margins(had, others))


def habit_figures(of: Habits, moment: Moment) -> dict[str, Floats]:
    """The figures of M asks; (M,) each."""
    asks, seen = moment.asks, moment.seen
    weeks = _weeks_before(of, seen)
    rates = _rates(weeks, moment.base)
    standing, outlasts = _standing(of, seen), outlasted(weeks.had, weeks.failed)
    odds = {name: log_odds(rate) for name, rate in (rates | standing).items()}
    so_far = odds | {
        # Both say less from then on when the line has held for longer than between any two of its failures.
        "throughout": _throughout(weeks) * np.exp(-outlasts),
        # So much of what the rates still say of the weeks before is taken back as the line's level has fallen below them.
        "mended": -outlasts * np.maximum(odds["rate"] - odds["level"], 0.0),
        "clock_gain": _gain(weeks.clock_error.sum(axis=1), weeks.plain_error.sum(axis=1)),
    }
    figures = {name: figure[seen.of] for name, figure in so_far.items()}
    last_gain, repeat = _repeats(weeks, moment, rates["rate_ten_days"])
    clocks = _clocks(of, asks, (rates | standing), seen.of)
    now, usual = log_odds(moment.hour)[seen.of], figures["rate_ten_days"]
    off_clock = clocks["clock"] - usual
    near = 0.5 ** (np.maximum(asks.start_ns - asks.now_ns, 0) / HOUR_NS / NEAR_HALF_HOURS)
    return (
        figures
        | clocks
        | {
            "repeat": log_odds(repeat),
            "clock_by_clock_gain": figures["clock_gain"] * off_clock,
            "clock_by_last_gain": last_gain * off_clock,
            "hour_by_last_gain": last_gain * (now - usual),
            "hour_by_rate": now * usual * near,
        }
    )


def _weeks_before(of: Habits, seen: Standpoints) -> _Weeks:
    hours, width = of.hours, of.hours.had.shape[1]
    newest = seen.now_ns // HOUR_NS - hours.first_hour - 1
    at = newest[:, None] - np.arange(HOURS)
    flat = seen.line[:, None] * width + np.clip(at, 0, width - 1)
    known = (at >= 0) & (at < width) & hours.had.ravel().take(flat)
    had = known.astype(np.float32)
    failed = (known & hours.failed.ravel().take(flat)).astype(np.float32)
    weight = had * (0.5 ** (np.arange(HOURS) / GAIN_HALF_HOURS)).astype(np.float32)
    plain, clock = (said.ravel().take(flat).astype(np.float32) for said in (of.plain, of.clock))
    return _Weeks(had, failed, weight, (plain - failed) ** 2 * weight, (clock - failed) ** 2 * weight)


def _standing(of: Habits, seen: Standpoints) -> dict[str, Floats]:
    """(U,) each: the level of failing now, and how often the line fails under other limits."""
    after = seen.now_ns // HOUR_NS - of.hours.first_hour
    at = seen.line, np.clip(after, 0, of.hours.had.shape[1])
    shares = {"level": of.level[at].astype(np.float64)}
    for name, each in zip(OTHER_LIMITS, of.margins, strict=True):
        shares |= {
            f"{name}_ten_days": each.ten[at].astype(np.float64),
            f"{name}_day": each.day[at].astype(np.float64),
        }
    return shares


def _clocks(of: Habits, asks: Asks, shares: dict[str, Floats], at: NDArray[np.int64]) -> dict[str, Floats]:
    """(M,) each, as log-odds: how often the asked clock hours failed, and would have under other limits.

    Each is shrunk to what of `shares` (U,) tells of all hours; `at` (M,) is each ask's place in them.
    """
    failing = {"clock": ("rate_ten_days", of.hours.failed)} | {
        f"{name}_clock": (f"{name}_ten_days", each.failed)
        for name, each in zip(OTHER_LIMITS, of.margins, strict=True)
    }
    return {
        name: log_odds(clock_rate(of.hours, failed, asks, shares[usual][at]))
        for name, (usual, failed) in failing.items()
    }


def _by_clock(of: NDArray[np.bool_], ahead: NDArray[np.int64] | None) -> Floats:
    """(N, H) fading counts of the same clock hour on the days before each hour, and by half of the hours beside it.

    `ahead`: of `Hourly`.
    """
    # Trouble does not keep to the clock.
    spread = of.astype(np.float64)
    spread[:, 1:] += 0.5 * of[:, :-1]
    spread[:, :-1] += 0.5 * of[:, 1:]
    if ahead is None:
        return _day_by_day(spread)
    # Two hours that one number on the wall is shared by count together; one that was skipped has nothing.
    on_the_wall = np.arange(len(ahead)) + ahead - ahead[0]
    numbers, first = np.unique(on_the_wall, return_index=True)
    by_wall = np.zeros((len(of), int(numbers[-1]) + 1))
    by_wall[:, numbers] = np.add.reduceat(spread, first, axis=1)
    return _day_by_day(by_wall)[:, on_the_wall]


def _day_by_day(counts: Floats) -> Floats:
    """(N, H): of each hour what its hour counted (N, H) on the days before, fading."""
    keep = 0.5 ** (1.0 / CLOCK_HALF_DAYS)
    lines, hours = counts.shape
    days = np.zeros((lines, -(-hours // HOURS_PER_DAY), HOURS_PER_DAY))
    days.reshape(lines, -1)[:, :hours] = counts
    return np.asarray(lfilter([0.0, keep], [1.0, -keep], days, axis=1).reshape(lines, -1)[:, :hours])


def _rates(weeks: _Weeks, base: Floats) -> dict[str, Floats]:
    """Rates of failed hours, from that of all four weeks down to that of six hours; (U,) each."""
    had, failed = weeks.had, weeks.failed
    rate = (failed.sum(axis=1) + WHOLE_PRIOR_HOURS * base) / (had.sum(axis=1) + WHOLE_PRIOR_HOURS)
    rates = {"rate": np.asarray(rate, dtype=np.float64)}
    for name, fading in RATES.items():
        weight = (0.5 ** ((np.arange(HOURS) + 0.5) / fading.half_hours)).astype(np.float32)
        # By `vecdot`, whose sums are the same however many asks there are; those of `@` are not.
        rate = fading.rate(np.vecdot(failed, weight), np.vecdot(had, weight), rate)
        rates[name] = rate
    return rates


def _throughout(weeks: _Weeks) -> Floats:
    """(U,) by how much the log-odds of the line's failed hours lie over `NEARLY_ALL`; 0 on all other lines.

    It is not shrunk towards other lines' rates, and only the count of hours bounds it: with every week the line is surer to fail.
    """
    failed = weeks.failed.sum(axis=1, dtype=np.float64)
    held = weeks.had.sum(axis=1, dtype=np.float64) - failed
    return np.asarray(np.maximum(np.log((failed + 0.5) / (held + 0.5) / NEARLY_ALL), 0.0))


def _repeats(weeks: _Weeks, moment: Moment, long: Floats) -> tuple[Floats, Floats]:
    """How well "as it was `lead` ago" did, and how often the line failed `lead` after it had been as it is now; (M,) each."""
    asks, state = moment.asks, moment.hour > FAILED
    lag = np.clip(np.rint((asks.start_ns - asks.now_ns) / HOUR_NS), 0, HOURS // 2).astype(np.int64) + 1
    gain, repeat = np.zeros(len(lag)), np.zeros(len(lag))
    for each in np.unique(lag):
        which = np.flatnonzero(lag == each)
        of = moment.seen.of[which]
        later, before = weeks.failed[of, :-each], weeks.failed[of, each:]
        had = weeks.had[of, each:]
        both = weeks.weight[of, :-each] * had
        error = ((before - later) ** 2 * both).sum(axis=1)
        gain[which] = _gain(error, (weeks.plain_error[of, :-each] * had).sum(axis=1))
        alike = both * np.where(state[of, None], before, 1.0 - before)
        repeat[which] = ((later * alike).sum(axis=1) + REPEAT_PRIOR_HOURS * long[of]) / (
            alike.sum(axis=1) + REPEAT_PRIOR_HOURS
        )
    return gain, repeat


def _gain(error: NDArray[np.floating], plain: NDArray[np.floating]) -> Floats:
    """Log-ratio of two sums of squared errors (M,): below 0 where the first forecaster was the better one."""
    return np.log((error.astype(np.float64) + GAIN_PRIOR) / (plain.astype(np.float64) + GAIN_PRIOR))
