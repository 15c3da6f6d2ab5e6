"""Which traces are held back together: dealt one by one, or with those that saw the same events.

Some of the labelled traces are of one time and share a stretch of path: the same moves are labelled in both, and a fold that
learns from the one knows the other already. Traces are kin when at least `SHARED` labels of each fall within `TOGETHER_S` of
one of the other's (of each: in one rough hour of the other many may fall); kin of kin are kin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.sparse.csgraph import connected_components

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemetry.traces import Trace

FOLDS: Final = 8
SHARED: Final = 4
TOGETHER_S: Final = 600


def by_trace(traces: int, seed: int = 0) -> list[list[int]]:
    """So many traces shuffled and dealt one by one; each fold holds the places of those held back."""
    order = np.random.default_rng(seed).permutation(traces)
    return [order[fold::FOLDS].tolist() for fold in range(FOLDS)]


def by_kin(kin: NDArray[np.int64], seed: int = 0) -> list[list[int]]:
    """Kin (N,) as `kin_of` numbers them, dealt whole: the largest first, each into the fold that is emptiest so far."""
    families = [np.flatnonzero(kin == family).tolist() for family in range(int(kin.max(initial=-1)) + 1)]
    shuffled = [families[i] for i in np.random.default_rng(seed).permutation(len(families))]
    folds: list[list[int]] = [[] for _ in range(FOLDS)]
    for family in sorted(shuffled, key=len, reverse=True):
        min(folds, key=len).extend(family)
    return folds


def kin_of(traces: Sequence[Trace]) -> NDArray[np.int64]:
    """(N,) the number of each trace's family, from 0."""
    moments = [trace.time_ns[trace.changes] for trace in traces]
    shared = np.array([[_together(one, other) >= SHARED for other in moments] for one in moments])
    return np.asarray(connected_components(shared & shared.T, directed=False)[1], dtype=np.int64)


def _together(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    apart = np.abs(one[:, None] - other[None, :])
    return int((apart <= TOGETHER_S * SECOND_NS).any(axis=-1).sum())
