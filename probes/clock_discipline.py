"""Asking the kernel how well its clock is disciplined (adjtimex(2), read only, no privilege needed)."""

from __future__ import annotations

import ctypes
from typing import Final, NamedTuple

from probes.timestamps import ErrorEstimate

STA_PLL: Final = 0x0001
STA_UNSYNC: Final = 0x0040
STA_NANO: Final = 0x2000
TIME_ERROR: Final = 5
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
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError, TypeError):  # TypeError: Windows has no library without a name
        return None
    timex = _Timex()
    result = adjtimex(ctypes.byref(timex))
    if result < 0:
        return None
    return Discipline(result, timex.status, timex.offset, timex.maxerror)


def error_estimate(found: Discipline | None) -> int:
    """A reading as a STAMP Error Estimate field (RFC 4656 4.1.2); None, or a clock that nobody disciplines: 16 s."""
    synchronised = found is not None and found.synchronised
    seconds = found.maxerror_us / 1e6 if found is not None and synchronised else UNKNOWN_ERROR_S
    return ErrorEstimate.of(seconds, synchronised=synchronised).encode()
