"""Which questions to ask of a history: its meetings, and, where they are few, every hour of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.track import Asks
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEADS_NS: Final = (24 * HOUR_NS, 2 * HOUR_NS, 1800 * SECOND_NS, 600 * SECOND_NS)
"""T-24 h, T-2 h, T-30 min, T-10 min."""


def asks_of(
    line: NDArray[np.int64],
    start_ns: NDArray[np.int64],
    end_ns: NDArray[np.int64],
    leads_ns: Sequence[int] = LEADS_NS,
) -> Asks:
    """One ask for each (span, lead), spans (B,) in order, the leads of a span beside each other: (B * leads,)."""
    many = len(leads_ns)
    start = np.repeat(np.asarray(start_ns, dtype=np.int64), many)
    return Asks(
        line=np.repeat(np.asarray(line, dtype=np.int64), many),
        now_ns=start - np.tile(np.asarray(leads_ns, dtype=np.int64), len(line)),
        start_ns=start,
        end_ns=np.repeat(np.asarray(end_ns, dtype=np.int64), many),
    )


def every_hour(
    lines: NDArray[np.int64], from_ns: int, until_ns: int, leads_ns: Sequence[int] = LEADS_NS
) -> Asks:
    """Every whole hour of a span as if it were a meeting of these lines: stated pseudo-meetings."""
    first, last = -(-from_ns // HOUR_NS), until_ns // HOUR_NS
    starts = np.arange(first, max(last, first), dtype=np.int64) * HOUR_NS
    line = np.tile(lines, len(starts))
    start = np.repeat(starts, len(lines))
    return asks_of(line, start, start + HOUR_NS, leads_ns)
