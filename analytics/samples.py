"""What counts as broken in a past that other tools measured: there a window may be one packet, and the packet is the sample.

Live, one lost packet of a window proves nothing, and the window stays undetermined: the next ones will tell. A past of single
packets, wider apart than the grid, has no next ones. A line that lost them all would never break. So there a window of which
nothing came back is a bad sample; what an hour of samples proves is another question (`analytics.climatology`, decision 192).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.broken import broken_windows
from analytics.judge import LEAST_OUTAGE_SENT, POOL_WINDOWS, causes_of
from analytics.losses import losses
from analytics.rhythm import MOST_SPARSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.losses import Values
    from config.profiles import Limits


def broken_in_past(
    values: Values, measured: NDArray[np.integer], limits: Sequence[Limits]
) -> NDArray[np.int64]:
    """How many windows (L, n) of n roll-ups count as broken: those that break, and the thin ones of which nothing came back.

    The latter only where no window of the roll-up has the packets to be an outage by itself: not at the edges of our own probes'
    times. They count where the roll-up is of samples, under any limits; and where only the round trip is limited, however close
    they lie, for no reply is beyond any limit of it, and no ratio of loss is there to say so.

    Args:
        values: window values, each (n, 20).
        measured: (n,) windows of each roll-up that were measured.
        limits: the L limit sets.
    """
    out = broken_windows(values, limits)
    sampled = measured <= MOST_SPARSE
    by_reply = [_no_reply_is_slow(each) for each in limits]
    rows = np.flatnonzero((sampled | any(by_reply)) & (measured > 0))
    thin = np.fmax.reduce(values["sent"][rows], axis=-1) < LEAST_OUTAGE_SENT
    rows = rows[thin]
    rows = rows[(values["lost"][rows] >= 1).any(axis=-1)]
    if not len(rows):
        return out
    picked = {name: column[rows] for name, column in values.items()}
    counts = losses(picked)
    pooled = counts.trailing(POOL_WINDOWS)
    nothing = (counts.sent > 0) & (counts.lost == counts.sent)
    for index, each in enumerate(limits):
        bad_sample = nothing & (sampled[rows] | by_reply[index])[:, None]
        breaks = causes_of(picked, counts, pooled, each) != 0
        out[index, rows] = np.count_nonzero(breaks | bad_sample, axis=-1)
    return out


def _no_reply_is_slow(limits: Limits) -> bool:
    """Whether these limits know of loss only by the round trip that is missing; above the floor, the floor sees to it."""
    return limits.rtt_ms is not None and limits.loss_ratio is None
