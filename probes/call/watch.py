"""Watches one office's interface for calls: their windows for the envelope, and the flag that rehearsals yield to.

What is at hand is bounded: ten looks a second at a ring of 8,192 packet headers. A window in which the ring was full is left
out, for packets that we missed would be told as lost on the line; so is one in which the clock was set.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING, Final

from probes.call.call_meter import GRACE_NS, CallMeter, CallRule
from probes.call.live_call import LiveCall
from probes.call.packet_ring import PacketRing
from probes.call.packets import datagrams
from probes.call.ports import port_ranges
from probes.call.sides import networks
from probes.kernel.interfaces import default_interface
from probes.publishing.office_settings import AUTO
from probes.transition import Transition
from telemetry.windows import WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from probes.call.packets import End
    from probes.publishing.office_settings import OfficeSettings
    from telemetry.clock import WallClock
    from telemetry.messages import Call

LOOK_S: Final = 0.1
RETRY_S: Final = 30.0
STEP_NS: Final = 20_000_000
"""The clock was set when real and monotonic time part by more than this between two looks."""
KEPT_WINDOWS: Final = 8
MOST_ITEMS: Final = 32
"""Flows of one window in an envelope, those with the highest bitrate first."""

_log = logging.getLogger(__name__)


class CallWatch:
    """One office's calls. `run` is its task; `take` gives the items of a closed window."""

    def __init__(
        self,
        settings: OfficeSettings,
        clock: WallClock,
        *,
        ring: Callable[[str], PacketRing] = PacketRing,
        route: Callable[[], str | None] = default_interface,
    ) -> None:
        self.live = LiveCall(clock)
        self._interface = settings.call_interface
        self._clock = clock
        self._make_ring = ring
        self._route = route
        self._own: frozenset[tuple[str, int]] = frozenset()
        rule = CallRule(
            hosts=networks(settings.call_hosts),
            ports=port_ranges(settings.call_ports),
            ignored=self._is_own,
        )
        self._meter = CallMeter(rule)
        self._offset_ns: int | None = None
        self._closed: dict[int, tuple[Call, ...]] = {}
        self._spoilt: set[int] = set()
        self._trouble = Transition(_log, f"{settings.key}: watching for calls", "works again", "call-watch")

    def ignore(self, ends: Iterable[tuple[str, int]]) -> None:
        """Address and port of whom the probe itself sends to: its own packets are no call."""
        self._own = frozenset(ends)

    def _is_own(self, end: End) -> bool:
        return (end.address, end.port) in self._own

    def take(self, start_ns: int) -> tuple[Call, ...]:
        """What was seen in a window; empty when nothing was, or nothing sure."""
        return self._closed.pop(start_ns, ())

    async def run(self) -> None:
        """Watch until cancelled; where it cannot, say so once and try again."""
        while True:
            await self._watch()
            await asyncio.sleep(RETRY_S if self._trouble.trouble else LOOK_S)

    async def _watch(self) -> None:
        name = self._route() if self._interface == AUTO else self._interface
        if name is None:
            self._trouble.bad(
                "there is no default route whose interface could be watched; name one in [call]"
            )
            return
        try:
            ring = self._make_ring(name)
        except OSError as error:
            self._trouble.bad(explained(name, error))
            return
        self._meter.forget()
        with ring:
            self._trouble.good()
            self.live.watching = True
            try:
                while ring.is_current() and (self._interface != AUTO or self._route() in {name, None}):
                    self.look(ring)
                    await asyncio.sleep(LOOK_S)
            finally:
                self.live.watching = False

    def look(self, ring: PacketRing) -> None:
        """Take what is in the ring, and close what is due."""
        now_ns = self._clock.now_ns()
        self._notice_steps(now_ns)
        for _ in range(2):  # the ring's end, and what stands at its beginning again
            caught = ring.catch()
            if caught is None:
                break
            packets = datagrams(caught.octets, caught.ip_at, caught.captured, caught.time_ns, caught.way)
            if len(packets) and self._meter.add(caught.octets, packets):
                self.live.note()
            ring.release(caught)
        if ring.dropped():
            self._spoilt |= {window_start(now_ns - GRACE_NS), window_start(now_ns)}
            self._trouble.bad(
                "packets were missed: too many for this machine; name the room's device in [call]"
            )
        self._keep(now_ns)

    def _notice_steps(self, now_ns: int) -> None:
        offset_ns = now_ns - self._clock.monotonic_ns()
        if self._offset_ns is not None and abs(offset_ns - self._offset_ns) > STEP_NS:
            self._meter.forget()
        self._offset_ns = offset_ns

    def _keep(self, now_ns: int) -> None:
        closed = self._meter.close_until(now_ns)
        for start_ns in sorted({window.start_ns for window in closed}):
            if start_ns in self._spoilt:
                continue
            mine = [window for window in closed if window.start_ns == start_ns]
            mine.sort(key=lambda window: window.figures.octets, reverse=True)
            self._closed[start_ns] = tuple(window.item() for window in mine[:MOST_ITEMS])
        while len(self._closed) > KEPT_WINDOWS:
            del self._closed[next(iter(self._closed))]
        if closed and not self._spoilt:
            self._trouble.good()
        self._spoilt = {start for start in self._spoilt if start + 2 * WINDOW_NS > now_ns}


def explained(interface: str, error: OSError) -> str:
    """Why an interface cannot be watched, and what to do."""
    if isinstance(error, PermissionError):
        return (
            f"{interface} may not be watched: CAP_NET_RAW is missing; give it to the service"
            ' (AmbientCapabilities=CAP_NET_RAW in its unit) or write interface = "" in [call]'
        )
    if error.errno == errno.ENODEV:
        return f"there is no interface {interface}; name one of `ip link` in [call]"
    return f"{interface} cannot be watched: {error.strerror or error}"
