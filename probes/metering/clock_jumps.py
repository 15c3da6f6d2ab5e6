"""Steps of the far end's clock, seen as opposite jumps of the two one-way delays.

With the far clock stepped by +x, up delays (T2-T1) grow by x and down delays (T4-T3) shrink by x, while the round
trip stays. The network can move both as well, but a change of one delay is at most the round trip, and two opposite,
equal, lasting changes at the same packet are no accident when they stand out from the usual wander.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.arrays import np
from telemetry.windows import MS_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_NS: Final = 1 * MS_NS
"""Smaller steps are not looked for: they disturb a window's figures no more than its own noise."""
AROUND: Final = 8
"""Packets before and after a jump whose medians must show it too."""
_ENOUGH: Final = 3
_NOISE: Final = 6.0
_UNEQUAL: Final = 0.25


def clock_jumps(up_ns: NDArray[np.int64], down_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions i where the far clock was stepped between samples i-1 and i.

    Args:
        up_ns: T2-T1 in sending order, shape (n,), with whatever offset.
        down_ns: T4-T3 of the same packets.
    """
    if len(up_ns) < 2:
        return np.zeros(0, dtype=np.int64)
    up, down = np.diff(up_ns), np.diff(down_ns)
    size = np.minimum(np.abs(up), np.abs(down))
    suspect = (up < 0) == (down > 0)
    suspect &= (size >= LEAST_NS) & (np.abs(up + down) <= _UNEQUAL * size)
    rtt = up_ns + down_ns
    certain = np.maximum(np.abs(up), np.abs(down)) > np.maximum(rtt[1:], rtt[:-1]) + LEAST_NS
    if not (suspect | certain).any():
        return np.zeros(0, dtype=np.int64)
    noise = float(np.median(np.abs(up - down))) / 2
    at = np.flatnonzero(suspect & (size > _NOISE * noise) & ~certain).tolist()
    lasting = [i + 1 for i in at if _lasts(up_ns, down_ns, i + 1, int(size[i]))]
    return np.union1d(np.flatnonzero(certain) + 1, np.asarray(lasting, dtype=np.int64))


def _lasts(up_ns: NDArray[np.int64], down_ns: NDArray[np.int64], at: int, size: int) -> bool:
    """Whether the medians before and after differ as much, oppositely."""
    before, after = slice(max(at - AROUND, 0), at), slice(at, at + AROUND)
    if min(at - before.start, len(up_ns) - at) < _ENOUGH:
        return False
    up = float(np.median(up_ns[after]) - np.median(up_ns[before]))
    down = float(np.median(down_ns[after]) - np.median(down_ns[before]))
    least = min(abs(up), abs(down))
    return (up < 0) == (down > 0) and least >= size / 2 and abs(up + down) <= _UNEQUAL * least
