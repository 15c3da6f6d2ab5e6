"""What the kernel's clock discipline says of itself (adjtimex(2), read only, no privilege needed)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Final

from probes.timestamps import ErrorEstimate
from telemetry.messages import Clock, ClockState

_STA_UNSYNC: Final = 0x0040
_STA_PLL: Final = 0x0001
_STA_NANO: Final = 0x2000
_TIME_ERROR: Final = 5
UNKNOWN_ERROR_S: Final = 16.0
"""What the kernel itself takes for the error of a clock that nobody disciplines (NTP_PHASE_MAX)."""


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),  # constant, precision, time, PPS figures: not read here
    )


@dataclass(frozen=True, slots=True)
class Discipline:
    """One reading of adjtimex: its return value and three of its fields, in the kernel's own units."""

    result: int
    status: int
    offset: int
    """Remaining phase correction: ns with STA_NANO, else µs."""
    maxerror_us: int


def read_discipline() -> Discipline | None:
    """Ask the kernel; None where there is no adjtimex, or it is forbidden."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    timex = _Timex()
    result = adjtimex(ctypes.byref(timex))
    if result < 0:
        return None
    return Discipline(result, timex.status, timex.offset, timex.maxerror)


def clock_of(discipline: Discipline | None) -> Clock:
    """The reading in the words of a report. A clock that nobody disciplines has no known error."""
    if discipline is None:
        return Clock(state=ClockState.UNKNOWN)
    if discipline.status & _STA_UNSYNC or discipline.result == _TIME_ERROR:
        return Clock(state=ClockState.UNSYNCHRONISED)
    per_ms = 1e6 if discipline.status & _STA_NANO else 1e3
    offset = discipline.offset / per_ms if discipline.status & _STA_PLL else None
    return Clock(state=ClockState.SYNCHRONISED, offset_ms=offset, error_ms=discipline.maxerror_us / 1e3)


def read_clock() -> Clock:
    """State, offset and error of this machine's clock now."""
    return clock_of(read_discipline())


def error_estimate(clock: Clock) -> int:
    """The clock's state as a STAMP Error Estimate field (RFC 4656 4.1.2)."""
    synchronised = clock.state is ClockState.SYNCHRONISED
    seconds = UNKNOWN_ERROR_S if clock.error_ms is None else clock.error_ms / 1e3
    return ErrorEstimate.of(seconds, synchronised=synchronised).encode()
