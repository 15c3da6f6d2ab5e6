"""The reflector's T3 is set ahead by what sending takes, which the kernel itself has said."""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from probes.kernel.kernel_stamps import enable_send_stamps
from probes.reflecting.reflector import Reflector
from probes.reflecting.send_lag import EVERY_NS, KEPT, PLAUSIBLE_NS, SendLag, drain
from probes.stamp.packets import ReflectorPacket, SenderPacket
from probes.stamp.timestamps import ntp64, unix_ns

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two UDP sockets on loopback, connected to each other."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for sock in (one, other):
            sock.bind(("127.0.0.1", 0))
        one.setblocking(False)
        other.settimeout(60)
        one.connect(other.getsockname())
        other.connect(one.getsockname())
        yield one, other


def observe(lag: SendLag, sock: socket.socket, before_ns: int = 0) -> None:
    """Send one datagram that is looked at, its clock read so long before."""
    lag.ask(sock, time.monotonic_ns())
    taken_ns = time.time_ns() - before_ns
    sock.send(b"reply")
    lag.learn(sock, taken_ns)


def test_it_learns_from_the_kernel(pair: tuple[socket.socket, socket.socket]) -> None:
    """After a few replies the lag is what the kernel said, and nothing waits in the error queue."""
    one, other = pair
    lag = SendLag()
    assert lag.ns == 0
    for _ in range(500):  # a machine that interrupts each of these does not measure either
        observe(lag, one)
        assert other.recv(16) == b"reply"
        if lag.ns:
            break
    assert 0 < lag.ns <= PLAUSIBLE_NS
    assert not select.select([], [], [one], 0)[2]
    one.send(b"unobserved")
    assert drain(one) is None


def test_an_interruption_teaches_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    """A lag that is no sending time, or below nothing (the clock was set), is not taken in."""
    one, _ = pair
    lag = SendLag()
    observe(lag, one, before_ns=PLAUSIBLE_NS)
    observe(lag, one, before_ns=-3_600_000_000_000)
    assert lag.ns == 0


def test_it_asks_seldom_once_it_knows(pair: tuple[socket.socket, socket.socket]) -> None:
    """Until enough is known every reply is looked at, then one in a tenth of a second."""
    one, other = pair
    lag = SendLag()
    for _ in range(10_000):
        now_ns = time.monotonic_ns()
        assert lag.is_due(now_ns)
        observe(lag, one)
        assert other.recv(16) == b"reply"
        if not lag.is_due(now_ns):
            break
    assert not lag.is_due(now_ns)
    assert lag.is_due(now_ns + 60_000_000_000 + EVERY_NS)
    assert KEPT % 2 == 1  # so that the median is one of them


def test_a_stamp_that_comes_late_does_not_wake_for_ever(pair: tuple[socket.socket, socket.socket]) -> None:
    """What was still owed when it was asked for is taken off the error queue when the socket is ready for nothing else."""
    one, other = pair
    lag = SendLag()
    lag.ask(one, time.monotonic_ns())
    lag.learn(
        one, time.time_ns()
    )  # nothing was sent yet: as if the packet waited for its neighbour's address
    enable_send_stamps(one)
    one.send(b"late")
    assert other.recv(16) == b"late"
    assert select.select([], [], [one], 0)[2] or select.select([one], [], [], 0)[0]
    lag.calm(one)
    assert not select.select([one], [], [one], 0)[0]
    assert lag.ns == 0


def test_without_send_stamps_it_stays_zero() -> None:
    """A kernel, or a kind of socket, that has none is asked once."""

    class Refusing(socket.socket):
        def setsockopt(self, *_: object) -> None:
            raise OSError("no such option")

    with Refusing(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        lag = SendLag()
        lag.ask(sock, 0)
        lag.learn(sock, time.time_ns())
        assert lag.ns == 0
        assert not lag.is_due(EVERY_NS * 1000)


def test_a_reflectors_t3_lies_between_receiving_and_arriving() -> None:
    """T2 <= T3 <= when the reply was in, but for what the lag may be wrong by; the reflector answers on."""
    with Reflector([("127.0.0.1", 0)]) as reflector:
        thread = threading.Thread(target=reflector.serve, name="reflector")
        thread.start()
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect(reflector.addresses[0])
                sock.settimeout(60)
                for number in range(3 * KEPT):
                    sock.send(SenderPacket(number, ntp64(time.time_ns()), 0x8001, 9).pack())
                    reply = ReflectorPacket.parse(sock.recv(2048))
                    came_ns = time.time_ns()
                    assert reply.sender_sequence == number
                    t2_ns, t3_ns = unix_ns(reply.receive_timestamp), unix_ns(reply.timestamp)
                    assert t2_ns <= t3_ns <= came_ns + PLAUSIBLE_NS
        finally:
            reflector.stop()
            thread.join()
