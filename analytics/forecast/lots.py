"""Lots by which a replay learns from fewer asks than there are: each ask has its own, whatever is asked beside it.

A lot by position would tell what comes later: a line that is first heard in the last week moves the place of every ask
before it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.forecast.track import Asks

MIXED_BY: Final = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
"""The steps of splitmix64: shift, then multiply; each bit of what goes in turns half of the bits that come out."""
LAST_SHIFT: Final = 31
FRACTION_BITS: Final = 53
"""Of a float64."""


def seeds_of(names: Iterable[str]) -> NDArray[np.uint64]:
    """(N,): a number for each line, by its name alone."""
    digests = (hashlib.sha256(name.encode()).digest() for name in names)
    return np.array([int.from_bytes(each[:8], "big") for each in digests], dtype=np.uint64)


def lots(seeds: NDArray[np.uint64], asks: Asks) -> NDArray[np.float64]:
    """(M,), 0 to below 1: of each ask by the seed of its line, of `seeds` (N,), when it is asked and when its span begins."""
    mixed = _mixed(seeds[asks.line] ^ asks.now_ns.astype(np.uint64))
    mixed = _mixed(mixed ^ asks.start_ns.astype(np.uint64))
    return (mixed >> np.uint64(64 - FRACTION_BITS)).astype(np.float64) * 0.5**FRACTION_BITS


def _mixed(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for shift, factor in MIXED_BY:
        number = (number ^ (number >> np.uint64(shift))) * np.uint64(factor)
    return number ^ (number >> np.uint64(LAST_SHIFT))
