"""The guard rails of `readiness` on history: what they take from the model's chance, as far as slots can tell.

Live they stand on 15 s windows; a replay has slots of five minutes that had arrived. A line counts as broken now when
half of its newest slot broke or more, as silent when the newest slot that could have arrived is not there, and as dark
when that slot says so. The rule of a plain hour is the same, on the hours that were known when the day of the forecast
began. Nothing that had not arrived by then is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.baseline import OWN_DAYS
from analytics.climatology import climatology
from analytics.flags import USUAL_TIMES
from analytics.forecast.earlier_faults import BACK_NS, broken_in, earlier_faults, run_of
from analytics.forecast.same_time import slots_ago
from analytics.forecast.same_weekday import span_record
from analytics.forecast.seen import dark_by, look, look_rehearsed, newest_slot
from analytics.guards import (
    SILENCE_HIDES,
    as_the_span,
    dark_hides,
    lasting_takes,
    plain_hours,
    relapses_take,
    within_rails,
)
from analytics.history import History
from analytics.hours import hour_of_week, local_hours
from analytics.lines import Lines
from analytics.persistence import as_its_own, still_broken
from analytics.rehearsed import RECALLED_NS, within_rehearsal
from analytics.rhythm import MOST_SPARSE
from telemetry.store.rollup import CLOSED_AFTER_NS
from telemetry.windows import DAY_NS, HOUR_NS, WINDOWS_PER_HOUR

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from analytics.climatology import Climatology
    from analytics.forecast.earlier_faults import EarlierFaults
    from analytics.forecast.seen import Slots
    from analytics.forecast.track import Asks, Track

    Floats = NDArray[np.float64]

USUAL_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Rails:
    """What the guards say of M asks, (M,) each: the terms of `guards.within_rails`."""

    lasting: Floats
    hidden: Floats
    hour: Floats
    rehearsed: Floats
    heard: NDArray[np.bool_]

    def within(self, holds: Floats) -> Floats:
        """The model's chance (M,) within the guard rails; NaN stays."""
        within = within_rails(holds, self.lasting, self.hidden, self.hour, self.heard)
        within = within_rehearsal(within, self.rehearsed)
        return np.where(np.isnan(holds), np.nan, within)


def rails(track: Track, asks: Asks, zone: tzinfo, weeks: float) -> Rails:
    """The guards of each ask; `weeks` of history count for the hours, by the clock of `zone`."""
    newest = _newest_due(track, asks.line, newest_slot(track, asks.now_ns - CLOSED_AFTER_NS))
    slot = newest[:, None] - np.arange(BACK_NS // track.slot_ns)
    slots = look(track, asks.line, slot, asks.now_ns)
    heard = slots.known[:, 0]
    lead_ns = np.maximum(asks.start_ns - asks.now_ns, 0)
    lasting = _broken(track, slots, lead_ns, earlier_faults(track, asks, newest))
    hour, usual = _hours(track, asks, zone, weeks)
    hour = as_the_span(hour, *span_record(track, asks))
    this_hour, later = local_hours(asks.now_ns, zone), local_hours(asks.start_ns, zone)
    lasting = np.where(
        later > this_hour, lasting * (1.0 - usual * _as_usual(track, asks, newest, slots)), lasting
    )
    lasting = lasting_takes(lasting, lead_ns)
    silent = run_of(~slots.known) * track.slot_ns
    hides = np.where(slots.dark[:, 0], dark_hides(lead_ns), SILENCE_HIDES * _persists(lead_ns, silent))
    hidden = np.where(heard, 0.0, hides)
    return Rails(lasting, hidden, hour, _rehearsed(track, asks), heard)


def _newest_due(track: Track, line: NDArray[np.int64], slot: NDArray[np.int64]) -> NDArray[np.int64]:
    """(M,): the slot, or the last one before it in which there was to be something: between two samples nobody is silent."""
    if track.due is None:
        return slot
    slots = track.due.shape[1]
    due_at = np.where(track.due, np.arange(slots, dtype=np.int32), np.int32(-1))
    np.maximum.accumulate(due_at, axis=1, out=due_at)
    inside = (slot >= 0) & (slot < slots)
    return np.where(inside, due_at[line, np.clip(slot, 0, slots - 1)], slot)


def _broken(track: Track, slots: Slots, lead_ns: NDArray[np.int64], before: EarlierFaults) -> Floats:
    """The chance that what is broken now, or keeps breaking, is broken at the meeting."""
    broken = broken_in(slots)
    share = np.where(broken[:, 0], slots.broke[:, 0].astype(np.float64), 0.0)
    hour = int(HOUR_NS // track.slot_ns) + 1
    ended = (broken[:, 1:hour] & ~broken[:, : hour - 1]).sum(axis=1)
    lasts = as_its_own(_persists(lead_ns, run_of(broken) * track.slot_ns), *before)
    return np.asarray(np.maximum(share, relapses_take(ended)) * lasts)


def _rehearsed(track: Track, asks: Asks) -> Floats:
    """The chance that a line whose last rehearsal of the day did not hold the whole ladder breaks again."""
    slot = newest_slot(track, asks.now_ns)[:, None] - np.arange(RECALLED_NS // track.slot_ns)
    share = look_rehearsed(track, asks.line, slot, asks.now_ns)
    newest = np.isfinite(share).argmax(axis=1)
    rows = np.arange(len(asks.line))
    broke = np.nan_to_num(share[rows, newest], nan=1.0) < 1.0
    ended_ns = track.start_ns + (slot[rows, newest] + 1) * track.slot_ns
    chance = still_broken(np.maximum(asks.start_ns - ended_ns, 0), np.zeros_like(ended_ns))
    return np.where(broke, chance, 0.0)


def _persists(lead_ns: NDArray[np.int64], age_ns: NDArray[np.int64]) -> Floats:
    out = np.zeros(len(lead_ns))
    for lead in np.unique(lead_ns):  # horizons: a handful
        rows = lead_ns == lead
        out[rows] = still_broken(int(lead), age_ns[rows])
    return out


def _as_usual(track: Track, asks: Asks, newest: NDArray[np.int64], slots: Slots) -> NDArray[np.bool_]:
    """(M,): the strain now is at most `USUAL_TIMES` that of this slot on the days before, of which `OWN_DAYS` are known."""
    days = slots_ago(track, newest[:, None], 1 + np.arange(USUAL_DAYS))
    before = look(track, asks.line, days, asks.now_ns)
    known = before.known.sum(axis=1)
    usual = np.where(before.known, before.strain, 0.0).sum(axis=1) / np.maximum(known, 1)
    return np.asarray((slots.strain[:, 0] <= USUAL_TIMES * usual) & (known >= OWN_DAYS))


def _hours(track: Track, asks: Asks, zone: tzinfo, weeks: float) -> tuple[Floats, Floats]:
    """(M,) each: the chance that an hour of the meeting fails where its record is plain, else 0; and that this hour fails."""
    hour, usual = np.zeros((2, len(asks.line)))
    day = asks.now_ns // DAY_NS
    of_slot = local_hours(
        track.start_ns + np.arange(track.broke.shape[1], dtype=np.int64) * track.slot_ns, zone
    )
    for each in np.unique(day):
        rows = np.flatnonzero(day == each)
        climate = _climate(track, of_slot, int(each) * DAY_NS, weeks)
        if climate is None:
            continue
        now = hour_of_week(local_hours(asks.now_ns[rows], zone))
        usual[rows] = climate.fails[0, asks.line[rows], 0, now]
        hour[rows] = _plain(climate, asks, rows, zone)
    return hour, usual


def _plain(climate: Climatology, asks: Asks, rows: NDArray[np.int64], zone: tzinfo) -> Floats:
    cap = plain_hours(climate.judged(0), climate.failed[0], climate.fails[0])[:, 0]
    first = local_hours(asks.start_ns[rows], zone)
    last = np.minimum(local_hours(np.maximum(asks.end_ns[rows] - 1, asks.start_ns[rows]), zone), first + 167)
    out = np.zeros(len(rows))
    for step in range(int((last - first).max(initial=0)) + 1):
        there = first + step <= last
        out[there] = np.maximum(out[there], cap[asks.line[rows][there], hour_of_week(first + step)[there]])
    return out


def _climate(track: Track, of_slot: NDArray[np.int64], as_of_ns: int, weeks: float) -> Climatology | None:
    """What the hours of the weeks before were like, as had arrived by then; None without any."""
    end = int(np.clip((as_of_ns - track.start_ns) // track.slot_ns, 0, track.broke.shape[1]))
    first = max(end - int(weeks * 7 * DAY_NS) // track.slot_ns, 0)
    hours = of_slot[first:end]
    if not len(hours):
        return None
    span = slice(first, end)
    seen = track.arrived_ns[:, span] <= as_of_ns
    measured = np.where(seen, track.measured[:, span], 0.0)
    blamed = dark_by(track, as_of_ns, span).astype(np.float64)
    broken = np.nan_to_num(track.broke[:, span]) * measured + blamed
    windows, fullest = _windows(track, span, seen)
    at = np.flatnonzero(np.diff(hours, prepend=hours[0] - 1))
    counted = _by_hour((measured + blamed) * windows, hours, at)[:, None]
    fullest = np.broadcast_to(fullest[..., None], counted.shape)
    return climatology(
        History(
            lines=Lines(tuple(map(str, range(len(measured)))), ("",)),
            first_hour=int(hours[0]),
            measured=counted,
            fullest=fullest,
            broken=_by_hour(broken * windows, hours, at)[None, :, None],
            figures={},
        )
    )


def _windows(track: Track, span: slice, seen: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.uint8]]:
    """(N, 1) each: the windows of a slot of each line, and the most in one where the line is measured seldom, else 0."""
    whole = WINDOWS_PER_HOUR * track.slot_ns / HOUR_NS
    if track.windows is None:
        nothing = np.zeros((len(seen), 1), dtype=np.uint8)
        return np.full(nothing.shape, float(whole)), nothing
    most = np.where(seen, track.windows[:, span], 0).max(axis=1, initial=0, keepdims=True)
    fullest = np.where(most <= MOST_SPARSE, most, 0).astype(np.uint8)
    return np.where(fullest > 0, fullest, whole).astype(np.float64), fullest


def _by_hour(values: Floats, hours: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.uint16]:
    """(N, H) sums by local hour, from the first to the last; hours that the clock skipped stay 0."""
    out = np.zeros((int(hours[-1] - hours[0]) + 1, len(values)))
    np.add.at(out, hours[at] - hours[0], np.add.reduceat(values, at, axis=1).T)
    return np.asarray(np.rint(out.T), dtype=np.uint16)
