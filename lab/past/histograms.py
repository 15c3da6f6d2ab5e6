"""Histograms of the past: a law's shape at a line's scale, on a few representative delays.

A measured histogram has the packets that came; a drawn one has as many counts, on twelve points, which are closer
together in the tail: its p50, p95, p99 and p99.9 are the law's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.histogram import bin_of
from telemetry.store.tables import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EDGES: Final = np.array([0.0, 0.15, 0.3, 0.45, 0.55, 0.7, 0.85, 0.94, 0.96, 0.985, 0.995, 0.998, 1.0])
"""Each point stands for the packets between two of these shares of all, and lies in the middle between them."""
_P: Final = (_EDGES[1:] + _EDGES[:-1]) / 2
EXPONENTIAL: Final = -np.log1p(-_P)
"""Delays above the least (PDV), and differences of two delays (|IPDV|), of a line with exponential jitter."""


def _gamma2_quantiles() -> NDArray[np.float64]:
    """Quantiles of the sum of two exponential delays: F(x) = 1 - (1 + x) exp(-x), inverted by Newton's method."""
    x = EXPONENTIAL + 1.0
    for _ in range(50):
        x = np.maximum(x - (1.0 - (1.0 + x) * np.exp(-x) - _P) / (x * np.exp(-x)), 1e-6)
    return np.asarray(x)


GAMMA2: Final = _gamma2_quantiles()


def drawn(
    base_ms: NDArray[np.float64] | float,
    scale_ms: NDArray[np.float64],
    totals: NDArray[np.int64],
    shape: NDArray[np.float64],
) -> Ragged:
    """One histogram a row.

    Args:
        base_ms: least delay of each row, (n,) or one for all.
        scale_ms: jitter of each row, (n,).
        totals: how many counts each row has, (n,); rows of 0 are empty.
        shape: the law's representative delays at scale 1, (12,), rising.
    """
    ms = np.asarray(base_ms, dtype=np.float64).reshape(-1, 1) + np.outer(scale_ms, shape)
    bins = bin_of(np.maximum(ms, 0.0) * 1e6)
    edges = np.rint(totals[:, None] * _EDGES).astype(np.int64)
    return _ragged(bins, np.diff(edges, axis=1))


def _ragged(bins: NDArray[np.int64], counts: NDArray[np.int64]) -> Ragged:
    """Rows of rising bins with counts, without the empty ones and with equal bins as one."""
    rows, points = bins.shape
    there = counts.ravel() > 0
    row = np.repeat(np.arange(rows), points)[there]
    flat_bins, flat_counts = bins.ravel()[there], counts.ravel()[there]
    first = np.ones(len(row), dtype=bool)
    first[1:] = (row[1:] != row[:-1]) | (flat_bins[1:] != flat_bins[:-1])
    starts = np.flatnonzero(first)
    offsets = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(row[starts], minlength=rows), out=offsets[1:])
    summed = np.add.reduceat(flat_counts, starts) if len(starts) else flat_counts
    return Ragged(offsets, flat_bins[starts].astype(np.int32), summed.astype(np.int64))
