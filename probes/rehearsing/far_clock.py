"""Steps of the other end's clock, where that end does not keep them to itself (a program of before `probes.kernel.steady_time`).

With the far clock set forward by x, delays up grow by x and delays down shrink by x, and the round trip stays. So what a
way's delay has grown by is believed only as far as the round trip has grown too, and a rung in which both ways jumped
oppositely and by as much tells no one-way growth at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from telemetry.metrics.percentile import nearest_rank
from telemetry.windows import MS_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_NS: Final = 5 * MS_NS
"""Smaller steps are not looked for: no limit of a rehearsal is near them."""
AROUND: Final = 3
"""Intervals before and after a step whose medians must show it."""
BETWEEN: Final = 2
"""Intervals left out between them: the two ends' intervals do not begin together, and a word may be one late."""
_UNEQUAL: Final = 0.25
_NOISE: Final = 6.0


class Delays:
    """The least delay of each interval of a rehearsal, both ways side by side."""

    def __init__(self) -> None:
        self._up: list[int] = []
        self._down: list[int] = []
        self._least_rtt_ns: int | None = None
        self._looked = 0

    def add(self, up_ns: int, down_ns: int) -> None:
        """An interval in which packets arrived both ways."""
        self._up.append(up_ns)
        self._down.append(down_ns)
        last = [self._up[i] + self._down[i] for i in range(-BETWEEN - 1, 0) if len(self._up) > BETWEEN]
        if last and min(last) > 0:  # in the intervals of a step itself the sum means nothing
            self._least_rtt_ns = (
                max(last) if self._least_rtt_ns is None else min(self._least_rtt_ns, max(last))
            )

    def rtt_growth_ns(self) -> int | None:
        """By how much the round trip of the last interval is above the least; None before that is known."""
        if self._least_rtt_ns is None:
            return None
        return self._up[-1] + self._down[-1] - self._least_rtt_ns

    def highest_rtt_ns(self) -> int | None:
        """The 95th percentile of the round trips since the last call of `stepped`; of three in a row the least counts."""
        rtt = np.add(self._up[self._looked :], self._down[self._looked :])
        if len(rtt) <= BETWEEN:
            return None
        lasting = sliding_window_view(rtt, BETWEEN + 1).min(axis=1)
        return int(nearest_rank(lasting, [0.95])[0])

    def stepped(self) -> tuple[int, int] | None:
        """Whether the far clock was set since this was asked last; then the least delays, up and down, since the step."""
        begin = max(self._looked - AROUND - BETWEEN, 0)
        up, down = (np.asarray(each[begin:], dtype=np.int64) for each in (self._up, self._down))
        self._looked = len(self._up)
        found = _steps(up, down)
        if not len(found):
            return None
        after = int(found[-1])
        return int(up[after:].min()), int(down[after:].min())


def _steps(up_ns: NDArray[np.int64], down_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first interval after each step; neighbours may name the same."""
    return np.union1d(_lasting(up_ns, down_ns), _impossible(up_ns, down_ns))


def _lasting(up_ns: NDArray[np.int64], down_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Opposite and equal jumps of the medians that stand out from the usual wander."""
    apart = AROUND + BETWEEN
    if len(up_ns) < apart + AROUND:
        return np.zeros(0, dtype=np.int64)
    medians = [np.median(sliding_window_view(each, AROUND), axis=1) for each in (up_ns, down_ns)]
    up, down = (each[apart:] - each[:-apart] for each in medians)
    size = np.minimum(np.abs(up), np.abs(down))
    noise = float(np.median(np.abs(np.diff(up_ns - down_ns)))) / 2
    return np.flatnonzero(_opposite(up, down) & (size >= max(LEAST_NS, _NOISE * noise))) + apart


def _impossible(up_ns: NDArray[np.int64], down_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Opposite and equal jumps that are larger than the whole round trip: no line makes one of those."""
    apart = BETWEEN + 1
    rtt = up_ns + down_ns
    up, down = (each[apart:] - each[:-apart] for each in (up_ns, down_ns))
    most = np.maximum(rtt[apart:], rtt[:-apart]) + LEAST_NS
    size = np.minimum(np.abs(up), np.abs(down))
    sane = np.minimum(rtt[apart:], rtt[:-apart]) > 0
    return np.flatnonzero(_opposite(up, down) & sane & (size > most)) + apart


def _opposite(up: NDArray[np.generic], down: NDArray[np.generic]) -> NDArray[np.bool_]:
    unequal = np.abs(np.add(up, down)) > _UNEQUAL * np.minimum(np.abs(up), np.abs(down))
    opposite: NDArray[np.bool_] = (np.less(up, 0) == np.greater(down, 0)) & ~unequal
    return opposite
