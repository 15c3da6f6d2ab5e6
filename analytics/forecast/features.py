"""What a forecast is drawn from: named figures of each ask, seen through `seen` only, so nothing that came later.

A share of broken windows is first shrunk to the next longer memory (newest slot to the hour, the hour to six,
the day to the line's base rate, the line to its groups and the fleet): a line of which little is known borrows,
and a gap reads as "as before", beside a figure that says how much was missing. Shares go in as log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.climatology import BROKEN_SHARE
from analytics.forecast.announced import announced
from analytics.forecast.clock import Moment
from analytics.forecast.coming import coming
from analytics.forecast.course import course
from analytics.forecast.facts import Facts
from analytics.forecast.habits import habit_figures, habits
from analytics.forecast.odds import log_odds
from analytics.forecast.peers import Among, Peers
from analytics.forecast.same_time import slots_ago
from analytics.forecast.seen import (
    asked_slots,
    asks_at_once,
    look,
    look_rehearsed,
    newest_told,
    past,
    past_until,
    slots_in,
    span_sums,
)
from analytics.forecast.standpoints import standpoints
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.forecast.habits import Habits
    from analytics.forecast.seen import Past, Slots
    from analytics.forecast.track import Asks, Track

    Floats = NDArray[np.float64]

BROKEN: Final = 0.1
"""A slot or span that broke for more than this share counts as broken. Of an outcome it is 5 %; decision 208 says why not here."""
ROUNDING: Final = 1e-6
"""Of sums of slots: a span of which just so much broke is not broken."""
MEMORIES: Final = (
    ("day", DAY_NS, 12.0),
    ("six", 6 * HOUR_NS, 3.0),
    ("hour", HOUR_NS, 1.0),
    ("quarter", 15 * MINUTE_NS, 0.3),
    ("newest", 0, 0.1),
)
"""Broken shares: name, span up to now (one slot at least), slots' worth of the one before it that it is shrunk to."""
DAYS: Final = 28
"""Days of the same clock hours that are looked back to."""
DAYS_PER_WEEK: Final = 7
HALF_DAYS: Final = 7.0
"""Of them a day weighs half as much for every so many since."""
PRIOR_DAYS: Final = 1.0
"""Days' worth of the longer memory beside them."""
SINCE_MIN: Final = 15.0
"""How long it has been since a line broke is told in such steps, by their logarithm: the first quarters of an hour say most."""
SILENT_MIN: Final = 5.0
"""For how long a line has been silent, likewise."""
NEAR_NS: Final = 3 * HOUR_NS
"""By so much lead the weight of what only tells of the next hours has halved:"""
NEAR_ONLY: Final = ("strain_near", "strain_rise")
"""these figures."""
MOST_STRAIN: Final = 3.0
"""Strain beyond this says nothing more."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What is worked out of a whole track, whatever is asked: worth keeping while the track stays."""

    past: Past
    habits: Habits


def digest(track: Track) -> Digest:
    """The digest of a track."""
    return Digest(past(track), *habits([track]))


def digests_until(tracks: Sequence[Track], as_of_ns: int) -> tuple[Digest, ...]:
    """Those of tracks over the same slots, for asks from `as_of_ns` on only: small ones, without the way to there."""
    return tuple(
        Digest(past_until(track, as_of_ns), of) for track, of in zip(tracks, habits(tracks), strict=True)
    )


def facts(track: Track, asks: Asks, known: Digest | None = None, among: Among | None = None) -> Facts:
    """Everything the model knows of each ask.

    Each figure is worked out of one ask's own row, so it is the same bits whatever is asked beside it.

    Args:
        track: of all lines, or of a piece of them.
        asks: of lines of the track.
        known: `digest(track)`, when it is there already.
        among: of a piece, its place among all lines, who are its peers; None where the track has them all.
    """
    known = digest(track) if known is None else known
    among = Among(Peers(track, known.past, asks.now_ns)) if among is None else among
    most = max(DAYS * int(asked_slots(track, asks)[1].max(initial=1)), slots_in(track, DAY_NS))
    some = asks_at_once(len(asks.line), most)
    parts = [_facts(track, asks.rows(rows), known.habits, among) for rows in some]
    lead_ns = np.maximum(asks.start_ns - asks.now_ns, 0)
    ahead = coming(track, asks) | course(track, asks) | announced(track, asks)
    return Facts(
        names=(*parts[0][0], *ahead),
        figures=np.column_stack(
            [np.concatenate([np.stack(list(part.values()), axis=-1) for part, _ in parts]), *ahead.values()]
        ),
        ground=np.concatenate([ground for _, ground in parts]),
        lead_ns=lead_ns,
    )


def _facts(
    track: Track, asks: Asks, own: Habits, among: Among
) -> tuple[dict[str, Floats], NDArray[np.bool_]]:
    """The figures of some asks by name, (M,) each, and whether there is ground."""
    seen = standpoints(asks)
    line, now_ns, of = seen.line, seen.now_ns, seen.of
    base, ground = among.peers.base(line + among.first_line, now_ns)
    slot = newest_told(track, line, now_ns)[:, None] - np.arange(slots_in(track, DAY_NS))
    slots = look(track, line, slot, now_ns)
    memory = _memory(track, slots, base)
    so_far = (
        {name: log_odds(share) for name, share in memory.items()}
        | _last_hour(track, slots)
        | _course(track, slots)
        | _gaps(track, slots)
        | among.peers.now(line + among.first_line, now_ns)
        | _rehearsal(look_rehearsed(track, line, slot, now_ns))
    )
    figures = {name: figure[of] for name, figure in so_far.items()}
    near = 0.5 ** (np.maximum(asks.start_ns - asks.now_ns, 0) / NEAR_NS)
    figures |= {name: figures[name] * near for name in NEAR_ONLY}
    figures |= habit_figures(own, Moment(asks, seen, base, memory["hour"]))
    figures |= _same_hours(track, asks, base[of])
    return figures, ground[of]


def _memory(track: Track, slots: Slots, base: Floats) -> dict[str, Floats]:
    """The broken share from all time (`base`) down to the newest slot, each shrunk to the longer one."""
    shares = {"usual": base}
    longer = base
    for name, span_ns, prior_slots in MEMORIES:
        some = slice(0, slots_in(track, span_ns))
        known = slots.known[:, some].sum(axis=1)
        longer = (slots.broke[:, some].sum(axis=1) + prior_slots * longer) / (known + prior_slots)
        shares[name] = longer
    return shares


def _last_hour(track: Track, slots: Slots) -> dict[str, Floats]:
    """Whether the last hour as a whole broke; shares of the last hour's and quarter's slots that broke at all."""
    quarter, hour = slots_in(track, 15 * MINUTE_NS), slots_in(track, HOUR_NS)
    known = np.maximum(slots.known[:, :hour].sum(axis=1), 1)
    touched = slots.known & (slots.broke > BROKEN_SHARE)
    dark = slots.dark[:, :hour].sum(axis=1)
    told = np.maximum(slots.known[:, :hour].sum(axis=1) + dark, 1)
    return {
        "failed_now": _over(slots.broke[:, :hour].sum(axis=1) + dark, told).astype(np.float64),
        "touched_hour": touched[:, :hour].sum(axis=1) / known,
        "touched_quarter": touched[:, :quarter].sum(axis=1)
        / np.maximum(slots.known[:, :quarter].sum(axis=1), 1),
    }


def _course(track: Track, slots: Slots) -> dict[str, Floats]:
    """How long since it last broke; how often trouble began; strain and where it tends."""
    broken = slots.known & (slots.broke > BROKEN)
    fine = slots.known & ~broken
    width = broken.shape[1]
    minutes = track.slot_ns / MINUTE_NS
    since = np.where(broken.any(axis=1), broken.argmax(axis=1), width)
    onsets = (broken[:, :-1] & fine[:, 1:]).sum(axis=1)
    hour, six = slots_in(track, HOUR_NS), slots_in(track, 6 * HOUR_NS)
    strain = _mean_strain(slots, slice(0, slots_in(track, 15 * MINUTE_NS)))
    before = _mean_strain(slots, slice(hour, six))
    return {
        "since": np.log1p(since * minutes / SINCE_MIN),
        "onsets": np.log1p(onsets),
        "strain_near": strain,
        "strain_rise": strain - before,
        "strain_hour": _mean_strain(slots, slice(0, hour)),
    }


def _mean_strain(slots: Slots, span: slice) -> Floats:
    known = slots.known[:, span].sum(axis=1)
    strain = np.minimum(slots.strain[:, span], MOST_STRAIN).sum(axis=1)
    return np.asarray(strain / np.maximum(known, 1))


def _gaps(track: Track, slots: Slots) -> dict[str, Floats]:
    """What is missing now, and whether the office is dark."""
    quarter, hour, day = slots_in(track, 15 * MINUTE_NS), slots_in(track, HOUR_NS), slots.known.shape[1]
    silent = np.where(slots.known.any(axis=1), slots.known.argmax(axis=1), day)
    unheard = np.arange(quarter) < silent[:, None]
    return {
        "silent": np.log1p(silent * (track.slot_ns / MINUTE_NS) / SILENT_MIN),
        "dark": (slots.dark[:, :quarter] & unheard).any(axis=1).astype(np.float64),
        "dark_day": slots.dark[:, :day].mean(axis=1, dtype=np.float64),
        "missing_hour": 1.0 - slots.known[:, :hour].mean(axis=1, dtype=np.float64),
    }


class _SameHours(NamedTuple):
    """The asked clock hours on each of the `DAYS` before, newest first; (M, `DAYS`) each.

    Attributes:
        share: how much of what is known of them broke.
        had: half of them or more is known.
        failed: they are known and broke.
        told: half of them or more is known, or the office was dark.
        failing: they are told and broke, what was dark with them.
    """

    share: Floats
    had: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    told: NDArray[np.bool_]
    failing: NDArray[np.bool_]


def _same_hours(track: Track, asks: Asks, base: Floats) -> dict[str, Floats]:
    """The asked clock hours on the days before, as the references see them and as the model does."""
    hours = _asked_hours(track, asks)
    return _reference_figures(hours) | _own_rates(hours, base)


def _asked_hours(track: Track, asks: Asks) -> _SameHours:
    first, width = asked_slots(track, asks)
    within = np.arange(int(width.max(initial=1)))
    slot = slots_ago(track, first[:, None], np.arange(1, DAYS + 1))[:, :, None] + within
    shape = slot.shape
    slots = look(track, asks.line, slot.reshape(len(first), DAYS * len(within)), asks.now_ns)
    asked = (within < width[:, None])[:, None, :]
    counted = slots.known.reshape(shape) & asked
    known = counted.sum(axis=-1)
    broke = span_sums(slots.broke.reshape(shape) * counted)
    share = broke / np.maximum(known, 1)
    had = known * 2 >= width[:, None]
    dark = (slots.dark.reshape(shape) & asked).sum(axis=-1)
    told = (known + dark) * 2 >= width[:, None]
    failing = told & _over(broke + dark, known + dark)
    return _SameHours(share, had, had & _over(broke, known), told, failing)


def _over(broke: NDArray[np.floating], counted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether more than `BROKEN` of the slots counted broke; of one shape."""
    return np.asarray(broke > BROKEN * counted + ROUNDING)


def _reference_figures(hours: _SameHours) -> dict[str, Floats]:
    """What recalibrated climatology goes by: how often they failed, and whether they are told of no day."""
    days = hours.told.sum(axis=1)
    return {
        "same_hour_share": log_odds(np.asarray(hours.failing.sum(axis=1) / np.maximum(days, 1))),
        "same_hour_none": (days == 0).astype(np.float64),
    }


def _own_rates(hours: _SameHours, base: Floats) -> dict[str, Floats]:
    """Newer days heavier, shrunk to `base` (M,), the line's share of all time; those of the same weekday, shrunk to all; the newest day."""
    days = np.arange(1, DAYS + 1)
    recent, weekday = 0.5 ** (days / HALF_DAYS), (days % DAYS_PER_WEEK == 0).astype(np.float64)
    days_had, weeks_had = np.vecdot(hours.had, recent), np.vecdot(hours.had, weekday)
    daily = (np.vecdot(hours.share * hours.had, recent) + PRIOR_DAYS * base) / (days_had + PRIOR_DAYS)
    rate = (np.vecdot(hours.failed, recent) + PRIOR_DAYS * base) / (days_had + PRIOR_DAYS)
    weekly = (np.vecdot(hours.failed, weekday) + PRIOR_DAYS * rate) / (weeks_had + PRIOR_DAYS)
    last = hours.failed[np.arange(len(base)), hours.had.argmax(axis=1)]
    newest = np.where(hours.had.any(axis=1), last, rate)
    return {
        "same_hour": log_odds(daily),
        "same_hour_rate": log_odds(rate),
        "same_weekday": log_odds(weekly),
        "yesterday": newest.astype(np.float64),
    }


def _rehearsal(share: NDArray[np.float32]) -> dict[str, Floats]:
    """What the last rehearsal of the past day did not hold; 0 without one. `share` (M, W), newest first, of `look_rehearsed`."""
    had = np.isfinite(share)
    last = share[np.arange(len(share)), had.argmax(axis=1)]
    any_ = np.asarray(had.any(axis=1))
    return {
        "rehearsed": any_.astype(np.float64),
        "rehearsal_failed": np.where(any_, 1.0 - np.nan_to_num(last), 0.0).astype(np.float64),
    }
