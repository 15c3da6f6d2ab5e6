"""Time as something handed in, so that tests run weeks in milliseconds."""

from __future__ import annotations

import time
from typing import Final, Protocol

STEPPED_NS: Final = 5_000_000_000
"""Real time that parts from monotonic time by more than this was set; below, what the programs of a hub wait for does not mind."""


class WallClock(Protocol):
    """Integer nanoseconds since the Unix epoch, and a monotonic count of nanoseconds."""

    def now_ns(self) -> int:
        """Real time, ns since the Unix epoch."""
        ...

    def monotonic_ns(self) -> int:
        """Monotonic time, ns from an arbitrary start."""
        ...


class StepWatch:
    """Says by how much real time was set since it was asked last (a hub's clock; a measurement minds far smaller steps)."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._ahead_ns = clock.now_ns() - clock.monotonic_ns()

    def set_by_ns(self) -> int:
        """Nanoseconds forward, negative back; 0: it was not set."""
        before, self._ahead_ns = self._ahead_ns, self._clock.now_ns() - self._clock.monotonic_ns()
        by_ns = self._ahead_ns - before
        return by_ns if abs(by_ns) >= STEPPED_NS else 0


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
