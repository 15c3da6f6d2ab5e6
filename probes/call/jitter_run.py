"""RFC 3550 interarrival jitter of a flow that runs on from window to window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.metrics.jitter import smoothed

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENCE_NS: Final = 15 * 10**9
"""After such a pause J begins anew, as for the probe's own packets."""


@dataclass(frozen=True, slots=True)
class JitterFigures:
    """J over some packets."""

    sum_ms: float
    samples: int
    max_ms: float


class JitterRun:
    """J's state: the packet before, and J after it."""

    def __init__(self) -> None:
        self._before: tuple[int, int, int] | None = None
        """Arrival (ns), time stamp and its clock of the packet before."""
        self._jitter_ms = 0.0

    def forget(self) -> None:
        """The clock was set, or the sender began anew: begin from nothing."""
        self._before, self._jitter_ms = None, 0.0

    def advance(
        self, time_ns: NDArray[np.int64], stamp: NDArray[np.int64], rate_hz: int
    ) -> JitterFigures | None:
        """Take in packets of one clock in order of arrival, shape (n,); None when there is no difference yet."""
        if not len(time_ns):
            return None
        if self._before and (time_ns[0] - self._before[0] > SILENCE_NS or self._before[2] != rate_hz):
            self.forget()
        first_ns, first_stamp, _ = self._before or (int(time_ns[0]), int(stamp[0]), 0)
        begun = self._before is not None
        elapsed_ms = (time_ns - first_ns) / 1e6
        transit = elapsed_ms - (stamp - first_stamp) * (1e3 / rate_hz)
        j = smoothed(np.diff(transit, prepend=0.0), self._jitter_ms)
        self._jitter_ms, self._before = float(j[-1]), (int(time_ns[-1]), int(stamp[-1]), rate_hz)
        if not begun:
            j = j[1:]
        return JitterFigures(float(j.sum()), len(j), float(j.max())) if len(j) else None
