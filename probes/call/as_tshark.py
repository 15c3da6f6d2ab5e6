"""Jitter as `tshark -q -z rtp,streams` sums it up, so that the two can be laid side by side (read in its source, 4.0).

It runs the formula of RFC 3550, but measures each packet from the last one whose time stamp did not go back, and its
mean leaves out packets with the marker and such that went back, while still counting them in the divisor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.metrics.jitter import smoothed

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AsTshark:
    """The running sums of one flow."""

    def __init__(self) -> None:
        self._packets = 0
        self._before: tuple[int, int] | None = None
        """Arrival and time stamp of the last packet whose time stamp did not go back."""
        self._jitter_ms = 0.0
        self._mean_ms = 0.0
        self.max_ms: float | None = None

    @property
    def mean_ms(self) -> float | None:
        """Its `Mean Jitter`; None before there is any."""
        return None if self.max_ms is None else self._mean_ms

    def add(
        self, time_ns: NDArray[np.int64], stamp: NDArray[np.int64], marker: NDArray[np.bool_], rate_hz: int
    ) -> None:
        """Take in the next packets in order of arrival, shape (n,)."""
        if not len(time_ns):
            return
        begun = self._before is not None
        first_ns, first_stamp = self._before or (int(time_ns[0]), int(stamp[0]))
        at_ms = np.append(0.0, (time_ns - first_ns) / 1e6)
        nominal_ms = np.append(0.0, (stamp - first_stamp) * (1e3 / rate_hz))
        highest = np.maximum.accumulate(nominal_ms)
        on = nominal_ms >= highest
        last_on = np.maximum.accumulate(np.where(on, np.arange(len(on)), 0))[:-1]
        d = (at_ms[1:] - at_ms[last_on]) - (nominal_ms[1:] - nominal_ms[last_on])
        j = smoothed(d, self._jitter_ms)
        ordinal = self._packets + np.arange(len(j))
        plain = ~marker & on[1:]
        if not begun:
            plain[0] = False
        self._average(j[plain], ordinal[plain])
        self._packets += len(j)
        self._jitter_ms = float(j[-1])
        end = int(last_on[-1]) if not on[-1] else len(j)
        self._before = (int(time_ns[end - 1]), int(stamp[end - 1])) if end else (first_ns, first_stamp)

    def _average(self, j: NDArray[np.float64], ordinal: NDArray[np.int64]) -> None:
        """`mean = (mean * (n - 1) + J) / n` at each, n counting all packets before: solved by products of the (n - 1) / n."""
        if not len(j):
            return
        self.max_ms = max(self.max_ms or 0.0, float(j.max()))
        if ordinal[0] == 1:  # nothing before it counts
            self._mean_ms, j, ordinal = float(j[0]), j[1:], ordinal[1:]
        if len(j):
            kept = np.cumsum(np.log1p(-1.0 / ordinal))
            self._mean_ms = float(
                self._mean_ms * np.exp(kept[-1]) + (j / ordinal * np.exp(kept[-1] - kept)).sum()
            )
