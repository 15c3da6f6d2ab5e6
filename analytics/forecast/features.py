"""What a forecast is drawn from: named figures of each ask, seen through `seen` only, so nothing that came later.

A share of broken windows is first shrunk to the next longer memory (newest slot to the hour, the hour to six,
the day to the line's base rate, the line to its groups and the fleet): a line of which little is known borrows,
and a gap reads as "as before", beside a figure that says how much was missing. Shares go in as log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
from analytics.forecast.seen import (
    asks_at_once,
    look,
    look_rehearsed,
    newest_slot,
    past,
    past_until,
    slots_in,
)
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.habits import Habits
    from analytics.forecast.seen import Past, Slots
    from analytics.forecast.track import Asks, Track

    Floats = NDArray[np.float64]

BROKEN: Final = 0.1
"""A slot or span that broke for more than this share counts as broken."""
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
NEAR_NS: Final = 3 * HOUR_NS
"""By so much lead the weight of what only tells of the next hours has halved."""
MOST_STRAIN: Final = 3.0
"""Strain beyond this says nothing more."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What is worked out of a whole track, whatever is asked: worth keeping while the track stays."""

    past: Past
    habits: Habits


def digest(track: Track, as_of_ns: int | None = None) -> Digest:
    """The digest of a track; for asks from `as_of_ns` on only, if it is given: a small one, without the way to there."""
    return Digest(past(track) if as_of_ns is None else past_until(track, as_of_ns), habits(track))


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
    parts = [_facts(track, asks.rows(some), known.habits, among) for some in asks_at_once(len(asks.line))]
    lead_ns = np.maximum(asks.start_ns - asks.now_ns, 0)
    if not parts:
        return Facts((), np.empty((0, 0)), np.empty(0, dtype=bool), lead_ns)
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
    line, now_ns = asks.line, asks.now_ns
    base, ground = among.peers.base(line + among.first_line, now_ns)
    slot = newest_slot(track, now_ns)[:, None] - np.arange(slots_in(track, DAY_NS))
    slots = look(track, line, slot, now_ns)
    memory = _memory(track, slots, base)
    moment = Moment(line, now_ns, asks.start_ns, asks.end_ns, base, memory["hour"])
    lead_ns = np.maximum(asks.start_ns - now_ns, 0)
    figures = (
        {name: log_odds(share) for name, share in memory.items()}
        | _last_hour(track, slots)
        | habit_figures(own, moment)
        | _course(track, slots, 0.5 ** (lead_ns / NEAR_NS))
        | _gaps(track, slots)
        | _same_hours(track, asks, base)
        | among.peers.now(line + among.first_line, now_ns)
        | _rehearsal(look_rehearsed(track, line, slot, now_ns))
    )
    return figures, ground


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
        "failed_now": ((slots.broke[:, :hour].sum(axis=1) + dark) / told > BROKEN).astype(np.float64),
        "touched_hour": touched[:, :hour].sum(axis=1) / known,
        "touched_quarter": touched[:, :quarter].sum(axis=1)
        / np.maximum(slots.known[:, :quarter].sum(axis=1), 1),
    }


def _course(track: Track, slots: Slots, near: Floats) -> dict[str, Floats]:
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
        "since": np.log1p(since * minutes / 15.0),
        "onsets": np.log1p(onsets),
        "strain_near": strain * near,
        "strain_rise": (strain - before) * near,
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
    # The newest slot may still be on its way: one slot of silence says nothing.
    silent = np.maximum(silent - 1, 0) * (track.slot_ns / MINUTE_NS)
    return {
        "silent": np.log1p(silent / 5.0),
        "dark": slots.dark[:, :quarter].any(axis=1).astype(np.float64),
        "dark_day": slots.dark[:, :day].mean(axis=1, dtype=np.float64),
        "missing_hour": 1.0 - slots.known[:, 1 : hour + 1].mean(axis=1, dtype=np.float64),
    }


def _same_hours(track: Track, asks: Asks, base: Floats) -> dict[str, Floats]:
    """The asked clock hours on the days before, newer days heavier; and on the same weekday."""
    line, now_ns = asks.line, asks.now_ns
    first = (asks.start_ns - track.start_ns) // track.slot_ns
    width = np.maximum(-(-(asks.end_ns - track.start_ns) // track.slot_ns) - first, 1)
    days = np.arange(1, DAYS + 1)
    within = np.arange(int(width.max()))
    slot = first[:, None, None] - days[None, :, None] * slots_in(track, DAY_NS) + within
    slots = look(track, line, slot.reshape(len(line), -1), now_ns)
    shape = (len(line), DAYS, len(within))
    asked = (within < width[:, None])[:, None, :]
    counted = slots.known.reshape(shape) & asked
    known = counted.sum(axis=-1)
    broke = (slots.broke.reshape(shape) * counted).sum(axis=-1)
    share = broke / np.maximum(known, 1)
    had = known * 2 >= width[:, None]
    failed = had & (share > BROKEN)
    recent, weekday = 0.5 ** (days / 7.0), (days % 7 == 0).astype(np.float64)
    days_had, weeks_had = np.vecdot(had, recent), np.vecdot(had, weekday)
    daily = (np.vecdot(share * had, recent) + 1.0 * base) / (days_had + 1.0)
    rate = (np.vecdot(failed, recent) + 1.0 * base) / (days_had + 1.0)
    weekly = (np.vecdot(failed, weekday) + 1.0 * rate) / (weeks_had + 1.0)
    newest = np.where(had.any(axis=1), failed[np.arange(len(line)), had.argmax(axis=1)], rate)
    dark = (slots.dark.reshape(shape) & asked).sum(axis=-1)
    told = (known + dark) * 2 >= width[:, None]
    failing = told & ((broke + dark) / np.maximum(known + dark, 1) > BROKEN)
    before = told.sum(axis=1)
    return {
        "same_hour_share": log_odds(np.asarray(failing.sum(axis=1) / np.maximum(before, 1))),
        "same_hour_none": (before == 0).astype(np.float64),
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
