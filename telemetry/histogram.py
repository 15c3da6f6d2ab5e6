"""Sparse histograms of durations on one fixed global grid, so that any two can be merged.

The grid is logarithmic with ratio 1.02 from 1 µs to 60 s. Bin 0 holds everything up to 1 µs; bin k
holds (1.02^(k-1) µs, 1.02^k µs]; the last bin holds everything above. A percentile is read as the
geometric middle of its bin, so it is at most 1 % from the sample that the nearest-rank rule
(RFC 2330 11.3: smallest x with F(x) >= p) would name.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from telemetry.arrays import np
from telemetry.histogram_grid import BINS, FLOOR_NS, RATIO, Sparse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

_LOG_RATIO: Final = math.log(RATIO)


def bin_of(durations_ns: ArrayLike) -> NDArray[np.int64]:
    """Bin index of each duration (ns); shape as given."""
    d = np.maximum(np.asarray(durations_ns, dtype=np.float64), FLOOR_NS)
    index = np.ceil(np.log(d / FLOOR_NS) / _LOG_RATIO - 1e-9).astype(np.int64)
    return np.clip(index, 0, BINS - 1)


def value_ns(index: ArrayLike) -> NDArray[np.float64]:
    """Representative duration (ns) of each bin: its geometric middle; the floor for bin 0."""
    k = np.asarray(index, dtype=np.float64)
    return np.where(k <= 0, float(FLOOR_NS), FLOOR_NS * np.exp(_LOG_RATIO * (k - 0.5)))


def sparse(durations_ns: ArrayLike) -> Sparse:
    """Histogram of the durations (ns) in wire form; empty for no durations."""
    bins, counts = np.unique(bin_of(np.ravel(np.asarray(durations_ns))), return_counts=True)
    flat = np.zeros(2 * len(bins), dtype=np.int64)
    flat[0::2], flat[1::2] = bins, counts
    return tuple(flat.tolist())


def dense(pairs: Sequence[int]) -> NDArray[np.int64]:
    """Counts per bin, shape (BINS,), of a histogram in wire form."""
    counts = np.zeros(BINS, dtype=np.int64)
    flat = np.asarray(pairs, dtype=np.int64)
    counts[flat[0::2]] = flat[1::2]
    return counts


def merge(histograms: Iterable[Sequence[int]]) -> Sparse:
    """Sum of histograms in wire form."""
    total = np.zeros(BINS, dtype=np.int64)
    for pairs in histograms:
        flat = np.asarray(pairs, dtype=np.int64)
        total[flat[0::2]] += flat[1::2]
    bins = np.flatnonzero(total)
    return tuple(np.stack((bins, total[bins]), axis=1).ravel().tolist())


def percentiles_ns(counts: NDArray[np.int64], p: Sequence[float]) -> NDArray[np.float64]:
    """Nearest-rank percentiles `p` (0..1] of dense counts, shape (..., BINS) -> (..., len(p)), in ns; NaN where empty."""
    cumulative = np.cumsum(counts, axis=-1)
    total = cumulative[..., -1:]
    out = np.empty((*counts.shape[:-1], len(p)), dtype=np.float64)
    for i, fraction in enumerate(p):
        rank = np.maximum(np.ceil(fraction * total - 1e-9), 1)
        out[..., i] = value_ns(np.argmax(cumulative >= rank, axis=-1))
    return np.where(total > 0, out, np.nan)
