"""Delay variation: IPDV (RFC 3393) and PDV (RFC 5481)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def ipdv(delay: ArrayLike) -> NDArray[np.float64]:
    """IPDV(i) = D(i) - D(i-1) over packets consecutive in SENDING order (RFC 3393; RFC 5481 4.1).

    Args:
        delay: one-way delays in sending order, shape (n,), NaN where the packet is lost.

    Returns:
        Shape (n,); NaN for the first packet and where either of the two is lost.
    """
    d = np.asarray(delay, dtype=np.float64)
    return np.diff(d, prepend=np.nan)


def pdv(delay: ArrayLike) -> NDArray[np.float64]:
    """PDV(i) = D(i) - D_min, D_min the least delay of the interval (RFC 5481 4.2); NaN where lost."""
    d = np.asarray(delay, dtype=np.float64)
    if d.size == 0 or bool(np.isnan(d).all()):
        return d.copy()
    result: NDArray[np.float64] = d - np.nanmin(d)
    return result
