"""What a jitter buffer discards: the share of packets that come later than it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LATER_THAN: Final = (1.0, 0.5, 0.01, 0.001)
"""Share of packets later than PDV 0, its median, its 99th and its 99.9th percentile."""
_LEAST_SPAN_MS: Final = 1e-9
"""Percentiles that are equal have nothing between them."""


def late_share(wait_ms: float, pdv_ms: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Share of packets (0..1) whose delay variation exceeds `wait_ms`.

    Between two known percentiles the share is taken to fall exponentially; beyond the last one it is 0, since less than
    a thousandth is not known.

    Args:
        wait_ms: how long the buffer waits, counted from the fastest packet.
        pdv_ms: PDV (RFC 5481) p50, p99 and p99.9, of one shape; NaN where unknown, which gives NaN.
    """
    p50, p99, p999 = (np.asarray(values, dtype=np.float64) for values in pdv_ms)
    p999 = np.where(np.isnan(p999), p99, p999)
    known = (np.zeros_like(p50), p50, p99, p999)
    with np.errstate(invalid="ignore"):
        inside = [known[i + 1] > wait_ms for i in range(3)]
        pieces = [
            _between(wait_ms, known[i], known[i + 1], _LATER_THAN[i], _LATER_THAN[i + 1]) for i in range(3)
        ]
    share = np.select(inside, pieces, 0.0)
    return np.where(np.isnan(p50) | np.isnan(p99), np.nan, share)


def _between(
    wait_ms: float, low: NDArray[np.float64], high: NDArray[np.float64], at_low: float, at_high: float
) -> NDArray[np.float64]:
    span = np.maximum(high - low, _LEAST_SPAN_MS)
    along = np.clip((wait_ms - low) / span, 0, 1)
    return np.asarray(at_low * (at_high / at_low) ** along)
