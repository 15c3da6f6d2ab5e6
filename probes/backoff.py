"""How long to wait before the next attempt: capped exponential with full jitter.

The wait is uniform in (0, min(cap, base * 2^failures)], so that a thousand offices that lost the same broker do
not come back in step.
"""

from __future__ import annotations

import random
from typing import Protocol


class Uniform(Protocol):
    """The one draw that is needed of `random.Random`."""

    def uniform(self, a: float, b: float, /) -> float:
        """A number between a and b."""
        ...


class Backoff:
    """Counts failures and draws the wait after each."""

    def __init__(self, *, base_s: float = 1.0, cap_s: float = 30.0, rng: Uniform | None = None) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._rng: Uniform = random.SystemRandom() if rng is None else rng
        self.failures = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        ceiling = min(self._cap_s, self._base_s * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return self._rng.uniform(0.0, ceiling)

    def reset(self) -> None:
        """It works again."""
        self.failures = 0
