"""The time of the running stage: real time as its orders were given, carried on by a clock that nobody sets.

A stage's offices all wait for its start by clocks of their own that do not jump. When the hub's real time is set meanwhile,
they must neither be given up before they could speak nor be waited for by the hour. The next stage is planned by real time
again: the offices will compare it with theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telemetry.clock import WallClock
    from telemetry.rehearsing import RehearsalRecord


class StageClock:
    """Of whoever conducts; who takes a stage over begins with real time as it finds it."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._stage: tuple[str, int] | None = None
        self._offset_ns = self._last_ns = 0
        """Real minus monotonic time: of the stage, and of the last look."""

    def both_ns(self, record: RehearsalRecord) -> tuple[int, int]:
        """Real time now, and the time of the record's running stage."""
        now_ns, mono_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        if _stage(record) != self._stage:
            self._stage, self._offset_ns = _stage(record), now_ns - mono_ns
        self._last_ns = now_ns - mono_ns
        return now_ns, mono_ns + self._offset_ns

    def moved(self, record: RehearsalRecord) -> None:
        """After a look: when it began a stage, that stage's time is the real time of the look."""
        if _stage(record) != self._stage:
            self._stage, self._offset_ns = _stage(record), self._last_ns


def _stage(record: RehearsalRecord) -> tuple[str, int]:
    return record.request.id, len(record.starts_ns)
