"""The headquarters' end sends only while the office goes on saying so, and never more than it granted."""

from __future__ import annotations

import select
import socket
import time

import pytest

from probes.rehearsing.bodies import StepWish, read_granted, step_body
from probes.rehearsing.door import Terms
from probes.rehearsing.flow import prepared
from probes.rehearsing.responder import GONE_NS, Session
from probes.rehearsing.wire import Control, Kind, pack, unpack
from telemetry.windows import SECOND_NS

KEY, TOKEN = b"k" * 32, 12345
TRIES = 20
WISH = StepWish(100_000, 10_000_000, 300, 300, 30_000)


def pair() -> tuple[socket.socket, socket.socket]:
    one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for sock in (one, other):
        sock.bind(("127.0.0.1", 0))
    one.connect(other.getsockname())
    other.connect(one.getsockname())
    return prepared(one), prepared(other)


def say(office: socket.socket, kind: Kind, number: int, body: bytes = b"", token: int = TOKEN) -> None:
    office.send(pack(KEY, Control(kind, 1, 7, token, time.time_ns(), number, body)))


def drained(office: socket.socket) -> int:
    count = 0
    while True:
        try:
            office.recv(4096)
        except BlockingIOError:
            return count
        count += 1


def ticks(session: Session, seconds: float) -> bool:
    """Let it work for so long; whether it still goes on."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not session.tick():
            return False
        time.sleep(0.002)
    return True


def longest_pause_s(session: Session, seconds: float) -> float:
    """Let it work for so long; for how long the machine kept it from that at the worst."""
    end, last, longest = time.monotonic() + seconds, time.monotonic(), 0.0
    while last < end:
        assert session.tick() or longest > 0.1
        time.sleep(0.002)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return longest


def under_load() -> tuple[Session, socket.socket]:
    """A session that has just sent for a third of a second; begun again when the machine stood still, and it fell silent, meanwhile."""
    for _ in range(TRIES):
        ours, office = pair()
        session = Session(ours, Terms(7, KEY, TOKEN, 1_000_000, 1_000_000, 60))
        assert select.select([office], [], [], 60)[0]
        granted = unpack(KEY, office.recv(4096))
        assert granted is not None
        assert read_granted(granted.body).down_bps == 1_000_000
        say(office, Kind.STEP, 1, step_body(WISH))
        if longest_pause_s(session, 0.3) < 0.1:
            assert drained(office) > 10
            return session, office
        session.close()
        office.close()
    pytest.fail("the machine is too busy")


def test_silent_without_a_word_of_the_office_and_gone_soon_after() -> None:
    """A dead man's switch: a stopped office, a forged address and a lost route come to the same."""
    session, office = under_load()
    ticks(session, 1.2)
    sent = session.octets_sent
    say(office, Kind.KEEP, 2, b"\0", token=TOKEN + 1)  # not of this session: no word at all
    ticks(session, 0.3)
    assert session.octets_sent - sent < 112 * 8, "feedback only"
    session._heard_ns -= GONE_NS
    assert not session.tick()
    session.close()
    office.close()


def test_never_more_than_was_granted() -> None:
    """The step asks for ten times the granted rate, and gets the granted one."""
    ours, office = pair()
    session = Session(ours, Terms(7, KEY, TOKEN, 1_000_000, 1_000_000, 60))
    say(office, Kind.STEP, 1, step_body(WISH))
    began = time.monotonic()
    ticks(session, 0.6)
    load = session._flow.planned
    assert load.octets.sum() * 8 == pytest.approx(1_000_000 * 30, rel=0.01)
    assert session.octets_sent * 8 < 1_000_000 * (time.monotonic() - began) * 2.5 + 100_000
    session._until_ns = time.monotonic_ns() - 2 * SECOND_NS
    assert not session.tick()
    session.close()
    office.close()
