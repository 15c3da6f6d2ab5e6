"""The loop of the relays: order, time, waking, and rest in a crowd."""

from __future__ import annotations

import gc
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab.line.reactor import READ

if TYPE_CHECKING:
    from conftest import Helpers

    from lab.line.reactor import Reactor

TRIES = 20


def test_callbacks_come_in_order_and_never_early(reactor: Reactor) -> None:
    """Callbacks run in the order of their times, those of one time in the order in which they were asked for."""
    start = time.monotonic_ns() + 20_000_000
    ran: list[tuple[int, int]] = []
    for number, due in enumerate((start + 5_000_000, start, start, start + 10_000_000)):
        reactor.at(due, lambda due_ns, n: ran.append((n, time.monotonic_ns() - due_ns)), number)
    reactor.at(start + 15_000_000, lambda _due, _nothing: reactor.stop())
    reactor.run()
    assert [number for number, _ in ran] == [1, 2, 0, 3]
    assert all(late_ns >= 0 for _, late_ns in ran)


def test_a_nearer_time_is_not_missed(reactor: Reactor) -> None:
    """While the loop waits for something far away, something nearer can be asked for."""
    now = time.monotonic_ns()
    reactor.at(now + 60_000_000_000, lambda _due, _nothing: None)
    reactor.at(
        now + 10_000_000, lambda _due, _nothing: reactor.at(now + 20_000_000, lambda _d, _n: reactor.stop())
    )
    reactor.run()
    assert time.monotonic_ns() - now < 60_000_000_000
    assert reactor.waiting == 1


def test_stop_from_another_thread(reactor: Reactor) -> None:
    """A loop with nothing to do stops at once when another thread says so."""
    thread = threading.Thread(target=reactor.run)
    thread.start()
    reactor.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_an_idle_loop_sleeps(reactor: Reactor, helpers: type[Helpers]) -> None:
    """Without work the loop does not go round."""
    going = threading.Event()
    reactor.at(time.monotonic_ns(), lambda _due, _nothing: going.set())
    with helpers.running(reactor):
        assert going.wait(60)
        assert helpers.eventually(lambda: rests(reactor))


def rests(reactor: Reactor) -> bool:
    """Whether the loop makes no turn within a fifth of a second."""
    before = reactor.turns
    time.sleep(0.2)
    return reactor.turns == before


def test_what_was_closed_meanwhile_is_not_called(reactor: Reactor) -> None:
    """A handler that forgets another one's descriptor in the same round keeps it from being called."""
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []

    def first_come(index: int) -> None:
        called.append(index)
        for here, _ in pairs:
            reactor.unwatch(here.fileno())
        reactor.stop()

    for index, (here, there) in enumerate(pairs):
        reactor.watch(here.fileno(), READ, lambda _events, i=index: first_come(i))
        there.send(b"x")
    reactor.run()
    assert len(called) == 1
    for pair in pairs:
        for sock in pair:
            sock.close()


def test_a_crowd_is_served_in_fewer_turns(reactor: Reactor, helpers: type[Helpers]) -> None:
    """When much more happens than a loop can turn for, it rests, takes several at a time, and stops resting afterwards."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    taken = []
    reactor.watch(near.fileno(), READ, lambda _events: taken.append(near.recv(8)))
    with helpers.running(reactor):
        for _ in range(TRIES):
            taken.clear()
            for _ in range(5_000):
                far.send(b"x")
            assert helpers.eventually(lambda: len(taken) == 5_000, within_s=120)
            if reactor.is_crowded:  # else the machine stood still among the last of them: that is no crowd
                break
        assert reactor.is_crowded

        def has_calmed() -> bool:
            far.send(b"x")
            time.sleep(0.0005)
            return not reactor.is_crowded

        assert helpers.eventually(has_calmed)
    near.close()
    far.close()


def test_the_loop_lets_go_of_its_descriptors() -> None:
    """Made and closed many times, the loop leaves no descriptor open."""
    from lab.line.reactor import Reactor

    gc.collect()  # what other tests have left closes its descriptors now and not in the middle
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        Reactor().close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
