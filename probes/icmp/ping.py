"""ICMP echo to a few targets per office, about once a second each, over one socket.

A reply counts when token, number and source address are those of an echo that still waits; the first one only, and
within 3 s. An echo that the kernel would not send (no route) counts as sent: the target could not be reached. The
round trip is between the kernel's stamps (our clock right before sending, where it gave none), and is left out when the clock was set between.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from probes.icmp.echo_tally import EchoTallies
from probes.icmp.icmp_packet import Echo, echo_request
from probes.icmp.icmp_socket import IcmpRefusedError, Reply, open_icmp
from probes.measuring.clock_watch import ClockWatch
from telemetry.messages import StampSource
from telemetry.windows import LATE_NS, MS_NS, SECOND_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from probes.icmp.icmp_socket import IcmpSocket
    from probes.workers import Workers
    from telemetry.clock import WallClock
    from telemetry.messages import Ping

ROUND_S: Final = 1.0
LOOKUP_NS: Final = 300 * SECOND_NS
LOOKUP_AGAIN_NS: Final = 30 * SECOND_NS
"""A name that was not found is looked up again sooner."""

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    """An echo on its way."""

    office: str
    target: str
    address: str
    start_ns: int
    real_ns: int
    mono_ns: int
    stamp: StampSource
    """Of `real_ns`."""
    generation: int
    """Steps of the clock before it was sent."""


class _Found(NamedTuple):
    """An address for a host, and until when to believe it."""

    address: str | None
    until_ns: int


class Pinger:
    """All echoes of the process."""

    def __init__(
        self, clock: WallClock, workers: Workers, opener: Callable[[], IcmpSocket] = open_icmp
    ) -> None:
        self._clock = clock
        self._watch = ClockWatch(clock)
        self._workers = workers
        self._opener = opener
        self._targets: dict[tuple[str, str], str] = {}
        self._tallies: dict[str, EchoTallies] = {}
        self._addresses: dict[str, _Found] = {}
        self._lookups: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._token = secrets.token_bytes(8)
        self._identifier = secrets.randbelow(0x10000)
        self._number = secrets.randbelow(1 << 32)
        self.refused: str | None = None
        """Why there are no echoes at all, for `doctor`."""

    def set_targets(self, office: str, targets: Mapping[str, str]) -> None:
        """Whom an office pings: name -> host. Replaces what it pinged before."""
        for key in [key for key in self._targets if key[0] == office and key[1] not in targets]:
            del self._targets[key]
        for target, host in targets.items():
            self._targets[office, target] = host

    def take(self, office: str, start_ns: int) -> tuple[Ping, ...]:
        """The ping items of a closed window; empty when nothing was pinged."""
        tallies = self._tallies.get(office)
        return tallies.take(start_ns) if tallies is not None else ()

    async def run(self) -> None:
        """Ping until cancelled; where no ICMP socket is permitted, say so once and wait."""
        try:
            sock = self._opener()
        except IcmpRefusedError as error:
            self.refused = str(error)
            _log.warning(
                "no ICMP round trips: %s", error, extra={"event": "ping.refused", "reason": str(error)}
            )
            await asyncio.get_running_loop().create_future()
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(sock.fileno(), self._receive, sock)
        try:
            while True:
                await self._round(sock)
        finally:
            loop.remove_reader(sock.fileno())
            sock.close()
            for lookup in self._lookups.values():
                lookup.cancel()

    async def _round(self, sock: IcmpSocket) -> None:
        """Each target once, spread over a second; a late wake-up does not make the round longer."""
        targets, loop = list(self._targets.items()), asyncio.get_running_loop()
        begun_s = loop.time()
        for place, ((office, target), host) in enumerate(targets, 1):
            address = self._address(host)
            if address is not None:
                self._send(sock, office, target, address)
            await asyncio.sleep(begun_s + place * ROUND_S / len(targets) - loop.time())
        if not targets:
            await asyncio.sleep(ROUND_S)
        self._expire()

    def _send(self, sock: IcmpSocket, office: str, target: str, address: str) -> None:
        self._number += 1
        packet = echo_request(self._identifier, Echo(self._token, self._number))
        mono_ns = self._clock.monotonic_ns()
        real_ns = self._clock.now_ns()  # nothing between this and the sending: it would count as round trip
        if self._watch.suspects(real_ns, mono_ns) and self._watch.stepped():
            mono_ns, real_ns = self._clock.monotonic_ns(), self._clock.now_ns()
        stamp_ns: int | None = None
        with contextlib.suppress(OSError):
            stamp_ns = sock.send(packet, address)
        stamp = StampSource.USER
        start_ns = window_start(real_ns)  # one that could not be sent waits too, in vain
        if stamp_ns is not None and 0 <= stamp_ns - real_ns <= self._clock.monotonic_ns() - mono_ns + MS_NS:
            real_ns, stamp = stamp_ns, StampSource.KERNEL
        self._waiting[self._number] = _Waiting(
            office, target, address, start_ns, real_ns, mono_ns, stamp, self._watch.generation
        )
        self._tallies.setdefault(office, EchoTallies()).of(start_ns, target).sent += 1

    def _receive(self, sock: IcmpSocket) -> None:
        for reply in sock.replies():
            self._count(reply)

    def _count(self, reply: Reply) -> None:
        waiting = self._waiting.get(reply.echo.number)
        if reply.echo.token != self._token or waiting is None or reply.source != waiting.address:
            return
        del self._waiting[reply.echo.number]
        elapsed_ns = self._clock.monotonic_ns() - waiting.mono_ns
        if elapsed_ns > LATE_NS:
            return
        tally = self._tallies[waiting.office].of(waiting.start_ns, waiting.target)
        tally.received += 1
        tally.stamps = min(tally.stamps, reply.stamp, waiting.stamp)
        self._watch.stepped()
        if waiting.generation != self._watch.generation:
            return  # the two stamps are of different clocks, however well they seem to fit
        round_trip_ns = reply.received_ns - waiting.real_ns
        if 0 <= round_trip_ns <= elapsed_ns + MS_NS:
            tally.round_trips_ns.append(round_trip_ns)

    def _expire(self) -> None:
        oldest_ns = self._clock.monotonic_ns() - LATE_NS
        for number in [number for number, waiting in self._waiting.items() if waiting.mono_ns < oldest_ns]:
            del self._waiting[number]

    def _address(self, host: str) -> str | None:
        """The IPv4 address of a host as last looked up; a new look-up never holds up the other targets."""
        found = self._addresses.get(host)
        if (found is None or self._clock.monotonic_ns() >= found.until_ns) and host not in self._lookups:
            task = asyncio.create_task(self._look_up(host), name=f"look up {host}")
            self._lookups[host] = task
            task.add_done_callback(lambda _: self._lookups.pop(host, None))
        return found.address if found is not None else None

    async def _look_up(self, host: str) -> None:
        """Look a host up again; while it is not found the old answer stands."""
        address = await self._workers.in_network(look_up, host)
        before = self._addresses.get(host)
        wait_ns = LOOKUP_AGAIN_NS if address is None else LOOKUP_NS
        if address is None and before is not None:
            address = before.address
        self._addresses[host] = _Found(address, self._clock.monotonic_ns() + wait_ns)


def look_up(host: str) -> str | None:
    """An IPv4 address of a host; None when it has none, or the name server does not answer."""
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])
    except (OSError, UnicodeError, IndexError):
        return None
