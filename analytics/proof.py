"""What a count of lost packets proves: exact binomial bounds as tables, so that judging is a look-up.

`lost` of `sent` proves a ratio above `limit` when the one-sided Clopper-Pearson lower bound at `LEVEL` lies
above it, which is the same as P(X >= lost | sent, limit) <= 1 - LEVEL. The least such count depends on
`sent`, `limit` and the level only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import bdtr, bdtrik

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL: Final = 0.95
LEAST_LOST: Final = 2
"""A single packet never proves anything, however few were sent."""
_SMALLEST_TABLE: Final = 4096


@lru_cache(maxsize=128)
def _tables(limit: float, level: float, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sent = np.arange(1, size)
    above = _quantile(level, sent, limit) + 1
    below = _quantile(1.0 - level, sent, limit)
    below -= bdtr(below, sent, limit) > 1.0 - level
    above, below = np.insert(above, 0, 1), np.insert(below, 0, -1)  # nothing sent proves nothing
    return np.maximum(above, LEAST_LOST), below


def _quantile(q: float, n: NDArray[np.int64], p: float) -> NDArray[np.int64]:
    """The least k with P(X <= k | n, p) >= q. From scipy.special: scipy.stats takes a second to import."""
    high = np.ceil(bdtrik(q, n, p))
    low = np.maximum(high - 1, 0)
    return np.where(bdtr(low, n, p) >= q, low, high).astype(np.int64)


def _table_size(sent: NDArray[np.int64]) -> int:
    most = int(sent.max(initial=0))
    return max(_SMALLEST_TABLE, 1 << (most + 1).bit_length())


def proves_above(
    lost: NDArray[np.int64], sent: NDArray[np.int64], limit: float, level: float = LEVEL
) -> NDArray[np.bool_]:
    """Whether `lost` of `sent` (same shape) proves a ratio above `limit` (0..1)."""
    above, _ = _tables(limit, level, _table_size(sent))
    return np.asarray(lost >= above[sent])


def proves_within(
    lost: NDArray[np.int64], sent: NDArray[np.int64], limit: float, level: float = LEVEL
) -> NDArray[np.bool_]:
    """Whether `lost` of `sent` (same shape) proves a ratio of at most `limit` (0..1)."""
    _, below = _tables(limit, level, _table_size(sent))
    return np.asarray(lost <= below[sent])


def least_proofs(sent: NDArray[np.int64], limit: float, level: float = LEVEL) -> NDArray[np.int64]:
    """The least numbers lost of `sent` (any shape) that prove a ratio above `limit`."""
    return np.asarray(_tables(limit, level, _table_size(sent))[0][sent])


def least_proof(sent: int, limit: float, level: float = LEVEL) -> int:
    """The least number lost of `sent` that proves a ratio above `limit`."""
    return int(least_proofs(np.array(sent), limit, level))
