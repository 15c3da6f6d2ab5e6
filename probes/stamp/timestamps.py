"""The time formats of STAMP: NTP64 (RFC 5905, RFC 8762 4.2.1), truncated PTP (RFC 8186), error estimate (RFC 4656 4.1.2)."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

SECOND_NS: Final = 1_000_000_000
NTP_EPOCH: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""
MASK32: Final = 0xFFFF_FFFF
ERA_SECONDS: Final = 1 << 32
TAI_UTC_SECONDS: Final = 37
"""TAI minus UTC since 2017; only shifts PTP stamps as a whole, which no delay variation or round trip sees."""

_SCALE_BITS: Final = 6
_MULTIPLIER_MAX: Final = 255
_SYNCHRONISED: Final = 0x8000
_PTP: Final = 0x4000


def ntp64(unix_ns: int) -> int:
    """Unix time (ns) as NTP64: 32 bits of seconds modulo the era, 32 bits of fraction (floor)."""
    seconds, rest = divmod(unix_ns, SECOND_NS)
    return ((seconds + NTP_EPOCH & MASK32) << 32) | (rest << 32) // SECOND_NS


def unix_ns(stamp: int, era: int | None = None) -> int:
    """NTP64 as Unix time (ns, floor).

    Without `era` the stamp is taken to lie between 1970 and 2106: the era is 0 for seconds since 1970, else 1.
    """
    seconds = stamp >> 32
    if era is None:
        era = 0 if seconds >= NTP_EPOCH else 1
    return (seconds + era * ERA_SECONDS - NTP_EPOCH) * SECOND_NS + ((stamp & MASK32) * SECOND_NS >> 32)


def ptp64(tai_ns: int) -> int:
    """TAI time (ns since 1970) as truncated PTP: 32 bits of seconds, 32 bits of nanoseconds."""
    seconds, rest = divmod(tai_ns, SECOND_NS)
    return (seconds & MASK32) << 32 | rest


def tai_ns(stamp: int) -> int:
    """Truncated PTP as TAI time, ns since 1970."""
    return (stamp >> 32) * SECOND_NS + (stamp & MASK32)


class ErrorEstimate(NamedTuple):
    """How far a sender of stamps trusts its clock (RFC 4656 4.1.2): at most `seconds` off."""

    synchronised: bool
    """S: set from an external source."""
    ptp: bool
    """Z: stamps are truncated PTP, not NTP64 (RFC 8186 2.3)."""
    scale: int
    multiplier: int
    """0 is forbidden: such a packet is to be dropped."""

    @property
    def seconds(self) -> float:
        """Multiplier * 2^-32 * 2^Scale."""
        return float(self.multiplier) * 2.0 ** (self.scale - 32)

    @classmethod
    def decode(cls, value: int) -> ErrorEstimate:
        """Read the 16-bit field."""
        return cls(bool(value & _SYNCHRONISED), bool(value & _PTP), value >> 8 & 0x3F, value & 0xFF)

    @classmethod
    def of(cls, seconds: float, *, synchronised: bool, ptp: bool = False) -> ErrorEstimate:
        """The closest estimate that does not understate `seconds`; the widest there is when it is beyond the field."""
        units = max(seconds, 0.0) * 2.0**32
        for scale in range(1 << _SCALE_BITS):
            multiplier = (
                max(math.ceil(units / 2.0**scale), 1) if math.isfinite(units) else _MULTIPLIER_MAX + 1
            )
            if multiplier <= _MULTIPLIER_MAX:
                return cls(synchronised, ptp, scale, multiplier)
        return cls(synchronised, ptp, (1 << _SCALE_BITS) - 1, _MULTIPLIER_MAX)

    def encode(self) -> int:
        """The 16-bit field."""
        flags = (_SYNCHRONISED if self.synchronised else 0) | (_PTP if self.ptp else 0)
        return flags | self.scale << 8 | self.multiplier
