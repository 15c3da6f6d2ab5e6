"""By how much the load of a rehearsal makes each way slower, whatever is done to the clocks of the two ends.

Each end stamps by a time that nobody sets (`probes.kernel.steady_time`). Where the other end still stamps by its real time and
that is set, the round trip tells what the two one-way delays no longer can (`probes.rehearsing.far_clock`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from probes.rehearsing.far_clock import Delays
from telemetry.windows import MS_NS

if TYPE_CHECKING:
    from probes.rehearsing.arrivals import Came


class Grown(NamedTuple):
    """Of one rung, up and down: what came, without what a step of the far clock spoiled; the growth of the delay, ms."""

    came: tuple[Came, Came]
    growth_ms: tuple[float | None, float | None]
    far_clock_ms: float | None
    """Where the far clock was set: the round trip under load (95th percentile), which stands in; else None."""


class DelayGrowth:
    """Knows the least delay of each way since the beginning, or since the far clock was set."""

    def __init__(self) -> None:
        self._floors: list[int | None] = [None, None]
        self._delays = Delays()

    def interval(self, up_ns: int | None, down_ns: int | None) -> tuple[int | None, int | None]:
        """The least delays of an interval above the least of all; None where nothing arrived."""
        above = [self._above(i, delay) for i, delay in enumerate((up_ns, down_ns))]
        if up_ns is not None and down_ns is not None:
            self._delays.add(up_ns, down_ns)
            most = self._delays.rtt_growth_ns()
            if most is not None:
                above = [None if one is None else min(one, most) for one in above]
        return above[0], above[1]

    def rung(self, up: Came, down: Came) -> Grown:
        """At the end of a rung."""
        rtt_ns = self._delays.highest_rtt_ns()
        since = self._delays.stepped()
        if since is not None:
            self._floors = list(since)
            came = replace(_without_delays(up), span_us=0), _without_delays(down)
            return Grown(came, (None, None), (rtt_ns or 0) / MS_NS)
        growth = []
        for i, one in enumerate((up, down)):
            self._above(i, one.least_delay_ns)
            floor, p95 = self._floors[i], one.p95_delay_ns
            growth.append(None if floor is None or p95 is None else (p95 - floor) / MS_NS)
        return Grown((up, down), (growth[0], growth[1]), None)

    def _above(self, i: int, delay_ns: int | None) -> int | None:
        if delay_ns is None:
            return None
        floor = self._floors[i]
        self._floors[i] = floor = delay_ns if floor is None else min(floor, delay_ns)
        return delay_ns - floor


def _without_delays(came: Came) -> Came:
    return replace(came, p95_delay_ns=None, least_delay_ns=None, jitter_us=0)
