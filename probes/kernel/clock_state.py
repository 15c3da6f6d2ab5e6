"""What the kernel's clock discipline says of itself, in the words of a report."""

from __future__ import annotations

from probes.kernel.clock_discipline import STA_NANO, STA_PLL, Discipline, read_discipline
from telemetry.messages import Clock, ClockState


def clock_of(discipline: Discipline | None) -> Clock:
    """The reading in the words of a report. A clock that nobody disciplines has no known error."""
    if discipline is None:
        return Clock(state=ClockState.UNKNOWN)
    if not discipline.synchronised:
        return Clock(state=ClockState.UNSYNCHRONISED)
    per_ms = 1e6 if discipline.status & STA_NANO else 1e3
    offset = discipline.offset / per_ms if discipline.status & STA_PLL else None
    return Clock(state=ClockState.SYNCHRONISED, offset_ms=offset, error_ms=discipline.maxerror_us / 1e3)


def read_clock() -> Clock:
    """State, offset and error of this machine's clock now."""
    return clock_of(read_discipline())
