"""The UDP relay: one line between an office's probe and one reflector, in user space.

      probe ──▶ near socket ──[up: Direction]──▶ far socket ──▶ reflector
      probe ◀── near socket ◀─[down: Direction]── far socket ◀── reflector

The near socket is the line's listening port. Every source address that sends to it gets a far socket of its own,
as a router with address translation does, so a reflector tells sessions apart and a restarted probe is a new one.
Arrival is the kernel's receive stamp, so the relay's own slowness is no part of the delay that it emulates, as
long as it is shorter than that delay.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from lab.line.direction import Direction, Fate
from lab.line.reactor import READ
from lab.line.stamped_socket import (
    ANCILLARY_BYTES,
    LARGEST_PAYLOAD,
    drain_errors,
    overflows,
    sent_ns,
    stamp_ns,
    udp_socket,
)
from lab.line.truth import DOWN, UP

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from lab.line.reactor import Reactor
    from lab.line.stamped_socket import Ancillary
    from lab.line.truth import TruthLog

MOST_FLOWS: Final = 4
"""Source addresses served at once on a line; the one unused for longest gives way."""
MOST_WAITING: Final = 200_000
"""Packets on all lines together; what comes beyond is dropped and counted as the relay's own fault."""
_LATENESS_KEPT: Final = 65_536
_sessions = count(1)


class _Packet(NamedTuple):
    flow: _Flow
    payload: bytes
    arrival_ns: int  # real time, for the truth log
    copy: int


class _Flow:
    """One source address on one line."""

    __slots__ = ("far", "far_drops", "line", "peer", "session")

    def __init__(self, line: UdpLine, peer: tuple[str, int], far: socket.socket) -> None:
        self.line = line
        self.peer = peer
        self.far = far
        self.far_drops = 0
        self.session = next(_sessions)


@dataclass(slots=True)
class Counts:
    """What passed one direction of a line since the start."""

    arrived: int = 0
    delivered: int = 0
    lost: int = 0
    unsent: int = 0


class Lateness:
    """How late the relay sends packets, over the last tens of thousands (ns)."""

    def __init__(self) -> None:
        self._kept = [0] * _LATENESS_KEPT
        self._count = 0

    def add(self, late_ns: int) -> None:
        """Take one in."""
        self._kept[self._count % _LATENESS_KEPT] = late_ns
        self._count += 1

    def quantiles_us(self) -> dict[str, float]:
        """p50, p99 and the largest in µs; empty when nothing was sent."""
        kept = sorted(self._kept[: min(self._count, _LATENESS_KEPT)])
        if not kept:
            return {}
        return {
            "p50": kept[len(kept) // 2] / 1e3,
            "p99": kept[len(kept) * 99 // 100] / 1e3,
            "max": kept[-1] / 1e3,
        }


class UdpLine:
    """One (office, end): a listening port, two directions, and the flows that use it."""

    def __init__(  # noqa: PLR0913 - what a line is made of
        self,
        reactor: Reactor,
        number: int,
        reflector: tuple[str, int],
        seed: str,
        *,
        truth: TruthLog | None = None,
        lateness: Lateness | None = None,
    ) -> None:
        self._reactor = reactor
        self._number = number
        self._reflector = reflector
        self._truth = truth
        self._lateness = lateness or Lateness()
        self._flows: OrderedDict[tuple[str, int], _Flow] = OrderedDict()
        self.near = udp_socket(send_stamps=truth is not None)
        self._near_drops = 0
        self._recv_near = self.near.recvmsg
        self.up = Direction(f"{seed}/up")
        self.down = Direction(f"{seed}/down")
        self.counts = (Counts(), Counts())
        self.port: int = self.near.getsockname()[1]
        reactor.watch(self.near.fileno(), READ, self._near_ready)

    def _near_ready(self, _events: int) -> None:
        try:
            payload, ancillary, flags, peer = self._recv_near(LARGEST_PAYLOAD, ANCILLARY_BYTES)
        except (BlockingIOError, ConnectionError):
            drain_errors(self.near)
            return
        flow = self._flows.get(peer)
        if flow is None:
            flow = self._new_flow(peer)
        if len(ancillary) != 1:
            self._near_drops = self._note_drops(UP, self._near_drops, ancillary)
        self._take(flow, UP, self.up, payload, ancillary, flags, _send_up)

    def _far_ready(self, flow: _Flow) -> None:
        try:
            payload, ancillary, flags, _ = flow.far.recvmsg(LARGEST_PAYLOAD, ANCILLARY_BYTES)
        except (BlockingIOError, ConnectionError):  # refused: nobody listens at the reflector's port just now
            drain_errors(flow.far)
            return
        if len(ancillary) != 1:
            flow.far_drops = self._note_drops(DOWN, flow.far_drops, ancillary)
        self._take(flow, DOWN, self.down, payload, ancillary, flags, _send_down)

    def _take(  # noqa: PLR0913, PLR0917 - the hot path: no object is made to carry these
        self,
        flow: _Flow,
        direction: int,
        core: Direction,
        payload: bytes,
        ancillary: Ancillary,
        flags: int,
        send: Callable[[int, _Packet], None],
    ) -> None:
        """Decide on a packet that has arrived, and put it on its way."""
        offset_ns = self._reactor.offset_ns
        now_ns = time.monotonic_ns()
        arrival_ns = stamp_ns(ancillary)
        if arrival_ns is None:
            arrival_ns = now_ns + offset_ns
        counts = self.counts[direction]
        counts.arrived += 1
        # A stamp taken before a step of the clock would lie far off: the packet cannot be newer than now.
        decision = core.decide(min(arrival_ns - offset_ns, now_ns), len(payload))
        fate = Fate.OVERSIZE if flags else decision.fate  # MSG_TRUNC, MSG_CTRUNC
        if fate is not Fate.DELIVERED:
            self._seal(flow, direction, fate, payload, arrival_ns)
            return
        due_ns = decision.deliver_ns
        assert due_ns is not None
        if self._reactor.waiting >= MOST_WAITING:
            self._seal(flow, direction, Fate.UNSENT, payload, arrival_ns)
            return
        packet = _Packet(flow, payload, arrival_ns, 0)
        if due_ns <= now_ns:
            send(due_ns, packet)
        else:
            self._reactor.at(due_ns, send, packet)
        if decision.copy_ns is not None:
            self._reactor.at(decision.copy_ns, send, _Packet(flow, payload, arrival_ns, 1))

    def _seal(self, flow: _Flow, direction: int, fate: Fate, payload: bytes, arrival_ns: int) -> None:
        """A packet ends here."""
        counts = self.counts[direction]
        if fate is Fate.UNSENT:
            counts.unsent += 1
        else:
            counts.lost += 1
        if self._truth is not None:
            self._truth.packet(self._number, direction, flow.session, fate, payload, arrival_ns)

    def sent(self, direction: int, packet: _Packet, due_ns: int, began_ns: int, sock: socket.socket) -> None:
        """A packet has left: `began_ns` is the real time just before the call that sent it through `sock`."""
        ended_ns = time.time_ns()
        self.counts[direction].delivered += 1
        late_ns = max(began_ns - self._reactor.offset_ns - due_ns, 0)
        self._lateness.add(late_ns)
        if self._truth is not None:
            stamp = sent_ns(sock, began_ns, ended_ns)
            self._truth.packet(
                self._number,
                direction,
                packet.flow.session,
                Fate.DELIVERED,
                packet.payload,
                packet.arrival_ns,
                began_ns if stamp is None else stamp,
                max(ended_ns - began_ns, 0) if stamp is None else 0,
                late_ns,
                packet.copy,
            )

    def unsent(self, direction: int, packet: _Packet) -> None:
        """The kernel would not take a packet."""
        self._seal(packet.flow, direction, Fate.UNSENT, packet.payload, packet.arrival_ns)

    def _new_flow(self, peer: tuple[str, int]) -> _Flow:
        if len(self._flows) >= MOST_FLOWS:
            _, oldest = self._flows.popitem(last=False)
            self._end(oldest)
        far = udp_socket(send_stamps=self._truth is not None)
        far.connect(self._reflector)
        flow = self._flows[peer] = _Flow(self, peer, far)
        self._reactor.watch(far.fileno(), READ, lambda _events: self._far_ready(flow))
        return flow

    def _note_drops(self, direction: int, known: int, ancillary: Ancillary) -> int:
        """Datagrams that the kernel dropped at our own socket: lost by the relay, not by the line."""
        now = overflows(ancillary)
        if now > known:
            self.counts[direction].unsent += now - known
            return now
        return known

    def _end(self, flow: _Flow) -> None:
        self._reactor.unwatch(flow.far.fileno())
        flow.far.close()

    def close(self) -> None:
        """Close every socket of the line."""
        for flow in self._flows.values():
            self._end(flow)
        self._flows.clear()
        self._reactor.unwatch(self.near.fileno())
        self.near.close()


def _send_up(due_ns: int, packet: _Packet) -> None:
    began_ns = time.time_ns()
    try:
        packet.flow.far.send(packet.payload)
    except OSError:  # nobody listens, or the flow has given way to a newer one
        packet.flow.line.unsent(UP, packet)
        return
    packet.flow.line.sent(UP, packet, due_ns, began_ns, packet.flow.far)


def _send_down(due_ns: int, packet: _Packet) -> None:
    began_ns = time.time_ns()
    try:
        packet.flow.line.near.sendto(packet.payload, packet.flow.peer)
    except OSError:
        packet.flow.line.unsent(DOWN, packet)
        return
    packet.flow.line.sent(DOWN, packet, due_ns, began_ns, packet.flow.line.near)
