"""RFC 3550 interarrival jitter of one direction, running on across windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.arrays import np
from telemetry.metrics.jitter import smoothed
from telemetry.windows import MS_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENCE_NS: Final = 15 * SECOND_NS
"""After so long without an arrival J begins again from 0."""


@dataclass(frozen=True, slots=True)
class WindowJitter:
    """J over the packets of one window, ms."""

    mean_ms: float
    max_ms: float


class JitterState:
    """J (RFC 3550 6.4.1) over packets in order of arrival."""

    def __init__(self) -> None:
        self._jitter_ns = 0.0
        self._last: tuple[int, int, int] | None = None
        """Transit, time of arrival and era of the latest packet."""

    def run(
        self, transit_ns: NDArray[np.int64], arrival_ns: NDArray[np.int64], era: NDArray[np.int64]
    ) -> WindowJitter | None:
        """Take in a window's packets, in order of arrival; None when there was no pair to compare.

        Args:
            transit_ns: arrival minus sending, with whatever clock offset.
            arrival_ns: times of arrival by one clock.
            era: changes with each step of a clock; no difference is formed across such a change.
        """
        if not len(transit_ns):
            return None
        if self._last is not None:
            transit, arrival, last_era = self._last
            transit_ns = np.concatenate(([transit], transit_ns))
            arrival_ns = np.concatenate(([arrival], arrival_ns))
            era = np.concatenate(([last_era], era))
        self._last = int(transit_ns[-1]), int(arrival_ns[-1]), int(era[-1])
        same = np.diff(era) == 0
        silent = same & (np.diff(arrival_ns) > SILENCE_NS)
        series = self._series(np.diff(transit_ns), same & ~silent, np.flatnonzero(silent))
        if not len(series):
            return None
        return WindowJitter(float(series.mean()) / MS_NS, float(series.max()) / MS_NS)

    def _series(
        self, difference: NDArray[np.int64], valid: NDArray[np.bool_], resets: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """J after each valid difference."""
        parts: list[NDArray[np.float64]] = []
        begin = 0
        for reset in [*resets.tolist(), len(difference)]:
            stretch = slice(begin, reset)
            part = smoothed(difference[stretch][valid[stretch]], self._jitter_ns)
            self._jitter_ns = float(part[-1]) if len(part) else self._jitter_ns
            parts.append(part)
            if reset < len(difference):
                self._jitter_ns = 0.0
            begin = reset + 1
        return np.concatenate(parts)
