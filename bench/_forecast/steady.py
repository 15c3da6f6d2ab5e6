"""Lines that fail throughout: the shipped traces with a share of their samples lost, from the first day to the last.

No shipped trace fails nine hours in ten. A fit that has seen none goes on beyond what it knows along weights that hold each other
in balance, and a line that is always over its limit was told to hold one time in ten. What such a line teaches is one
sentence, so few of its asks are taken and they weigh little (decision 198).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.traces import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

LOST_SHARES: Final = (0.3, 0.5, 0.75, 1.0)
"""An hour fails with a tenth of its samples: of 15 samples three in ten are enough for 96 hours of 100, a half for all."""


def steady(trace: Trace, lot: np.random.Generator) -> Iterator[Trace]:
    """The trace with each of `LOST_SHARES` lost; which samples are is drawn evenly."""
    for share in LOST_SHARES:
        lost = lot.random(len(trace.rtt_ms)) < share
        yield Trace(trace.name, trace.time_ns, np.where(lost, np.nan, trace.rtt_ms), trace.changes)
