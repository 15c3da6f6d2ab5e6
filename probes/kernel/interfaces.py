"""Interface counters over each window: bits per second, errors, drops, and whether the interface is up.

Sampled once on each boundary of the window grid, for every interface that some office asks for. The first window
has no beginning and is left out; so is one whose ends do not lie a window apart (the machine slept, the clock was
set), and one in which a counter ran backwards (the interface was made anew).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from probes.icmp.gateway import default_gateway
from probes.kernel.interface_counters import read_counters
from probes.publishing.office_settings import AUTO
from telemetry.messages import Link
from telemetry.windows import SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from probes.kernel.interface_counters import Sample
    from telemetry.clock import WallClock

KEPT_WINDOWS: Final = 8
TOLERANCE_NS: Final = SECOND_NS
"""How far the distance of two samples may be from a window's length."""
LOOK_S: Final = 5.0


class LinkMeters:
    """The counters of the interfaces in use."""

    def __init__(
        self,
        clock: WallClock,
        read: Callable[[int], Mapping[str, Sample]] | None = None,
        route: Callable[[], str | None] | None = None,
    ) -> None:
        self._clock = clock
        self._read = read or read_counters
        self._route = route or default_interface
        self._watched: set[str] = set()
        self._before: dict[str, Sample] = {}
        self._closed: dict[int, dict[str, Link]] = {}

    def watch(self, interface: str) -> None:
        """Sample an interface (`auto`: that of the default route; empty: none) from now on."""
        if interface:
            self._watched.add(interface)

    def take(self, interface: str, start_ns: int) -> Link | None:
        """What an interface did in a window; None when it is not known."""
        return self._closed.get(start_ns, {}).get(interface)

    async def run(self) -> None:
        """Sample on every boundary of the grid, by the clock as it is (it may be set meanwhile)."""
        while True:
            now_ns = self._clock.now_ns()
            until_ns = window_start(now_ns) + WINDOW_NS - now_ns
            if until_ns > LOOK_S * SECOND_NS:
                await asyncio.sleep(LOOK_S)
                continue
            await asyncio.sleep(until_ns / SECOND_NS)
            if self._watched:
                self.sample()

    def sample(self) -> None:
        """Close the window that ends now."""
        samples = self._read(self._clock.monotonic_ns())
        links: dict[str, Link] = {}
        for wanted in self._watched:
            name = self._route() if wanted == AUTO else wanted
            if name is not None and (link := self._link(name, samples.get(name))) is not None:
                links[wanted] = link
        self._before = dict(samples)
        # Half a window back: the timer may have woken us a moment early or late.
        self._closed[window_start(self._clock.now_ns() - WINDOW_NS // 2)] = links
        while len(self._closed) > KEPT_WINDOWS:
            del self._closed[next(iter(self._closed))]

    def _link(self, name: str, after: Sample | None) -> Link | None:
        before = self._before.get(name)
        if before is None or after is None:
            return None
        elapsed_ns = after.mono_ns - before.mono_ns
        if abs(elapsed_ns - WINDOW_NS) > TOLERANCE_NS or _ran_backwards(before, after):
            return None
        seconds = elapsed_ns / SECOND_NS
        return Link(
            interface=name,
            up_bps=(after.sent_bytes - before.sent_bytes) * 8 / seconds,
            down_bps=(after.received_bytes - before.received_bytes) * 8 / seconds,
            errors=after.errors - before.errors,
            drops=after.drops - before.drops,
            is_up=after.is_up,
        )


def _ran_backwards(before: Sample, after: Sample) -> bool:
    return any(b < a for a, b in zip(before[1:5], after[1:5], strict=True))


def default_interface() -> str | None:
    """The interface of the default route."""
    gateway = default_gateway()
    return gateway.interface if gateway else None
