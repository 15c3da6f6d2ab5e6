"""Operations on ragged arrays of sparse histograms (`tables.Ragged`), all vectorised."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from telemetry.histogram_grid import BINS
from telemetry.store.tables import Ragged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemetry.histogram_grid import Sparse


def ragged(histograms: Sequence[Sparse]) -> Ragged:
    """Histograms in wire form as one ragged array, one row each."""
    lengths = np.fromiter((len(pairs) for pairs in histograms), dtype=np.int64, count=len(histograms))
    flat = np.fromiter(chain.from_iterable(histograms), dtype=np.int64, count=int(lengths.sum()))
    return Ragged(offsets_of(lengths // 2), flat[0::2].astype(np.int32), flat[1::2].copy())


def empty(rows: int) -> Ragged:
    """`rows` empty histograms."""
    return Ragged(np.zeros(rows + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))


def offsets_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Offsets (n + 1) of rows of the given lengths (n)."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def concatenate(parts: Sequence[Ragged]) -> Ragged:
    """The rows of all parts, in order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return empty(0)
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    bins = np.concatenate([part.bins for part in parts])
    return Ragged(offsets_of(lengths), bins, np.concatenate([part.counts for part in parts]))


def take(table: Ragged, rows: NDArray[np.int64]) -> Ragged:
    """The rows of the given indices, in that order."""
    lengths = np.diff(table.offsets)[rows]
    offsets = offsets_of(lengths)
    at = np.arange(offsets[-1]) + np.repeat(table.offsets[:-1][rows] - offsets[:-1], lengths)
    return Ragged(offsets, table.bins[at], table.counts[at])


def row(table: Ragged, index: int) -> Sparse:
    """One row in wire form."""
    span = slice(int(table.offsets[index]), int(table.offsets[index + 1]))
    return tuple(np.stack((table.bins[span], table.counts[span]), axis=1).ravel().tolist())


def merge_groups(table: Ragged, group: NDArray[np.int64], groups: int) -> Ragged:
    """Sum of the rows of each group.

    Args:
        table: n rows.
        group: (n,) group 0..groups-1 of each row.
        groups: how many groups there are.
    """
    lengths = np.diff(table.offsets)
    key = np.repeat(group, lengths) * BINS + table.bins
    unique, inverse = np.unique(key, return_inverse=True)
    counts = np.zeros(len(unique), dtype=np.int64)
    np.add.at(counts, inverse, table.counts)
    sizes = np.bincount(unique // BINS, minlength=groups).astype(np.int64)
    return Ragged(offsets_of(sizes), (unique % BINS).astype(np.int32), counts)


def dense_rows(table: Ragged) -> NDArray[np.int64]:
    """Counts per bin, shape (n, BINS)."""
    rows = len(table.offsets) - 1
    counts = np.zeros((rows, BINS), dtype=np.int64)
    counts[np.repeat(np.arange(rows), np.diff(table.offsets)), table.bins] = table.counts
    return counts
