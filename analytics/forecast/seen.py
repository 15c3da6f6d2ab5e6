"""What had arrived: the only door through which the forecast looks at a `Track`.

A slot counts for an ask when it had ended and arrived by `now_ns`; everything else reads as "not measured".
Sums over all that was known are prefix sums in the order in which the slots became known, so that they are
exact however late a slot came, and changing what was not known yet changes no bit of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from telemetry.line_slots import NEVER
from telemetry.store.rollup import CLOSED_AFTER_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Rows, Track

_T = TypeVar("_T", bound=np.generic)

ASKS_AT_ONCE: Final = 1024
"""Asks whose slots are laid out at a time, and"""
SLOTS_AT_ONCE: Final = 2**19
"""so many slots of theirs: an ask of a whole day looks at 24 times as many as one of an hour."""
LINES_AT_ONCE: Final = 64
"""Lines whose slots are summed up at a time."""


class Slots:
    """W slots for each of M asks; (M, W) each. Where `known` is false only `dark` says anything.

    Each is worked out when it is first looked at: few look at all of them.
    """

    def __init__(
        self, track: Track, line: NDArray[np.int64], slot: NDArray[np.int64], now_ns: NDArray[np.int64]
    ) -> None:
        self._track, self._slot, self._now_ns = track, slot, now_ns
        self._flat, self._ended, self._came = _came(track, line, slot, now_ns)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """The slot had ended and arrived, and something was measured in it."""
        return np.asarray(self._ended & self._came & np.isfinite(self._of(self._track.broke)))

    @cached_property
    def broke(self) -> NDArray[np.float32]:
        """Share of it that broke; 0 where not known."""
        return np.where(self.known, self._of(self._track.broke), np.float32(0.0))

    @cached_property
    def strain(self) -> NDArray[np.float32]:
        """The worst figure over its limit; 0 where not known."""
        strain = self._of(self._track.strain)
        return np.where(self.known & np.isfinite(strain), strain, np.float32(0.0))

    @cached_property
    def dark(self) -> NDArray[np.bool_]:
        """The slot had ended, nothing of its office was there though it was awaited; it may have arrived later."""
        told = self._came | _closed(self._track, self._slot, self._now_ns)
        awaited = self._now_ns[:, None] < self._of(self._track.silent_until_ns)
        return np.asarray(self._ended & ~self.known & told & awaited)

    def _of(self, values: NDArray[_T]) -> NDArray[_T]:
        return values.ravel().take(self._flat)


def slots_in(track: Track, span_ns: int) -> int:
    """How many slots cover a span: one at least."""
    return max(int(-(-span_ns // track.slot_ns)), 1)


def asks_at_once(asks: int, slots: int) -> Iterator[slice]:
    """So many asks by and by, each of which looks at `slots` slots; of no asks once none, which have all figures too."""
    some = max(min(ASKS_AT_ONCE, SLOTS_AT_ONCE // slots), 1)
    return (slice(first, first + some) for first in range(0, max(asks, 1), some))


def asked_slots(track: Track, asks: Asks) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(M,) each: the slot in which the asked span begins, and how many it touches, one at least."""
    first = (asks.start_ns - track.start_ns) // track.slot_ns
    return first, np.maximum(-(-(asks.end_ns - track.start_ns) // track.slot_ns) - first, 1)


def span_sums(values: NDArray[_T], dtype: type[_T] | None = None) -> NDArray[_T]:
    """(M, ...): sums over the slots of asked spans, values (M, ..., W), 0 beyond a span's end.

    They are added up one after the other, so that no bit of a sum hangs on how long the spans are that are asked beside it.
    """
    total = np.zeros(values.shape[:-1], dtype=values.dtype if dtype is None else dtype)
    for slot in range(values.shape[-1]):
        total += values[..., slot]
    return total


def newest_slot(track: Track, now_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the last slot that had ended by each `now_ns`; may lie outside the track."""
    return np.asarray((now_ns - track.start_ns) // track.slot_ns - 1)


def newest_told(track: Track, line: NDArray[np.int64], now_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """(M,): the last slot that had ended by each `now_ns`, or the one before it where nothing is told of that one yet: until it closes it may be on its way."""
    slot = newest_slot(track, now_ns)
    newest = look(track, line, slot[:, None], now_ns)
    told = newest.known | newest.dark | _closed(track, slot[:, None], now_ns)
    return np.asarray(slot - ~told[:, 0])


def look(track: Track, line: NDArray[np.int64], slot: NDArray[np.int64], now_ns: NDArray[np.int64]) -> Slots:
    """The slots `slot` (M, W) of lines `line` (M,) as they were known at `now_ns` (M,)."""
    return Slots(track, line, slot, now_ns)


def dark_by(
    track: Track, as_of_ns: int | None = None, span: slice = slice(None), lines: Rows = slice(None)
) -> NDArray[np.bool_]:
    """(N, T), or the `span` of some `lines`: slots without contact, as known at `as_of_ns`; None: now that everything has arrived."""
    until_ns = track.silent_until_ns[lines][:, span]
    if as_of_ns is None:
        return np.asarray(until_ns == NEVER)
    told = (track.arrived_ns[lines][:, span] <= as_of_ns) | (closed_ns(track)[span] <= as_of_ns)
    return np.asarray(told & (as_of_ns < until_ns))


def closed_ns(track: Track) -> NDArray[np.int64]:
    """(T,): until then what comes of a slot comes in time."""
    return closing_ns(track.first_slot, track.broke.shape[1], track.slot_ns)


def closing_ns(first_slot: int, slots: int, slot_ns: int) -> NDArray[np.int64]:
    """(T,) of a grid of slots that is no track yet."""
    return (first_slot + 1 + np.arange(slots, dtype=np.int64)) * slot_ns + CLOSED_AFTER_NS


def heard_ns(track: Track) -> NDArray[np.int64]:
    """(N,): when the first measured slot of each line was known; `NEVER` of a line that was not heard."""
    first_ns = np.full(len(track.broke), NEVER)
    for first in range(0, len(first_ns), LINES_AT_ONCE):
        some = slice(first, first + LINES_AT_ONCE)
        known_ns = np.maximum(track.arrived_ns[some], _ends_ns(track))
        measured = np.isfinite(track.broke[some])
        first_ns[some] = np.where(measured, known_ns, NEVER).min(axis=1, initial=NEVER)
    return first_ns


def look_rehearsed(
    track: Track, line: NDArray[np.int64], slot: NDArray[np.int64], now_ns: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(M, W) share of the profile that rehearsals held that ended in those slots, as known at `now_ns` (M,); NaN for none.

    What a rehearsal held comes by itself, in time, also where the slot's own figures come late or never do.
    """
    _, ended, came = _came(track, line, slot, now_ns)
    told = ended & (came | _closed(track, slot, now_ns))
    # Not laid flat: where nobody rehearsed it is one number, broadcast.
    share = track.rehearsed[line[:, None], np.clip(slot, 0, track.rehearsed.shape[1] - 1)]
    return np.where(told, share, np.float32(np.nan))


def _came(
    track: Track, line: NDArray[np.int64], slot: NDArray[np.int64], now_ns: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """(M, W) each: where the slots lie in the track laid flat; whether they are in it and had ended; whether their figures had come, if any do."""
    slots = track.broke.shape[1]
    last = np.minimum(newest_slot(track, now_ns), slots - 1)
    flat = line[:, None] * slots + np.clip(slot, 0, slots - 1)
    came = track.arrived_ns.ravel().take(flat) <= now_ns[:, None]
    return flat, (slot >= 0) & (slot <= last[:, None]), came


def _closed(track: Track, slot: NDArray[np.int64], now_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(M, W): what comes of the slot from now on comes late."""
    return np.asarray(slot <= newest_slot(track, now_ns - CLOSED_AFTER_NS)[:, None])


def _ends_ns(track: Track) -> NDArray[np.int64]:
    """(T,): the end of each slot."""
    return track.start_ns + (np.arange(track.broke.shape[1], dtype=np.int64) + 1) * track.slot_ns


@dataclass(frozen=True, slots=True)
class Past:
    """Sums over everything known of each line; `broke` and `count` (N, T+1) are prefix sums by `known_ns` (N, T)."""

    known_ns: NDArray[np.int64]
    broke: NDArray[np.float64]
    count: NDArray[np.int64]

    def until(
        self, line: NDArray[np.int64], now_ns: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Sum of the broken shares and number of the measured slots known of each line at each time; (M,) each."""
        at = _rows_below(self.known_ns, line, now_ns)
        return self.broke[line, at], self.count[line, at]


def past(track: Track) -> Past:
    """Prefix sums of a track, in the order in which its slots became known."""
    lines, slots = track.broke.shape
    known_ns = np.maximum(track.arrived_ns, _ends_ns(track))
    broke = track.broke.astype(np.float64)
    if (known_ns[:, 1:] < known_ns[:, :-1]).any():
        order = np.argsort(known_ns, axis=1, kind="stable")
        known_ns = np.take_along_axis(known_ns, order, axis=1)
        broke = np.take_along_axis(broke, order, axis=1)
    measured = np.isfinite(broke)
    sums = np.zeros((lines, slots + 1))
    counts = np.zeros((lines, slots + 1), dtype=np.int64)
    np.cumsum(np.where(measured, broke, 0.0), axis=1, out=sums[:, 1:])
    np.cumsum(measured, axis=1, out=counts[:, 1:])
    return Past(known_ns, sums, counts)


def past_until(track: Track, as_of_ns: int) -> Past:
    """The sums of a track as they stood at a time, for asks from about then on.

    One that is asked as of a moment before, as by a look that began while the past was read, gets the same sums and not none.
    """
    lines, ends = len(track.broke), _ends_ns(track)
    sums, counts = np.zeros((lines, 2)), np.zeros((lines, 2), dtype=np.int64)
    for first in range(0, lines, LINES_AT_ONCE):
        some = slice(first, first + LINES_AT_ONCE)
        known = (np.maximum(track.arrived_ns[some], ends) <= as_of_ns) & np.isfinite(track.broke[some])
        sums[some, 1] = np.where(known, track.broke[some], 0.0).sum(axis=1, dtype=np.float64)
        counts[some, 1] = known.sum(axis=1)
    return Past(np.zeros((lines, 1), dtype=np.int64), sums, counts)


def _rows_below(
    rows: NDArray[np.int64], row: NDArray[np.int64], value: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many of the sorted `rows[row]` are at most `value`: `searchsorted(side="right")` of many rows at once."""
    low = np.zeros(len(row), dtype=np.int64)
    high = np.full(len(row), rows.shape[1], dtype=np.int64)
    for _ in range(int(rows.shape[1]).bit_length()):
        middle = (low + high) // 2
        open_ = low < high
        below = open_ & (rows[row, np.minimum(middle, rows.shape[1] - 1)] <= value)
        low = np.where(below, middle + 1, low)
        high = np.where(open_ & ~below, middle, high)
    return low
