"""How many packets a source may have answered: a token bucket each, in bounded memory.

A source is an IPv4 address, or the /64 of an IPv6 address: who holds one of its addresses holds them all.
"""

from __future__ import annotations

from typing import Final

from probes.stamp.timestamps import SECOND_NS

MAX_SOURCES: Final = 65_536
SWEEP_NS: Final = SECOND_NS
_STRANGERS: Final = -1
"""The bucket that all share for whom there is no room."""


class SourceLimits:
    """A token bucket per source, kept as one number each: when the bucket will be full again (the GCRA of ATM).

    Args:
        rate_pps: packets a second for ever.
        burst: packets at once.
        limit: sources kept apart; while so many are active, all others share one bucket.

    Raises:
        ValueError: rate or burst leave nothing.
    """

    def __init__(self, rate_pps: float, burst: int, limit: int = MAX_SOURCES) -> None:
        if rate_pps <= 0.0 or burst < 1:
            raise ValueError(f"{rate_pps} packets a second and {burst} at once would answer nobody")
        self._interval_ns = max(round(SECOND_NS / rate_pps), 1)
        self._slack_ns = self._interval_ns * (burst - 1)
        self._limit = limit
        self._full_ns: dict[int, int] = {}
        self._swept_ns = 0

    def __len__(self) -> int:
        return len(self._full_ns)

    def admits(self, source: int, now_ns: int) -> bool:
        """Whether one more packet of the source may be answered now (monotonic, ns); it is counted if so."""
        full = self._full_ns.get(source)
        if full is None and len(self._full_ns) >= self._limit:
            source = self._room_for(source, now_ns)
            full = self._full_ns.get(source)
        full = now_ns if full is None or full < now_ns else full
        if full - now_ns > self._slack_ns:
            return False
        self._full_ns[source] = full + self._interval_ns
        return True

    def _room_for(self, source: int, now_ns: int) -> int:
        """The source itself when idle ones could be forgotten, else the strangers' bucket.

        The table is looked through once a second at most, or a flood of forged sources would cost a look each.
        """
        if now_ns - self._swept_ns >= SWEEP_NS:
            self._swept_ns = now_ns
            for idle in [key for key, full in self._full_ns.items() if full <= now_ns]:
                del self._full_ns[idle]
        return source if len(self._full_ns) < self._limit else _STRANGERS
