"""Today's course of a line's strain, carried along its usual one: how much of the asked span it would break.

A line's strain runs through the day in its usual course, the median of the days before, and today it lies above or below that (a
shift) and swings more or less (the load of the day). Both are read off the last hour and a half by least squares,

    today(t) - usual(t) = shift + more * swing(t) + noise,    swing(t) = how far usual(t) lies above the line's calm hours,

and held towards "as usual" by as much as days differ (a ridge, with the posterior's spread); with the lead both go back to none.
They make of the usual course of the asked slots what is to come there; the share of windows that would lie beyond the limits is
the figure. A fault of a few slots is hardly a load: what lies far from the middle of today's slots is drawn in to it. No slot is
left out for being bad, so that a worse line is never told to be a better one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import ndtr

from analytics.forecast.coming import DAYS
from analytics.forecast.odds import log_odds
from analytics.forecast.same_time import slots_ago
from analytics.forecast.seen import asked_slots, asks_at_once, look, newest_slot, slots_in
from analytics.forecast.standpoints import standpoints
from analytics.ranks import medians
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Track

    Floats = NDArray[np.float64]

BACK_NS: Final = 90 * MINUTE_NS
"""Today is read off so much before the ask."""
CALM_NS: Final = 2 * HOUR_NS
"""The calm of a line is looked for among slots so far apart, all round the day."""
CALM_SHARE: Final = 0.2
"""So much of the usual day lies below the line's calm."""
MOST: Final = 1.2
"""Strain beyond this says nothing more: the line breaks."""
ABRUPT: Final = 0.1
"""What lies farther from the middle of today's slots is a fault that came or went, and counts for no more than that."""
UNKNOWN: Final = 0.08
"""Share of an hour of which neither the days before nor, on a line without a past, today tells anything."""
NOISE: Final = 0.03
"""Spread of a slot's strain about its course."""
SHIFTS: Final = 0.1
"""How far days lie apart, in limits."""
LOADS: Final = 0.5
"""How much days differ in their swing, as a share of the usual one."""
LEAST_MORE, MOST_MORE = -0.9, 3.0
SHIFT_LASTS_NS: Final = 2 * HOUR_NS
LOAD_LASTS_NS: Final = 24 * HOUR_NS
"""By so much lead half of a shift, or of a load, is left."""
WINDOWS: Final = 0.07
"""Spread of the windows of a slot about its strain."""


class _Day(NamedTuple):
    """How today differs from the usual day, (U,) each: what is expected, and its variances.

    `calm`: NaN on a line without a past, which is expected to go on `as_now`; that is NaN on all others.
    """

    calm: Floats
    as_now: Floats
    shift: Floats
    more: Floats
    shift_var: Floats
    more_var: Floats
    both_var: Floats


def course(track: Track, asks: Asks) -> dict[str, Floats]:
    """Figures by name, (M,) each: the share of the asked span that would break, as log-odds; today's load; today's shift."""
    breaks, more, shift = np.zeros((3, len(asks.line)))
    most = max(int(asked_slots(track, asks)[1].max(initial=1)), slots_in(track, BACK_NS))
    for rows in asks_at_once(len(asks.line), DAYS * most):
        some = asks.rows(rows)
        seen = standpoints(some)
        day = _Day(*(part[seen.of] for part in _today(track, seen.line, seen.now_ns)))
        breaks[rows], more[rows], shift[rows] = _breaking(track, some, day), day.more, day.shift
    return {"course_breaks": log_odds(breaks), "course_more": more, "course_shift": shift}


def _today(track: Track, line: NDArray[np.int64], now_ns: NDArray[np.int64]) -> _Day:
    newest = newest_slot(track, now_ns)[:, None]
    slot = newest - np.arange(slots_in(track, BACK_NS))
    usual, now = usual_strain(track, line, slot, now_ns), _strain(track, line, slot, now_ns)
    round_the_day = np.arange(0, slots_in(track, DAY_NS), slots_in(track, CALM_NS))
    calm = _calm(usual_strain(track, line, newest - round_the_day, now_ns))
    beyond = now - usual
    use = np.isfinite(beyond)
    middle = np.nan_to_num(_median(beyond))[:, None]
    beyond = np.where(use, np.clip(beyond, middle - ABRUPT, middle + ABRUPT), 0.0)
    swing = np.where(use, np.nan_to_num(np.maximum(usual - calm[:, None], 0.0)), 0.0)  # without a calm none
    ones, cross = use.sum(axis=1) / NOISE**2 + SHIFTS**-2, swing.sum(axis=1) / NOISE**2
    squares = (swing**2).sum(axis=1) / NOISE**2 + LOADS**-2
    of_ones, of_swing = beyond.sum(axis=1) / NOISE**2, (beyond * swing).sum(axis=1) / NOISE**2
    whole = ones * squares - cross**2
    return _Day(
        calm=calm,
        as_now=np.where(np.isfinite(calm), np.nan, _median(now)),
        shift=(squares * of_ones - cross * of_swing) / whole,
        more=np.clip((ones * of_swing - cross * of_ones) / whole, LEAST_MORE, MOST_MORE),
        shift_var=squares / whole,
        more_var=ones / whole,
        both_var=-cross / whole,
    )


def _as_of(day: _Day, lead_ns: NDArray[np.int64]) -> _Day:
    """What is left of today's difference after a lead (U,): it goes back to none, and how far it may lie to what days differ by."""
    shift, load = 0.5 ** (lead_ns / SHIFT_LASTS_NS), 0.5 ** (lead_ns / LOAD_LASTS_NS)
    return day._replace(
        shift=shift * day.shift,
        more=load * day.more,
        shift_var=SHIFTS**2 + shift**2 * (day.shift_var - SHIFTS**2),
        more_var=LOADS**2 + load**2 * (day.more_var - LOADS**2),
        both_var=shift * load * day.both_var,
    )


def _breaking(track: Track, asks: Asks, day: _Day) -> Floats:
    """(M,) share of the windows of each asked span that would break."""
    first, width = asked_slots(track, asks)
    within = np.arange(int(width.max(initial=1)))
    usual = usual_strain(track, asks.line, first[:, None] + within, asks.now_ns)
    later = _as_of(day, np.maximum(asks.start_ns - asks.now_ns, 0))
    calm, as_now, shift, more, shift_var, more_var, both_var = (part[:, None] for part in later)
    usual = np.where(np.isfinite(usual), usual, as_now)
    swing = np.nan_to_num(np.maximum(usual - calm, 0.0))
    variance = WINDOWS**2 + shift_var + swing**2 * more_var + 2.0 * swing * both_var
    breaks = np.nan_to_num(ndtr((usual + shift + more * swing - 1.0) / np.sqrt(variance)), nan=UNKNOWN)
    # A running sum: its bits do not hang on how long other spans are.
    return np.asarray(np.cumsum(breaks, axis=1)[np.arange(len(width)), width - 1] / width)


def usual_strain(
    track: Track, line: NDArray[np.int64], slot: NDArray[np.int64], now_ns: NDArray[np.int64]
) -> Floats:
    """(M, W) usual strain of slots `slot` (M, W) of lines (M,): the median at the same time of the `DAYS` before, as known at `now_ns` (M,), `MOST` at the most; NaN where none is known."""
    days = slots_ago(track, slot[:, :, None], 1 + np.arange(DAYS))
    flat = days.reshape(len(slot), slot.shape[1] * DAYS)
    return _median(_strain(track, line, flat, now_ns).reshape(days.shape))


def _strain(
    track: Track, line: NDArray[np.int64], slot: NDArray[np.int64], now_ns: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(M, W) strain of slots, `MOST` at the most, and where nothing came through that could be compared; NaN where not known."""
    slots = look(track, line, slot, now_ns)
    no_figure = (slots.strain <= 0.0) & (slots.broke > 0.0)
    strain = np.where(no_figure, np.float32(MOST), np.minimum(slots.strain, np.float32(MOST)))
    return np.where(slots.known, strain, np.float32(np.nan))


def _calm(usual: Floats) -> Floats:
    """(M,) strain below which `CALM_SHARE` of each usual day (M, W) lies; NaN where nothing is known."""
    order = np.sort(usual, axis=1)  # what is not known comes last
    known = np.isfinite(order).sum(axis=1)
    at = (CALM_SHARE * np.maximum(known - 1, 0)).astype(np.int64)
    return np.asarray(order[np.arange(len(order)), at])


def _median(of: NDArray[np.floating]) -> Floats:
    """The median along the last axis in double precision: the track keeps single."""
    return np.asarray(medians(of)[0], dtype=np.float64)
