"""Time as something handed in, so that tests run weeks in milliseconds."""

from __future__ import annotations

import time
from typing import Protocol


class WallClock(Protocol):
    """Integer nanoseconds since the Unix epoch, and a monotonic count of nanoseconds."""

    def now_ns(self) -> int:
        """Real time, ns since the Unix epoch."""
        ...

    def monotonic_ns(self) -> int:
        """Monotonic time, ns from an arbitrary start."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_ns(self) -> int:
        """Real time, ns since the Unix epoch."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Monotonic time, ns from an arbitrary start."""
        return time.monotonic_ns()


class ManualClock:
    """A clock that moves only when told (shipped for tests and replays)."""

    def __init__(self, now_ns: int = 0, monotonic_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._monotonic_ns = monotonic_ns

    def now_ns(self) -> int:
        """Real time, ns since the Unix epoch."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Monotonic time, ns from an arbitrary start."""
        return self._monotonic_ns

    def advance(self, ns: int) -> None:
        """Let time pass on both clocks."""
        self._now_ns += ns
        self._monotonic_ns += ns

    def step(self, ns: int) -> None:
        """Step real time only, as a wrong clock being corrected does."""
        self._now_ns += ns
