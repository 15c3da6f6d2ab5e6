"""What a forecast is drawn from: named figures of each ask, seen through `seen` only, so nothing that came later.

A share of broken windows is first shrunk to the next longer memory (newest slot to the hour, the hour to six,
the day to the line's base rate, the line to its groups and the fleet): a line of which little is known borrows,
and a gap reads as "as before", beside a figure that says how much was missing. Shares go in as log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.clock import Moment
from analytics.forecast.coming import coming
from analytics.forecast.habits import habit_figures, habits
from analytics.forecast.odds import log_odds
from analytics.forecast.seen import look, newest_slot, past, past_until
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analytics.forecast.habits import Habits
    from analytics.forecast.seen import Past, Slots
    from analytics.forecast.track import Asks, Track

MINUTE_NS: Final = 60 * SECOND_NS
DAY_NS: Final = 24 * HOUR_NS
BROKEN: Final = 0.1
"""A slot or span that broke for more than this share counts as broken."""
DAYS: Final = 28
"""Days of the same clock hours that are looked back to."""
CHUNK: Final = 4096
NEAR_NS: Final = 3 * HOUR_NS
"""By so much lead the weight of what only tells of the next hours has halved."""
FLEET_SHARE: Final = 0.03
FLEET_SLOTS: Final = 288.0
PEERS_SHARE: Final = 0.1
"""So many of a group may be broken at any time with nothing in common: only what is beyond it tells of the others."""
GROUP_SLOTS: Final = 288.0
LINE_SLOTS: Final = 144.0


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures of M asks: `figures` (M, F) by `names`; `ground` (M,): anything was ever measured of the line or its groups."""

    names: tuple[str, ...]
    figures: NDArray[np.float64]
    ground: NDArray[np.bool_]
    lead_ns: NDArray[np.int64]


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
    parts = [_facts(track, asks, (among, known.habits), chunk) for chunk in _chunks(len(asks.line))]
    names = tuple(parts[0][0]) if parts else ()
    figures = (
        np.concatenate([np.stack(list(part.values()), axis=-1) for part, _ in parts])
        if parts
        else np.empty((0, 0))
    )
    ground = np.concatenate([known for _, known in parts]) if parts else np.empty(0, dtype=bool)
    if parts:
        ahead = coming(track, asks)
        names, figures = (*names, *ahead), np.column_stack([figures, *ahead.values()])
    return Facts(names, figures, ground, np.maximum(asks.start_ns - asks.now_ns, 0))


@dataclass(frozen=True, slots=True)
class Among:
    """The peers of a track's lines, of whom its own first is number `first_line`."""

    peers: Peers
    first_line: int = 0


def _chunks(asks: int) -> Iterator[slice]:
    return (slice(first, first + CHUNK) for first in range(0, asks, CHUNK))


def _facts(
    track: Track, asks: Asks, learned: tuple[Among, Habits], chunk: slice
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]:
    among, own = learned
    line, now_ns = asks.line[chunk], asks.now_ns[chunk]
    figures: dict[str, NDArray[np.float64]] = {}
    base, ground = among.peers.base(line + among.first_line, now_ns)
    day = _back(track, DAY_NS)
    slot = newest_slot(track, now_ns)[:, None] - np.arange(day)
    slots = look(track, line, slot, now_ns)
    memory = _memory(track, slots, base)
    figures |= {name: log_odds(share) for name, share in memory.items() if name != "failed_now"}
    figures["failed_now"] = memory["failed_now"]
    moment = Moment(line, now_ns, asks.start_ns[chunk], asks.end_ns[chunk], base, memory["hour"])
    figures |= habit_figures(own, moment)
    lead_ns = np.maximum(asks.start_ns[chunk] - now_ns, 0)
    figures |= _course(track, slots, 0.5 ** (lead_ns / NEAR_NS))
    figures |= _gaps(track, slots)
    figures |= _same_hours(track, asks, chunk, base)
    figures |= among.peers.now(line + among.first_line, now_ns)
    figures |= _announced(track, asks, chunk)
    figures |= _rehearsal(track, line, slot, now_ns)
    return figures, ground


def _back(track: Track, span_ns: int) -> int:
    return max(int(-(-span_ns // track.slot_ns)), 1)


def _shrunk(slots: Slots, count: int, prior: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Share broken of the newest `count` slots, with `weight` slots of the prior."""
    known = slots.known[:, :count].sum(axis=1)
    return np.asarray((slots.broke[:, :count].sum(axis=1) + weight * prior) / (known + weight))


def _memory(track: Track, slots: Slots, base: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The broken share over a day down to the newest slot, each shrunk to the longer one."""
    day = _shrunk(slots, slots.known.shape[1], base, 12.0)
    six = _shrunk(slots, _back(track, 6 * HOUR_NS), day, 3.0)
    hour = _shrunk(slots, _back(track, HOUR_NS), six, 1.0)
    quarter = _shrunk(slots, _back(track, 15 * MINUTE_NS), hour, 0.3)
    newest = _shrunk(slots, 1, quarter, 0.1)
    width = _back(track, HOUR_NS)
    known = slots.known[:, :width].sum(axis=1)
    share = slots.broke[:, :width].sum(axis=1) / np.maximum(known, 1)
    return {
        "failed_now": (share > BROKEN).astype(np.float64),
        "usual": base,
        "day": day,
        "six": six,
        "hour": hour,
        "quarter": quarter,
        "newest": newest,
    }


def _course(track: Track, slots: Slots, near: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """How long since it last broke; how often trouble began; strain and where it tends."""
    broken = slots.known & (slots.broke > BROKEN)
    fine = slots.known & ~broken
    width = broken.shape[1]
    minutes = track.slot_ns / MINUTE_NS
    since = np.where(broken.any(axis=1), broken.argmax(axis=1), width)
    onsets = (broken[:, :-1] & fine[:, 1:]).sum(axis=1)
    hour, six = _back(track, HOUR_NS), _back(track, 6 * HOUR_NS)
    strain = _mean_strain(slots, slice(0, _back(track, 15 * MINUTE_NS)))
    before = _mean_strain(slots, slice(hour, six))
    return {
        "since": np.log1p(since * minutes / 15.0),
        "onsets": np.log1p(onsets),
        "strain": strain,
        "strain_near": strain * near,
        "strain_rise": (strain - before) * near,
        "strain_hour": _mean_strain(slots, slice(0, hour)),
    }


def _mean_strain(slots: Slots, span: slice) -> NDArray[np.float64]:
    known = slots.known[:, span].sum(axis=1)
    strain = np.minimum(slots.strain[:, span], 3.0).sum(axis=1)
    return np.asarray(strain / np.maximum(known, 1))


def _gaps(track: Track, slots: Slots) -> dict[str, NDArray[np.float64]]:
    """What is missing now, and whether the office is dark."""
    quarter, hour, day = _back(track, 15 * MINUTE_NS), _back(track, HOUR_NS), slots.known.shape[1]
    silent = np.where(slots.known.any(axis=1), slots.known.argmax(axis=1), day)
    # The newest slot may still be on its way: one slot of silence says nothing.
    silent = np.maximum(silent - 1, 0) * (track.slot_ns / MINUTE_NS)
    return {
        "silent": np.log1p(silent / 5.0),
        "dark": slots.dark[:, :quarter].any(axis=1).astype(np.float64),
        "dark_day": slots.dark[:, :day].mean(axis=1, dtype=np.float64),
        "missing_hour": 1.0 - slots.known[:, 1 : hour + 1].mean(axis=1, dtype=np.float64),
    }


def _same_hours(
    track: Track, asks: Asks, chunk: slice, base: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """The asked clock hours on the days before, newer days heavier; and on the same weekday."""
    line, now_ns = asks.line[chunk], asks.now_ns[chunk]
    first = (asks.start_ns[chunk] - track.start_ns) // track.slot_ns
    width = np.maximum(-(-(asks.end_ns[chunk] - track.start_ns) // track.slot_ns) - first, 1)
    days = np.arange(1, DAYS + 1)
    within = np.arange(int(width.max()))
    slot = first[:, None, None] - days[None, :, None] * _back(track, DAY_NS) + within
    slots = look(track, line, slot.reshape(len(line), -1), now_ns)
    shape = (len(line), DAYS, len(within))
    counted = slots.known.reshape(shape) & (within < width[:, None])[:, None, :]
    known = counted.sum(axis=-1)
    share = (slots.broke.reshape(shape) * counted).sum(axis=-1) / np.maximum(known, 1)
    had = known * 2 >= width[:, None]
    failed = had & (share > BROKEN)
    recent, weekday = 0.5 ** (days / 7.0), (days % 7 == 0).astype(np.float64)
    days_had, weeks_had = np.vecdot(had, recent), np.vecdot(had, weekday)
    daily = (np.vecdot(share * had, recent) + 1.0 * base) / (days_had + 1.0)
    rate = (np.vecdot(failed, recent) + 1.0 * base) / (days_had + 1.0)
    weekly = (np.vecdot(failed, weekday) + 1.0 * rate) / (weeks_had + 1.0)
    newest = np.where(had.any(axis=1), failed[np.arange(len(line)), had.argmax(axis=1)], rate)
    before = had.sum(axis=1)
    return {
        "same_hour_share": log_odds(np.asarray(failed.sum(axis=1) / np.maximum(before, 1))),
        "same_hour_none": (before == 0).astype(np.float64),
        "same_hour": log_odds(daily),
        "same_hour_rate": log_odds(rate),
        "same_weekday": log_odds(weekly),
        "yesterday": newest.astype(np.float64),
    }


def _announced(track: Track, asks: Asks, chunk: slice) -> dict[str, NDArray[np.float64]]:
    """Works or a holiday announced for the asked span. Announced beforehand, so it may be read ahead."""
    slots = track.planned.shape[1]
    line = asks.line[chunk]
    first = np.clip((asks.start_ns[chunk] - track.start_ns) // track.slot_ns, 0, slots)
    last = np.clip(-(-(asks.end_ns[chunk] - track.start_ns) // track.slot_ns), 0, slots)
    low, high = int(first.min(initial=slots)), int(last.max(initial=0))
    sums = np.zeros((len(track.planned), max(high - low, 0) + 1), dtype=np.int64)
    np.cumsum(track.planned[:, low:high], axis=1, out=sums[:, 1:])
    first, last = first - low, np.maximum(last, first) - low
    planned = np.asarray((sums[line, last] - sums[line, first]) / np.maximum(last - first, 1))
    return {"planned": planned}


def _rehearsal(
    track: Track, line: NDArray[np.int64], slot: NDArray[np.int64], now_ns: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """What the last rehearsal of the past day did not hold; 0 without one."""
    slots = track.rehearsed.shape[1]
    at = line[:, None], np.clip(slot, 0, slots - 1)
    seen = (slot >= 0) & (slot < slots) & (track.arrived_ns[at] <= now_ns[:, None])
    share = np.where(seen, track.rehearsed[at], np.nan)
    had = np.isfinite(share)
    last = share[np.arange(len(line)), had.argmax(axis=1)]
    any_ = np.asarray(had.any(axis=1))
    return {
        "rehearsed": any_.astype(np.float64),
        "rehearsal_failed": np.where(any_, 1.0 - np.nan_to_num(last), 0.0).astype(np.float64),
    }


class Peers:
    """What the lines of the same groups tell, at every time that is asked of."""

    def __init__(self, track: Track, before: Past, now_ns: NDArray[np.int64]) -> None:
        """`track`: of all lines, the last quarter of an hour before each `now_ns` at least; `before`: their sums."""
        self._track = track
        self._times = np.unique(now_ns)
        lines, times = len(track.broke), len(self._times)
        every = np.repeat(np.arange(lines), times)
        broke, count = before.until(every, np.tile(self._times, lines))
        self._broke, self._count = broke.reshape(lines, times), count.reshape(lines, times).astype(np.float64)
        self._groups = {name: of for name, of in track.groups.items() if (of >= 0).any() and _shared(of)}
        self._now = self._states() if self._groups else None
        self._sums: dict[tuple[str, str], NDArray[np.float64]] = {}

    def base(
        self, line: NDArray[np.int64], now_ns: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The line's broken share of all time, shrunk to its groups' and theirs to the fleet's; and whether there is ground."""
        at = np.searchsorted(self._times, now_ns)
        fleet = (self._broke.sum(axis=0)[at] + FLEET_SHARE * FLEET_SLOTS) / (
            self._count.sum(axis=0)[at] + FLEET_SLOTS
        )
        ground = self._count[line, at] > 0
        prior, weight = np.zeros(len(line)), np.zeros(len(line))
        for name, of in self._groups.items():
            broke = self._by_group(name, "broke", self._broke)[:, at]
            count = self._by_group(name, "count", self._count)[:, at]
            group, rows = of[line], np.arange(len(line))
            in_one = group >= 0
            share = (broke[group, rows] + fleet * GROUP_SLOTS) / (count[group, rows] + GROUP_SLOTS)
            prior += np.where(in_one, share, 0.0)
            weight += in_one
            ground |= in_one & (count[group, rows] > 0)
        prior = np.where(weight > 0, prior / np.maximum(weight, 1.0), fleet)
        base = (self._broke[line, at] + prior * LINE_SLOTS) / (self._count[line, at] + LINE_SLOTS)
        return base, ground

    def now(self, line: NDArray[np.int64], now_ns: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Share broken over the last 15 minutes of the other lines of each group, `PEERS_SHARE` at the least."""
        figures = {}
        few = log_odds(PEERS_SHARE)
        at = np.searchsorted(self._times, now_ns)
        for name in ("provider", "region", "end"):
            key = f"peers_{name}"
            of = self._groups.get(name)
            if of is None or self._now is None:
                figures[key] = np.full(len(line), few)
                continue
            broke, count = self._now
            group, rows = of[line], np.arange(len(line))
            others = self._by_group(name, "broke now", broke)[:, at][group, rows] - broke[line, at]
            known = self._by_group(name, "count now", count)[:, at][group, rows] - count[line, at]
            fleet = (broke.sum(axis=0)[at] + FLEET_SHARE * 10.0) / (count.sum(axis=0)[at] + 10.0)
            share = np.where(group >= 0, (others + 2.0 * fleet) / (known + 2.0), fleet)
            figures[key] = np.maximum(log_odds(share), few)
        return figures

    def _by_group(self, group: str, what: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums of a group's lines, added up once."""
        if (group, what) not in self._sums:
            self._sums[group, what] = _by_group(values, self._groups[group])
        return self._sums[group, what]

    def _states(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(N, U) each: share broken of each line's last quarter of an hour, and whether anything was measured."""
        track, lines = self._track, len(self._track.broke)
        back = np.arange(_back(track, 15 * MINUTE_NS) + 1)
        broke, count = np.zeros((2, lines, len(self._times)))
        every = np.arange(lines)
        for number, now_ns in enumerate(self._times):
            now = np.full(lines, now_ns)
            slots = look(track, every, newest_slot(track, now)[:, None] - back, now)
            known = slots.known.sum(axis=1)
            # A dark line tells of its peers' trouble as a broken one does.
            dark = slots.dark.any(axis=1) & (known == 0)
            broke[:, number] = np.where(dark, 1.0, slots.broke.sum(axis=1) / np.maximum(known, 1))
            count[:, number] = (known > 0) | dark
        return broke, count


def _shared(of: NDArray[np.int32]) -> bool:
    """Whether any group has two lines."""
    return bool((np.bincount(of[of >= 0]) > 1).any())


def _by_group(values: NDArray[np.float64], of: NDArray[np.int32]) -> NDArray[np.float64]:
    """(G, U) sums of values (N, U) over the lines of each group; lines of none are left out."""
    sums = np.zeros((int(of.max()) + 1, values.shape[1]))
    np.add.at(sums, of[of >= 0], values[of >= 0])
    return sums
