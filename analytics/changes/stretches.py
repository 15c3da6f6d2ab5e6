"""Medians of stretches of samples: the levels of segments, and how far their samples lie from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def segment_medians(
    values: NDArray[np.float64], first: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(C,) median of each `values[first:end]`, in the unit of `values` (T,) without NaN; NaN of an empty one.

    Stretches may overlap, and those that follow each other are often the same: each is worked out once.
    """
    known: dict[tuple[int, int], float] = {}
    spans = list(zip(first.tolist(), end.tolist(), strict=True))
    for a, z in spans:
        if (a, z) not in known:
            known[a, z] = float(np.median(values[a:z])) if z > a else np.nan
    return np.array([known[span] for span in spans])


def spreads(
    values: NDArray[np.float64],
    first: NDArray[np.int64],
    end: NDArray[np.int64],
    middle: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(C,) median distance of each `values[first:end]`, of at least one sample, from its `middle` (C,)."""
    spans = zip(first.tolist(), end.tolist(), middle.tolist(), strict=True)
    return np.array([float(np.median(np.abs(values[a:z] - m))) for a, z, m in spans])
