"""What came of the echoes of each window: counts, and round trips as an item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from telemetry.arrays import np
from telemetry.histogram import sparse
from telemetry.messages import Ping, RoundTrip, StampSource
from telemetry.metrics.percentile import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT_WINDOWS: Final = 8
_NS_PER_MS: Final = 1e6


@dataclass(slots=True)
class Tally:
    """One target in one window."""

    sent: int = 0
    received: int = 0
    round_trips_ns: list[int] = field(default_factory=list)
    stamps: StampSource = StampSource.KERNEL
    """The worst source among the replies and their echoes."""


class EchoTallies:
    """The tallies of one office, of the last few windows."""

    def __init__(self) -> None:
        self._windows: dict[int, dict[str, Tally]] = {}

    def of(self, start_ns: int, target: str) -> Tally:
        """The tally of a target in a window; the oldest windows give way."""
        if start_ns not in self._windows and len(self._windows) >= KEPT_WINDOWS:
            del self._windows[next(iter(self._windows))]
        return self._windows.setdefault(start_ns, {}).setdefault(target, Tally())

    def take(self, start_ns: int) -> tuple[Ping, ...]:
        """The items of a window, which is then forgotten."""
        return tuple(_item(target, tally) for target, tally in self._windows.pop(start_ns, {}).items())


def _item(target: str, tally: Tally) -> Ping:
    return Ping(
        target=target,
        sent=tally.sent,
        received=tally.received,
        rtt=round_trip(tally.round_trips_ns),
        stamps=tally.stamps if tally.received else StampSource.NONE,
    )


def round_trip(samples_ns: Sequence[int]) -> RoundTrip | None:
    """Statistics of round trips (ns), percentiles by nearest rank (RFC 2330 11.3); None without samples."""
    if not samples_ns:
        return None
    ms = np.asarray(samples_ns, dtype=np.float64) / _NS_PER_MS
    p50, p95, p99 = nearest_rank(ms, (0.50, 0.95, 0.99)).tolist()
    return RoundTrip(
        min_ms=float(ms.min()),
        mean_ms=float(ms.mean()),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=float(ms.max()),
        hist=sparse(samples_ns),
    )
