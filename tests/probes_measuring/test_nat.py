"""Offices behind address translation: the router forgets its mapping in mid-run, and the line is measured on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

from probes.measuring.measurer import Measurer
from probes.measuring.session import Session
from probes.reflecting.reflector_process import ReflectorProcess
from tests.probes_measuring.judging import gather, judged, streams_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator

PPS = 100.0
IN_FLIGHT = 30
"""Packets that may be between the two at a change of the mapping: a third of a second of a machine that is busy."""


class Nat:
    """A router that translates: the office's packets leave from an address and port of its own, until it takes another.

    What comes back to the one before is dropped, as a router drops what it has no mapping for.
    """

    def __init__(self, far: tuple[str, int]) -> None:
        self._far = far
        self.near = self._bound("127.0.0.1")
        self.address: tuple[str, int] = self.near.getsockname()
        self.outside = self._bound("127.0.0.1")
        self.sources = [self.outside.getsockname()]
        self.dropped = 0
        self._in_flight = 0
        self._office: tuple[str, int] | None = None
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._out, name="nat out"),
            threading.Thread(target=self._back, name="nat back"),
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _bound(host: str) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((host, 0))
        sock.settimeout(0.1)
        return sock

    def rebind(self, host: str) -> None:
        """Forget the mapping: another port, and another address where the line got one (loopback has many).

        Not before most of what went out has come back: how much is in flight is the test's, not the machine's.
        """
        until = time.monotonic() + 60
        while self._in_flight > IN_FLIGHT // 2 and time.monotonic() < until:
            time.sleep(0.001)
        old, self.outside = self.outside, self._bound(host)
        self.sources.append(self.outside.getsockname())
        old.close()
        self._in_flight = 0

    def _out(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                packet, self._office = self.near.recvfrom(2048)
                try:
                    self.outside.sendto(packet, self._far)
                    self._in_flight += 1
                except OSError:  # it has been closed this very moment
                    self.dropped += 1

    def _back(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                packet = self.outside.recv(2048)
                assert self._office is not None
                self.near.sendto(packet, self._office)
                self._in_flight -= 1

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.near.close()
        self.outside.close()


@contextlib.contextmanager
def translated() -> Iterator[Nat]:
    with ReflectorProcess([("0.0.0.0", 0)]) as reflector:
        nat = Nat(("127.0.0.1", reflector.addresses[0][1]))
        try:
            yield nat
        finally:
            nat.close()


async def test_a_mapping_that_changes_costs_what_was_in_flight_and_nothing_more() -> None:
    """Another port, then another address too: the reflector counts from 0 again, and no loss is made of that."""
    with translated() as nat:
        measurer = Measurer()
        await measurer.start()
        try:
            await measurer.set_sessions([Session("office", "main.state", *nat.address, rate_pps=PPS)])
            for host in ("127.0.0.1", "127.0.0.2"):
                so_far = judged(measurer)
                await until(lambda so_far=so_far: judged(measurer) >= so_far + 50)
                await asyncio.to_thread(nat.rebind, host)
            so_far = judged(measurer)
            # 3 s until a packet is judged: these are sent well after the last change
            await until(lambda: judged(measurer) >= so_far + 450)
        finally:
            windows = await gather(measurer)
    assert len({source[0] for source in nat.sources}) == 2
    assert len(set(nat.sources)) == 3
    streams = streams_of(windows, "office")
    sent, lost = sum(s.sent for s in streams), sum(s.lost for s in streams)
    assert sent >= 500
    assert lost <= 2 * IN_FLIGHT
    assert sum(s.reflector_restarts for s in streams) == 2, "each change is noticed"
    assert all(s.stateful for s in streams)
    assert sum(s.up.lost for s in streams) <= nat.dropped + 2 * IN_FLIGHT
    assert sum(s.down.duplicated + s.up.duplicated for s in streams) == 0
    assert measurer.counters.foreign_replies == 0
