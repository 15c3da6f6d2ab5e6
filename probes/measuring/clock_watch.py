"""Noticing steps of this machine's own clock: real time minus monotonic time changes only then.

The kernel slews both clocks alike, so their difference is constant between steps; what remains is the time that
passes between reading the one and the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from telemetry.clock import WallClock

SUSPICION_NS: Final = 1_000_000
"""A quick comparison off by more than this is looked into."""
STEP_NS: Final = 100_000
"""A careful comparison off by more than this is a step."""
_READINGS: Final = 5


class ClockWatch:
    """Keeps real minus monotonic time and counts its jumps."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self.offset_ns, _ = self._measure()
        self.generation = 0
        """Steps so far."""

    def _measure(self) -> tuple[int, int]:
        """Real minus monotonic time, and by how much it may be off: the closest of a few readings."""
        best = (0, 1 << 62)
        for _ in range(_READINGS):
            before = self._clock.monotonic_ns()
            real = self._clock.now_ns()
            after = self._clock.monotonic_ns()
            best = min(best, (real - (before + after) // 2, (after - before) // 2), key=lambda pair: pair[1])
        return best

    def suspects(self, real_ns: int, mono_ns: int) -> bool:
        """Whether two readings taken one after the other do not fit; cheap, and may be a false alarm."""
        return not -SUSPICION_NS < real_ns - mono_ns - self.offset_ns < SUSPICION_NS

    def stepped(self) -> bool:
        """Compare carefully; True, and a new generation, when the clock was stepped since."""
        offset, doubt = self._measure()
        if abs(offset - self.offset_ns) <= STEP_NS + doubt:
            return False
        self.offset_ns = offset
        self.generation += 1
        return True
