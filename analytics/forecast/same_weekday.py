"""The asked span itself on the same weekday of the weeks before: whether a meeting then would have held, by its own rule.

An hour of the week has a record too (`analytics.climatology`), and a meeting touches hours of which it takes a part, or several: what fails
at five past ten every Monday fails no meeting that begins at half past.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.forecast.features import DAYS_PER_WEEK
from analytics.forecast.held import has_failed
from analytics.forecast.same_time import slots_ago
from analytics.forecast.seen import asked_slots, asks_at_once, look, span_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Track

WEEKS: Final = 4
"""So many weeks of slots are at hand of a fleet in pieces, too."""


class SpanRecord(NamedTuple):
    """Of M asks, (M,) each: of how many of the last `WEEKS` weeks the span is known, and in how many it failed."""

    known: NDArray[np.int64]
    failed: NDArray[np.int64]


def span_record(track: Track, asks: Asks) -> SpanRecord:
    """What had arrived of the same spans by each ask; those that were not over by then, or of which half was not told, count for nothing.

    What was measured counts, and what was dark without works that explain it, as in an outcome.
    """
    known, failed = np.zeros((2, len(asks.line)), dtype=np.int64)
    first, width = asked_slots(track, asks)
    most = int(width.max(initial=1))
    for rows in asks_at_once(len(first), most * WEEKS):
        known[rows], failed[rows] = _weeks(track, asks.rows(rows), first[rows], width[rows])
    return SpanRecord(known, failed)


def _weeks(
    track: Track, asks: Asks, first: NDArray[np.int64], width: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    weeks, step = 1 + np.arange(WEEKS), np.arange(int(width.max(initial=1)))
    begins = slots_ago(track, first[:, None], DAYS_PER_WEEK * weeks)
    slot = begins[..., None] + step
    shape = slot.shape
    slot = slot.reshape(len(first), -1)
    slots = look(track, asks.line, slot, asks.now_ns)
    there = np.clip(slot, 0, track.planned.shape[1] - 1)
    dark = slots.dark & ~track.planned[asks.line[:, None], there]
    asked = step < width[:, None, None]
    told = ((slots.known | dark).reshape(shape) & asked).sum(axis=-1)
    broke = span_sums(np.where(dark, np.float32(1.0), slots.broke).reshape(shape) * asked)
    over_ns = track.start_ns + (begins + width[:, None]) * track.slot_ns
    known = (told * 2 >= width[:, None]) & (over_ns <= asks.now_ns[:, None])
    failed = known & has_failed(broke, told)
    return known.sum(axis=-1), failed.sum(axis=-1)
