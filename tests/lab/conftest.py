"""Helpers for the lab's tests: STAMP-shaped packets, a reflector on a thread, relays in a loop on a thread."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from scipy.stats import binom

from config.load import load_config
from lab.line.direction import Fate
from lab.line.reactor import Reactor
from lab.running.scope import Places
from tests.reactor_thread import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.config import Config
    from lab.line.direction import Decision, Direction

NTP_UNIX_S = 2_208_988_800
PIECES = 6
"""In which a quiet is waited for."""


def stamp_packet(seq: int, t1_ns: int, size: int = 44) -> bytes:
    """A session-sender packet (RFC 8762 4.2.1) with this number and time."""
    seconds, ns = divmod(t1_ns, 1_000_000_000)
    ntp = (seconds + NTP_UNIX_S & 0xFFFFFFFF) << 32 | (ns << 32) // 1_000_000_000
    return struct.pack("!IQ", seq, ntp) + bytes(size - 12)


def reflected(packet: bytes, own_seq: int) -> bytes:
    """The reply of a stateful reflector: its own number first, the sender's packet at octet 24."""
    return struct.pack("!I", own_seq) + bytes(20) + packet[:20]


@dataclass
class EchoReflector:
    """Answers every packet, numbering its answers per source address."""

    sock: socket.socket

    def __post_init__(self) -> None:
        self.answers: dict[tuple[str, int], int] = {}
        self.stopping = False

    @property
    def address(self) -> tuple[str, int]:
        return self.sock.getsockname()

    def run(self) -> None:
        while not self.stopping:
            if not select.select([self.sock], [], [], 0.05)[0]:
                continue
            packet, peer = self.sock.recvfrom(4096)
            number = self.answers.get(peer, 0)
            self.answers[peer] = number + 1
            self.sock.sendto(reflected(packet, number), peer)


@pytest.fixture
def reflector() -> Iterator[EchoReflector]:
    """A stateful reflector on loopback."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    echo = EchoReflector(sock)
    thread = threading.Thread(target=echo.run, name="test reflector")
    thread.start()
    yield echo
    echo.stopping = True
    thread.join()
    sock.close()


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """A loop that is not running yet."""
    loop = Reactor()
    yield loop
    loop.close()


class Probe:
    """A sender that remembers what came back: (number, own number of the reflector, arrival time)."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setblocking(False)
        self.came: list[tuple[int, int, int]] = []
        self.sent_ns: dict[int, int] = {}

    def send(self, seq: int, t1_ns: int | None = None) -> None:
        now_ns = time.time_ns()
        self.sent_ns[seq] = now_ns
        self.sock.send(stamp_packet(seq, now_ns if t1_ns is None else t1_ns))

    def take(self, for_s: float) -> None:
        """Read what comes within so long."""
        until = time.monotonic() + for_s
        while (left := until - time.monotonic()) > 0:
            self._read(left)

    def take_rest(self, quiet_s: float = 0.3, least: int = 0) -> None:
        """Read until nothing has come for so long, and in all no less than is bound to come: a busy machine may hold things up.

        A machine that stands still takes one of the pieces of which the quiet consists, and those who answer have the others.
        """
        patience = time.monotonic() + 60
        still = 0
        while still < PIECES or (len(self.came) < least and time.monotonic() < patience):
            still = 0 if self._read(quiet_s / PIECES) else still + 1

    def _read(self, for_s: float) -> bool:
        if not select.select([self.sock], [], [], for_s)[0]:
            return False
        data = self.sock.recv(4096)
        own, seq = struct.unpack("!I", data[:4])[0], struct.unpack("!I", data[24:28])[0]
        self.came.append((seq, own, time.time_ns()))
        return True

    def stream(self, count: int, gap_s: float, quiet_s: float = 0.3, first: int = 0, least: int = 0) -> None:
        """Send packets, numbered from `first`, at a steady pace, and take in what comes until nothing comes any more."""
        start = time.monotonic()
        for number in range(count):
            self.take(max(start + number * gap_s - time.monotonic(), 0.0))
            self.send(first + number)
        self.take_rest(quiet_s, least)

    def close(self) -> None:
        self.sock.close()


def fates(core: Direction, count: int, gap_ns: int, size: int = 44) -> list[Decision]:
    """What becomes of evenly spaced packets."""
    return [core.decide(n * gap_ns, size) for n in range(count)]


def lost(decisions: list[Decision]) -> int:
    return sum(one.fate is Fate.LOST for one in decisions)


def within_binomial(hits: int, n: int, p: float) -> bool:
    """Whether so many hits lie within the central 1 - 1e-6 of a binomial law."""
    low, high = binom.interval(1 - 1e-6, n, p)
    return bool(low <= hits <= high)


def eventually(condition: Callable[[], bool], within_s: float = 60.0) -> bool:
    """Whether a condition comes true in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.005)
    return condition()


@pytest.fixture(scope="session")
def config() -> Config:
    """The built-in deployment: 92 offices, 56 linked."""
    return load_config(None)


@pytest.fixture(scope="session")
def places(config: Config) -> Places:
    """All linked offices, both ends."""
    linked = list(config.registry.linked())
    return Places(linked, tuple(config.headquarters), {site.id: site.provider for site in linked})


class Helpers:
    """The functions above, for tests, which cannot import this file."""

    Probe = Probe
    stamp_packet = staticmethod(stamp_packet)
    reflected = staticmethod(reflected)
    fates = staticmethod(fates)
    lost = staticmethod(lost)
    within_binomial = staticmethod(within_binomial)
    eventually = staticmethod(eventually)
    running = staticmethod(running)


@pytest.fixture(scope="session")
def helpers() -> type[Helpers]:
    return Helpers


@pytest.fixture
def few(places: Places) -> Places:
    """Two offices: one with weak evenings, one without."""
    chosen = [site for site in places.sites if site.id in ("lakhimpur-kheri", "jaunpur")]
    return Places(chosen, places.ends, {site.id: site.provider for site in chosen})
