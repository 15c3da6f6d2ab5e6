"""How long to wait before trying again: exponential, capped, with full jitter."""

from __future__ import annotations

import random


class Backoff:
    """Waits drawn evenly from 0 to a ceiling that doubles with every failure, up to a cap.

    Full jitter spreads a fleet that was cut off at one moment; see Brooker, "Exponential Backoff And
    Jitter" (AWS Architecture Blog, 2015).
    """

    def __init__(self, first_s: float, cap_s: float, draw: random.Random | None = None) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._draw = draw or random.Random()  # noqa: S311 - spreads load, hides nothing
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        ceiling = min(self._cap_s, self._first_s * 2.0 ** min(self._failures, 60))
        self._failures += 1
        return self._draw.uniform(0.0, ceiling)

    def reset(self) -> None:
        """Start from the first wait again."""
        self._failures = 0
