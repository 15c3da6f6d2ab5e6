"""Is a call on the line at this moment? What must not disturb one (a rehearsal) asks here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telemetry.clock import WallClock


class LiveCall:
    """The flag between whoever sees calls and whoever must yield to them, by the monotonic clock.

    Safe across threads: one attribute, written by the seer and read by all others. Without a seer it is never
    raised, and `watching` says so.
    """

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._seen_mono_ns: int | None = None
        self.watching = False
        """Somebody looks: without, `seen_within` says only that nobody has looked."""

    def note(self) -> None:
        """A packet of a call was seen just now."""
        self._seen_mono_ns = self._clock.monotonic_ns()

    def seen_within(self, ns: int) -> bool:
        """Whether a call was seen in the last so many nanoseconds."""
        seen = self._seen_mono_ns
        return seen is not None and self._clock.monotonic_ns() - seen <= ns
