"""The meter: sorts datagrams to flows, keeps the flows, and closes windows. Bounded in flows, packets and time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.call.demux import Kind
from probes.call.figures import Media
from probes.call.flow_total import FlowTotal
from probes.call.opaque_flow import OpaqueFlow
from probes.call.packets import ends
from probes.call.rtp_flow import FlowName, RtpFlow, Standing
from probes.call.sides import Sides
from telemetry.windows import SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from probes.call.figures import FlowWindow
    from probes.call.packets import Datagrams, End
    from probes.call.sides import Network

GRACE_NS: Final = 2 * SECOND_NS
"""A window is closed so long after its end: what came late in it is in it."""
MOST_FLOWS: Final = 512
"""Flows kept at a time, candidates too; a machine in a meeting has a few dozen."""
MOST_OTHERS: Final = 8192
"""Flows remembered as no call, so that they are not looked at again; then all are forgotten."""
CANDIDATE_NS: Final = 5 * SECOND_NS
IDLE_NS: Final = 2 * WINDOW_NS
"""A flow that was silent so long is over."""
REPAIR_SHARE: Final = 0.8
REPAIR_MOST: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRule:
    """What is looked at."""

    hosts: tuple[Network, ...] = ()
    """The room's devices; none: every flow, and the office's end is told by other means."""
    ports: tuple[tuple[int, int], ...] = ()
    """Where calls that are no RTP are looked for, first and last of each range, at either end."""
    ignored: Callable[[End], bool] = field(default=lambda _: False)
    """Ends whose flows are the probe's own."""


@dataclass(slots=True)
class _Generations:
    """How often a sender has begun anew under one number."""

    count: int = 0


class CallMeter:
    """Flows of calls. `add` packets in order of time, `close_until` regularly."""

    def __init__(self, rule: CallRule, *, keep_totals: bool = False) -> None:
        self._rule = rule
        self._sides = Sides(rule.hosts)
        self._rtp: dict[int, RtpFlow] = {}
        self._opaque: dict[int, OpaqueFlow] = {}
        self._others: set[int] = set()
        self._generations: dict[int, _Generations] = {}
        self._ended: list[RtpFlow] = []
        """Flows whose sender began anew: their last window is still to be closed."""
        self._start_ns: int | None = None
        self._keep_totals = keep_totals
        self.totals: dict[str, FlowTotal] = {}
        self.flows_refused = 0
        """New flows that found no room."""

    def add(self, octets: NDArray[np.uint8], packets: Datagrams) -> bool:
        """Take in a batch of datagrams in order of time; says whether one belongs to a call."""
        wanted = (packets.kind == Kind.RTP) | ((packets.kind == Kind.OTHER) if self._rule.ports else False)
        which = np.flatnonzero(wanted)
        if not len(which):
            return False
        if self._start_ns is None:
            self._start_ns = window_start(int(packets.time_ns[which[0]]))
        order = which[np.argsort(packets.flow[which], kind="stable")]
        numbers = packets.flow[order]
        begins = np.flatnonzero(np.diff(numbers, prepend=~numbers[:1]))
        groups = zip(numbers[begins].tolist(), np.split(order, begins[1:]), strict=True)
        alive = False
        # In the order of their first packets: who spoke first may decide which end is the office's.
        for number, mine in sorted(groups, key=lambda group: int(group[1][0])):
            if number not in self._others:
                alive |= self._give(number, octets, packets, mine)
        return alive

    def _give(
        self, number: int, octets: NDArray[np.uint8], packets: Datagrams, mine: NDArray[np.intp]
    ) -> bool:
        if (opaque := self._opaque.get(number)) is not None:
            return opaque.take(packets, mine)
        flow = self._rtp.get(number)
        if flow is None:
            name = self._name(number, octets, packets, mine[0])
            if name is None:
                return False
            if packets.kind[mine[0]] == Kind.OTHER:
                self._opaque[number] = OpaqueFlow(name)
                return self._opaque[number].take(packets, mine)
            flow = self._rtp[number] = RtpFlow(name)
        again = flow.take(packets, mine)
        while again is not None:
            flow = self._anew(number, flow)
            again = flow.take(packets, again)
        if flow.standing is Standing.REFUSED:
            del self._rtp[number]
            self._is_none(number)
        return flow.standing is Standing.PROVED

    def _anew(self, number: int, flow: RtpFlow) -> RtpFlow:
        """The sender has begun anew: what it sends from now on is another flow."""
        generation = self._generations.setdefault(number, _Generations())
        generation.count += 1
        if flow.standing is Standing.PROVED and len(self._ended) < MOST_FLOWS:
            self._ended.append(flow)
        text = f"{flow.name.text.partition('~')[0]}~{generation.count}"
        fresh = self._rtp[number] = RtpFlow(replace(flow.name, text=text))
        return fresh

    def _name(
        self, number: int, octets: NDArray[np.uint8], packets: Datagrams, at: np.intp
    ) -> FlowName | None:
        """The name of a new flow; None when it is none to look at, or there is no room."""
        source, destination = ends(octets, int(packets.ip_at[at]))
        is_rtp = packets.kind[at] == Kind.RTP
        if (
            not self._sides.concerns(source, destination)
            or self._rule.ignored(source)
            or self._rule.ignored(destination)
            or not (is_rtp or self._on_port(source) or self._on_port(destination))
        ):
            self._is_none(number)
            return None
        if len(self._rtp) + len(self._opaque) >= MOST_FLOWS:
            self.flows_refused += 1
            return None
        ssrc = int(packets.ssrc[at])
        way = self._sides.way(source, destination, int(packets.way[at]))
        text = f"{ssrc:08x}-{number & 0xFFFF:04x}" if is_rtp else f"udp-{number & 0xFFFFFFFF:08x}"
        return FlowName(text, source, destination, ssrc, way)

    def _on_port(self, end: End) -> bool:
        return any(first <= end.port <= last for first, last in self._rule.ports)

    def _is_none(self, number: int) -> None:
        if len(self._others) >= MOST_OTHERS:
            self._others.clear()
        self._others.add(number)

    def close_until(self, now_ns: int) -> list[FlowWindow]:
        """Every window that ended `GRACE_NS` before `now_ns`."""
        found: list[FlowWindow] = []
        if self._start_ns is None:
            return found
        while self._start_ns + WINDOW_NS + GRACE_NS <= now_ns:
            found += self._close(self._start_ns)
            self._start_ns += WINDOW_NS
            self._start_ns = max(self._start_ns, self._next_start_ns(now_ns))
        self._drop_idle(now_ns)
        return found

    def _next_start_ns(self, now_ns: int) -> int:
        """The first window that anything at hand lies in: a capture may sleep for years."""
        flows: list[RtpFlow | OpaqueFlow] = [*self._rtp.values(), *self._opaque.values(), *self._ended]
        first = [at for flow in flows if (at := flow.first_held_ns) is not None]
        return window_start(min([now_ns - GRACE_NS, *first]))

    def finish(self) -> list[FlowWindow]:
        """Close whatever is at hand: the capture is over."""
        rtp = [flow.last_ns for flow in (*self._rtp.values(), *self._ended)]
        last = max([0, *rtp, *(flow.last_ns for flow in self._opaque.values())])
        return self.close_until(last + WINDOW_NS + GRACE_NS)

    def forget(self) -> None:
        """The clock was set: what is at hand has no right times. Begin anew."""
        self._rtp.clear()
        self._opaque.clear()
        self._ended.clear()
        self._start_ns = None

    def _close(self, start_ns: int) -> list[FlowWindow]:
        until_ns = start_ns + WINDOW_NS
        closed: dict[RtpFlow, FlowWindow] = {}
        again: list[FlowWindow] = []
        for flow in (*self._ended, *self._rtp.values()):
            if flow.standing is not Standing.PROVED:
                continue
            one = flow.close(start_ns, until_ns)
            if one is None:
                continue
            closed[flow] = one.window
            if self._keep_totals:
                self.totals.setdefault(flow.name.text, FlowTotal(flow.name)).add(one)
        self._ended = [flow for flow in self._ended if flow.holds]
        self._tell_repairs(closed)
        for opaque in self._opaque.values():
            for window in opaque.close(start_ns, until_ns):
                again.append(window)
                if self._keep_totals:
                    key = f"{opaque.name.text}/{window.media}"
                    self.totals.setdefault(key, FlowTotal(opaque.name)).add_window(window, start_ns)
        return [*closed.values(), *again]

    def _tell_repairs(self, closed: dict[RtpFlow, FlowWindow]) -> None:
        """A sparse flow whose time stamps are those of another between the same ends repairs that one."""
        by_ends: defaultdict[tuple[End, End], list[RtpFlow]] = defaultdict(list)
        for flow in closed:
            by_ends[flow.name.source, flow.name.destination].append(flow)
        for flows in by_ends.values():
            for flow in flows:
                window = closed[flow]
                if window.media is Media.REPAIR:
                    continue
                if any(_repairs(flow, window, other, closed[other]) for other in flows):
                    flow.media = Media.REPAIR
                    closed[flow] = _as_repair(window)
                    total = self.totals.get(flow.name.text)
                    if total is not None:
                        total.windows[-1] = closed[flow]

    def _drop_idle(self, now_ns: int) -> None:
        for number, flow in list(self._rtp.items()):
            silent_ns = now_ns - flow.last_ns
            proved = flow.standing is Standing.PROVED
            if silent_ns > (IDLE_NS if proved else CANDIDATE_NS):
                del self._rtp[number]
                self._generations.pop(number, None)
        for number, opaque in list(self._opaque.items()):
            if now_ns - opaque.last_ns > IDLE_NS:
                del self._opaque[number]


def _repairs(flow: RtpFlow, window: FlowWindow, other: RtpFlow, theirs: FlowWindow) -> bool:
    if flow is other or theirs.media is Media.REPAIR:
        return False
    if window.figures.packets > REPAIR_MOST * theirs.figures.packets:
        return False
    return float(np.isin(flow.stamps, other.stamps).mean()) >= REPAIR_SHARE


def _as_repair(window: FlowWindow) -> FlowWindow:
    """Its times say nothing of sound or picture."""
    figures = replace(
        window.figures,
        jitter_ms=None,
        jitter_max_ms=None,
        frames=None,
        freezes=0,
        longest_freeze_ms=None,
    )
    return replace(window, media=Media.REPAIR, figures=figures)
