"""Each line hour by hour: whether the hour failed, for the long memory of the forecast.

An hour is told at its end, by what of it had arrived by then: slots that were awaited and were not there count as dark, whether
they come later or never do. So what had not arrived changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.seen import closed_ns
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.forecast.track import Track

FAILED: Final = 0.075
"""An hour in which more than this share broke failed: between the 5 % of a meeting's rule and the 10 % of looser ones."""


@dataclass(frozen=True, slots=True)
class Hourly:
    """N lines by H clock hours (UTC), oldest first.

    Attributes:
        first_hour: number of the first hour since the epoch.
        failed: (N, H) the hour failed.
        had: (N, H) at least half of it was measured, or the office was dark (then it failed).
        ahead: (H,) whole hours by which the clock on the office's wall is ahead of UTC; None: by the same all the time.
    """

    first_hour: int
    failed: NDArray[np.bool_]
    had: NDArray[np.bool_]
    ahead: NDArray[np.int64] | None = None


def hourly(track: Track) -> Hourly:
    """The hours of a track; a slot belongs to the hour in which it begins."""
    return _told(track, ())[0]


def hourly_beyond(track: Track, strains: Sequence[float]) -> tuple[Hourly, tuple[NDArray[np.bool_], ...]]:
    """The hours of a track, and for each strain (N, H) whether the hour failed if a slot breaks beyond that strain."""
    return _told(track, strains)


def _told(track: Track, strains: Sequence[float]) -> tuple[Hourly, tuple[NDArray[np.bool_], ...]]:
    slots = track.broke.shape[1]
    starts = (track.first_slot + np.arange(slots, dtype=np.int64)) * track.slot_ns
    hour = starts // HOUR_NS
    first = np.flatnonzero(np.diff(hour, prepend=hour[0] - 1))
    ends = (hour[first] + 1) * HOUR_NS
    # An hour is what of it had arrived by its end: were late slots waited for, their coming would be told beforehand.
    hour_ends = np.repeat(ends, np.diff(first, append=slots))
    in_time = track.arrived_ns <= hour_ends
    known = in_time & np.isfinite(track.broke)
    silent = (in_time | (closed_ns(track) <= hour_ends)) & (hour_ends < track.silent_until_ns)

    def slots_of_hour(which: NDArray[np.bool_]) -> NDArray[np.int32]:
        return np.add.reduceat(which.view(np.uint8), first, axis=1, dtype=np.int32)

    def broken_share(which: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.add.reduceat(np.where(which, track.broke, 0.0), first, axis=1, dtype=np.float64)

    count, dark = slots_of_hour(known), slots_of_hour(silent & ~known)
    had = (count + dark) * 2 >= HOUR_NS / track.slot_ns
    enough = FAILED * (count + dark)

    # Where nothing came through there is no figure to compare: it fails under any limit, as it did under the line's own.
    unseen = known & np.isnan(track.strain) if strains else np.zeros(0, dtype=np.bool_)
    surely = dark + broken_share(unseen) if unseen.any() else dark
    beyond = tuple(had & (slots_of_hour(known & (track.strain > each)) + surely > enough) for each in strains)
    failed = had & (broken_share(known) + dark > enough)
    ahead = None if track.ahead is None else hours_ahead(track.ahead[first], track.slot_ns)
    return Hourly(int(hour[0]), failed, had, ahead), beyond


def hours_ahead(ahead: NDArray[np.int64], slot_ns: int) -> NDArray[np.int64]:
    """Whole hours out of slots by which a clock is ahead."""
    return ahead * slot_ns // HOUR_NS
