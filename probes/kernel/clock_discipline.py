"""Asking the kernel how well its clock is disciplined (adjtimex(2), read only, no privilege needed)."""

from __future__ import annotations

import ctypes
from typing import Final, NamedTuple

from probes.stamp.timestamps import ErrorEstimate

STA_PLL: Final = 0x0001
STA_UNSYNC: Final = 0x0040
STA_NANO: Final = 0x2000
TIME_ERROR: Final = 5
STEADY_TICK_US: Final = 10_000
"""The kernel's tick when nobody slews the clock by it (chronyd does, at corrections of over 500 ppm)."""
MOST_PPM: Final = 200.0
"""No quartz that works is further off; what is set beyond is a correction under way."""
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
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_byte * 208),  # PPS figures: not read here
    )


class Discipline(NamedTuple):
    """One reading of adjtimex: its return value and three of its fields, in the kernel's own units."""

    result: int
    status: int
    offset: int
    """Remaining phase correction: ns with STA_NANO, else µs."""
    maxerror_us: int

    @property
    def synchronised(self) -> bool:
        """Whether somebody disciplines the clock."""
        return not (self.status & STA_UNSYNC or self.result == TIME_ERROR)


def read_discipline() -> Discipline | None:
    """Ask the kernel; None where there is no adjtimex, or it is forbidden."""
    timex = _Timex()
    result = _asked(timex)
    return None if result < 0 else Discipline(result, timex.status, timex.offset, timex.maxerror)


def learned_ppm() -> float:
    """By how much this machine's oscillator is slow (ppm), as its discipline has learned it; 0.0 where that is not known.

    It is the rate at which CLOCK_MONOTONIC runs ahead of CLOCK_MONOTONIC_RAW while no correction is under way.
    """
    timex = _Timex()
    result = _asked(timex)
    known = result >= 0 and result != TIME_ERROR and not timex.status & STA_UNSYNC
    ppm = float(timex.freq) / (1 << 16)
    return ppm if known and timex.tick == STEADY_TICK_US and abs(ppm) <= MOST_PPM else 0.0


def _asked(timex: _Timex) -> int:
    """Have the kernel fill it in; negative where there is no adjtimex, or it is forbidden."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError, TypeError):  # TypeError: Windows has no library without a name
        return -1
    return int(adjtimex(ctypes.byref(timex)))


def error_estimate(found: Discipline | None) -> int:
    """A reading as a STAMP Error Estimate field (RFC 4656 4.1.2); None, or a clock that nobody disciplines: 16 s."""
    synchronised = found is not None and found.synchronised
    seconds = found.maxerror_us / 1e6 if found is not None and synchronised else UNKNOWN_ERROR_S
    return ErrorEstimate.of(seconds, synchronised=synchronised).encode()
