"""Frames: the stretches of sending that become windows.

A frame is a maximal run of packets whose real time of sending lies in one 15 s window. While the clock behaves,
frames and windows are the same; when it is stepped, a frame is cut, or a window comes twice, and each packet still
belongs to exactly one frame. Frames are ended and awaited by monotonic time, so no step can stretch the waiting.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from probes.kernel.clock_discipline import error_estimate, read_discipline
from probes.measuring.measuring_messages import Ended, Opened
from telemetry.windows import WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from probes.measuring.clock_watch import ClockWatch
    from probes.measuring.measuring_messages import Event


class FrameClock:
    """Knows the current frame; opens the next as soon as real time has left it."""

    def __init__(
        self, watch: ClockWatch, tell: Callable[[Event], None], not_authentic: Callable[[], int] = lambda: 0
    ) -> None:
        self._watch = watch
        self._tell = tell
        self._not_authentic = not_authentic
        self._refused = 0
        self.number = 0
        self.start_ns = 0
        self.end_ns = 0
        """Bounds of the current window in real time, for a quick look at each packet."""
        self.error_estimate = 1
        self._mono_ns = 0
        self._cpu_ns = 0
        self._generation = 0

    def covers(self, real_ns: int) -> bool:
        """Whether a packet sent then belongs to the current frame."""
        return self.start_ns <= real_ns < self.end_ns

    def open(self, real_ns: int) -> None:
        """End the current frame and open that of `real_ns`."""
        mono_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        if self.number:
            span = max(mono_ns - self._mono_ns, 1)
            steps = self._watch.generation - self._generation
            ratio = min((cpu_ns - self._cpu_ns) / span, 1.0)
            refused = self._not_authentic()
            self._tell(Ended(self.number, ratio, steps, not_authentic=refused - self._refused))
            self._refused = refused
        self._mono_ns, self._cpu_ns, self._generation = mono_ns, cpu_ns, self._watch.generation
        self.number += 1
        self.start_ns = window_start(real_ns)
        self.end_ns = self.start_ns + WINDOW_NS
        discipline = read_discipline()
        self.error_estimate = error_estimate(discipline)
        begun = max(self.start_ns - self._watch.offset_ns, 0)
        self._tell(Opened(self.number, self.start_ns, begun, mono_ns, discipline))
