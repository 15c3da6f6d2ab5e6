"""Traces with gaps cut into them: what silence tells is learned from silences that have nothing to do with the line.

Among the shipped traces one gap is longer than half an hour. What came after it came by chance, and a fit that has seen no other
gap takes it for a law. Samples that are missing say that nobody measured; lost samples and dark offices say it otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.traces import Trace
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Track

GAPS: Final = 6
HOURS: Final = (0.5, 48.0)
"""The shortest and the longest gap; their logarithms are drawn evenly between."""
MISSED_NS: Final = HOUR_NS // 2
"""An ask is after a gap if its last day misses so much."""


def with_gaps(trace: Trace, lot: np.random.Generator) -> Trace:
    """The trace without the samples of `GAPS` spans; where they lie is drawn evenly, and some may overlap."""
    first_ns, last_ns = int(trace.time_ns[0]), int(trace.time_ns[-1])
    starts = lot.uniform(first_ns, last_ns, GAPS)
    ends = starts + np.exp(lot.uniform(np.log(HOURS[0]), np.log(HOURS[1]), GAPS)) * HOUR_NS
    within = (trace.time_ns >= starts[:, None]) & (trace.time_ns < ends[:, None])
    keep = ~within.any(axis=0)
    keep[0] = True
    return Trace(trace.name, trace.time_ns[keep], trace.rtt_ms[keep], trace.changes[keep])


def after_gap(track: Track, asks: Asks) -> NDArray[np.bool_]:
    """(M,) whether the last day before each ask misses `MISSED_NS` or more of the line's slots."""
    missing = np.zeros((track.broke.shape[0], track.broke.shape[1] + 1), dtype=np.int64)
    np.cumsum(np.isnan(track.broke), axis=1, out=missing[:, 1:])
    end = np.clip((asks.now_ns - track.start_ns) // track.slot_ns, 0, track.broke.shape[1])
    begin = np.maximum(end - DAY_NS // track.slot_ns, 0)
    return np.asarray((missing[asks.line, end] - missing[asks.line, begin]) * track.slot_ns >= MISSED_NS)
