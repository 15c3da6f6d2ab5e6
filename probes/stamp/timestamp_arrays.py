"""The time formats of `timestamps`, whole arrays at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.stamp.timestamps import ERA_SECONDS, MASK32, NTP_EPOCH, SECOND_NS, TAI_UTC_SECONDS
from telemetry.arrays import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ntp64_array(times_ns: NDArray[np.int64]) -> NDArray[np.uint64]:
    """`ntp64` of each time."""
    seconds, rest = np.divmod(times_ns, SECOND_NS)
    fraction = (rest.astype(np.uint64) << np.uint64(32)) // np.uint64(SECOND_NS)
    era_seconds = (seconds + NTP_EPOCH).astype(np.uint64) & np.uint64(MASK32)
    return (era_seconds << np.uint64(32)) | fraction


def unix_ns_array(stamps: NDArray[np.uint64]) -> NDArray[np.int64]:
    """`unix_ns` of each stamp, era by the same rule."""
    seconds = (stamps >> np.uint64(32)).astype(np.int64)
    seconds = np.where(seconds >= NTP_EPOCH, seconds, seconds + ERA_SECONDS) - NTP_EPOCH
    fraction = ((stamps & np.uint64(MASK32)) * np.uint64(SECOND_NS)) >> np.uint64(32)
    return seconds * SECOND_NS + fraction.astype(np.int64)


def ptp64_array(times_ns: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Unix times (ns) as truncated PTP (TAI)."""
    seconds, rest = np.divmod(times_ns, SECOND_NS)
    whole = (seconds + TAI_UTC_SECONDS).astype(np.uint64) & np.uint64(MASK32)
    return (whole << np.uint64(32)) | rest.astype(np.uint64)


def unix_ns_of_ptp_array(stamps: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Truncated PTP stamps as Unix time (ns)."""
    seconds = (stamps >> np.uint64(32)).astype(np.int64) - TAI_UTC_SECONDS
    return seconds * SECOND_NS + (stamps & np.uint64(MASK32)).astype(np.int64)
