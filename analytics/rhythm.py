"""How often a line is measured: its own rhythm, read off what there is of it, since nobody writes it down.

Our probes measure every 15 s; another tool's past may have a sample every minute, or every five, and the one may follow the
other. An hour is known when half of it was measured: half of what the line's own rhythm gives. Its rhythm at an hour is the most
it gave in any hour of the week before, so that a line that thins out is not taken for one that is measured seldom.

What thins out by trouble does so unevenly: some five minutes stay full. So a rhythm is believed only where no five minutes hold
more than their share of the fullest hour, and one window more, for a sample may fall on either side of an edge (decision 192).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.hours import HOURS_PER_WEEK
from telemetry.windows import SLOTS_PER_HOUR, WINDOWS_PER_HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_SPARSE: Final = 11
"""More windows than these in five minutes is the rhythm of our own probes: every 30 s gives ten, and one at the edge."""
USUAL_STEPS: Final = 24
"""So many steps between measured slots tell how far apart they usually are."""
LONG_STEPS: Final = 2
"""So many of the longest of them are taken for trouble, not for rhythm."""


def windows_expected(measured: NDArray[np.uint16], fullest: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(S, P, T): windows that each hour has where nothing is missing, by the rhythm of the week up to it; at most 240.

    Args:
        measured: (S, P, T) windows measured, of consecutive hours.
        fullest: (S, P, T) the most windows of any five minutes of each hour.
    """
    most, peak = _of_the_week(measured), _of_the_week(fullest)
    even = peak <= -(-most.astype(np.int64) // SLOTS_PER_HOUR) + 1
    own = (peak > 0) & (peak <= MOST_SPARSE) & even
    return np.where(own, np.minimum(most, WINDOWS_PER_HOUR), WINDOWS_PER_HOUR).astype(np.uint16)


def _of_the_week(values: NDArray[np.uint16] | NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(…, T): the largest of each hour and the week before it, by doubling the span that is looked back over."""
    out, span = values.astype(np.uint16), 1
    while span < HOURS_PER_WEEK:
        step = min(span, HOURS_PER_WEEK - span)
        out[..., step:] = np.maximum(out[..., step:], out[..., :-step].copy())
        span += step
    return out


def slots_due(there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S, T): whether something of an office was to be there, by the steps between the slots in which there was, up to then.

    Of a source that measures every ten minutes every other slot is empty, and nobody was silent in it.
    """
    due = np.ones(there.shape, dtype=np.bool_)
    for office, row in enumerate(there):
        at = np.flatnonzero(row)
        before = np.flatnonzero(np.diff(at, append=len(row)) > 1)  # those that an empty slot follows
        if not len(before):
            continue
        steps = np.concatenate([np.zeros(USUAL_STEPS, dtype=np.int64), np.diff(at)])
        recent = np.lib.stride_tricks.sliding_window_view(steps, USUAL_STEPS)[before]
        usual = np.partition(recent, -1 - LONG_STEPS, axis=-1)[:, -1 - LONG_STEPS]
        usual[before <= LONG_STEPS] = len(row)  # of so few steps nobody knows the rhythm
        empty = np.flatnonzero(~row[at[0] :]) + at[0]
        last = np.searchsorted(at[before], empty, side="right") - 1
        due[office, empty] = empty - at[before][last] >= usual[last]
    return due
