"""The link itself: takes packets from one TUN device, decides, and lets them come out of the other when they are due."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from lab.line.direction import IP_UDP_BYTES, Direction, Fate
from lab.line.reactor import READ
from lab.line.truth import DOWN, UP
from lab.tun.wire import Way

if TYPE_CHECKING:
    from lab.line.impairment import Impairment
    from lab.line.reactor import Reactor
    from lab.tun.end import TunEnd
    from lab.tun.log import TunLog

MOST_WAITING: Final = 50_000
"""Packets on the link at once; what comes beyond is dropped and counted as the link's own fault."""
_A_TURN: Final = 64
"""Packets taken from one device before the other has its turn."""


@dataclass(slots=True)
class _Tally:
    arrived: int = 0
    delivered: int = 0
    copies: int = 0
    lost: int = 0
    unsent: int = 0
    unstamped_in: int = 0
    unstamped_out: int = 0


class _Packet(NamedTuple):
    octets: bytes
    in_ns: int | None
    copy: int


class TunWay:
    """One direction: from the end that programs send into to the end where their packets come out."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a direction is made of
        self, number: int, reactor: Reactor, source: TunEnd, sink: TunEnd, seed: str, log: TunLog
    ) -> None:
        self._number = number
        self._reactor = reactor
        self._source, self._sink = source, sink
        self._log = log
        self._tally = _Tally()
        self.core = Direction(seed)
        reactor.watch(source.fd, READ, self._ready)

    def _ready(self, _events: int) -> None:
        for _ in range(_A_TURN):
            packet = self._source.read()
            if packet is None:
                return
            self._take(packet)

    def _take(self, octets: bytes) -> None:
        """Decide on a packet, and put it on its way.

        Its arrival is the kernel's stamp: how late this process looks is no part of the delay that it emulates, as long as
        that is longer.
        """
        tally, offset_ns = self._tally, self._reactor.offset_ns
        tally.arrived += 1
        in_ns = self._source.leaving.stamp_ns(octets)
        now_ns = time.monotonic_ns()
        if in_ns is None:
            tally.unstamped_in += 1
        at_ns = now_ns if in_ns is None else min(in_ns - offset_ns, now_ns)
        # The core counts the headers of IPv4 and UDP itself; here they are part of the packet.
        decision = self.core.decide(at_ns, len(octets) - IP_UDP_BYTES)
        due_ns = decision.deliver_ns
        if due_ns is None:
            tally.lost += 1
            self._log.packet(octets, self._number, decision.fate, in_ns=in_ns)
            return
        packet = _Packet(octets, in_ns, 0)
        if due_ns <= now_ns:
            self._deliver(due_ns, packet)
        elif self._reactor.waiting >= MOST_WAITING:
            self._unsent(packet)
            return
        else:
            self._reactor.at(due_ns, self._deliver, packet)
        if decision.copy_ns is not None:
            self._reactor.at(decision.copy_ns, self._deliver, _Packet(octets, in_ns, 1))

    def _deliver(self, due_ns: int, packet: _Packet) -> None:
        late_ns = max(time.monotonic_ns() - due_ns, 0)
        if not self._sink.write(packet.octets):
            self._unsent(packet)
            return
        out_ns = self._sink.coming.stamp_ns(packet.octets)
        tally = self._tally
        if out_ns is None:
            tally.unstamped_out += 1
        if packet.copy:
            tally.copies += 1
        else:
            tally.delivered += 1
        self._log.packet(
            packet.octets,
            self._number,
            Fate.DELIVERED,
            in_ns=packet.in_ns,
            out_ns=out_ns,
            late_ns=late_ns,
            copy=packet.copy,
        )

    def _unsent(self, packet: _Packet) -> None:
        self._tally.unsent += 1
        self._log.packet(packet.octets, self._number, Fate.UNSENT, in_ns=packet.in_ns, copy=packet.copy)

    @property
    def counts(self) -> Way:
        """What passed so far."""
        tally, tap = self._tally, self._source.leaving
        # What the device's queue could not hold: the tap saw it, or was itself too full to.
        refused = tap.strays + max(tap.dropped - tally.unstamped_in, 0)
        return Way(
            arrived=tally.arrived + refused,
            delivered=tally.delivered,
            copies=tally.copies,
            lost=tally.lost,
            unsent=tally.unsent + refused,
            unstamped_in=tally.unstamped_in,
            unstamped_out=tally.unstamped_out,
        )


class TunLine:
    """Both directions between two ends."""

    def __init__(self, reactor: Reactor, office: TunEnd, hub: TunEnd, seed: str, log: TunLog) -> None:
        self._log = log
        self.up = TunWay(UP, reactor, office, hub, f"{seed}/up", log)
        self.down = TunWay(DOWN, reactor, hub, office, f"{seed}/down", log)

    def set(self, up: Impairment, down: Impairment) -> None:
        """What the link does from the next packet on."""
        self.up.core.state = up
        self.down.core.state = down

    def counts(self) -> tuple[Way, Way]:
        """Up and down; what the truth log holds in memory is written out."""
        self._log.flush()
        return self.up.counts, self.down.counts
