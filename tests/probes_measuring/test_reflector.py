from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from probes.kernel.kernel_stamps import control_messages
from probes.reflecting.reflector import Reflector
from probes.reflecting.reflector_sessions import IDLE_NS, SWEEP_NS, ReflectorSessions
from probes.stamp.packets import BASE, SenderPacket
from probes.stamp.stamp_tlv import DEFAULT_PAYLOAD, FACTS_AT, PADDING_AT, Mode, trailer
from probes.stamp.timestamps import ntp64, unix_ns
from telemetry.messages import StampSource
from tests.probes_measuring.asking import ESTIMATE, client, exchange, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def serving() -> Iterator[Callable[[Reflector], Reflector]]:
    """Serve a reflector in a thread until the test ends."""
    running: list[tuple[Reflector, threading.Thread]] = []

    def serve(reflector: Reflector) -> Reflector:
        thread = threading.Thread(target=reflector.serve, name="reflector")
        thread.start()
        running.append((reflector, thread))
        return reflector

    yield serve
    for reflector, thread in running:
        reflector.stop()
        thread.join(60)
        assert not thread.is_alive()
        reflector.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_reply_copies_stamps_and_counts(serving: Callable[[Reflector], Reflector], host: str) -> None:
    """The reply carries the sender's fields, its own counter, the TTL, and T1 <= T2 <= T3 of one machine's clock."""
    reflector = Reflector([(host, 0)])
    (end,) = reflector._sockets.values()
    with client(serving(reflector), host) as sock:
        if ":" in host:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 33)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 33)
        for i, sequence in enumerate((5, 6, 100)):
            asked = request(sequence)
            ahead_ns = end._departures.lag.ns
            reply, raw = exchange(sock, asked.pack(trailer()))
            ahead_ns = max(ahead_ns, end._departures.lag.ns)
            assert len(raw) == DEFAULT_PAYLOAD
            assert (reply.sequence, reply.sender_sequence, reply.ssid) == (i, sequence, 9)
            assert (reply.sender_timestamp, reply.sender_error_estimate) == (asked.timestamp, ESTIMATE)
            assert reply.sender_ttl == 33
            assert unix_ns(asked.timestamp) <= unix_ns(reply.receive_timestamp) + 1
            assert reply.receive_timestamp <= reply.timestamp
            # the clock was read before now; T3 is set ahead by what the last replies took to leave, and by no more
            assert unix_ns(reply.timestamp) - ahead_ns <= time.time_ns()


def test_own_reflector_tells_who_stamped(serving: Callable[[Reflector], Reflector]) -> None:
    """Behind the base packet stand mode, sources of T2 and T3, and the session's instance; padding is acknowledged."""
    with client(serving(Reflector([("127.0.0.1", 0)]))) as sock:
        _, first = exchange(sock, request(0).pack(trailer()))
        _, second = exchange(sock, request(1).pack(trailer()))
    flags, _, _, mode, t2_by, t3_by, _, instance = struct.unpack_from("!BBHBBBBI", first, FACTS_AT)
    assert (flags, mode, t2_by, t3_by) == (0, Mode.STATEFUL, StampSource.KERNEL, StampSource.USER)
    assert struct.unpack_from("!I", second, FACTS_AT + 8)[0] == instance
    assert first[PADDING_AT] == 0


def test_user_stamps_are_said_to_be(serving: Callable[[Reflector], Reflector]) -> None:
    """Without kernel stamps T2 is taken in user space, and the reply says so."""
    reflector = serving(Reflector([("127.0.0.1", 0)], kernel_stamps=False))
    with client(reflector) as sock:
        reply, raw = exchange(sock, request(0).pack(trailer()))
    assert raw[FACTS_AT + 5] == StampSource.USER
    assert reply.receive_timestamp <= reply.timestamp
    assert reflector.counters.user_stamped == 1


def test_each_session_has_its_own_counter(serving: Callable[[Reflector], Reflector]) -> None:
    """Sessions are told apart by source port and by SSID."""
    reflector = serving(Reflector([("127.0.0.1", 0)]))
    with client(reflector) as a, client(reflector) as b:
        numbers = [
            exchange(sock, request(i, ssid).pack())[0].sequence
            for i, (sock, ssid) in enumerate([(a, 1), (a, 1), (a, 2), (b, 1), (a, 1), (b, 1)])
        ]
    assert numbers == [0, 1, 0, 0, 2, 1]
    assert reflector.counters.sessions == 3


def test_stateless_repeats_the_number(serving: Callable[[Reflector], Reflector]) -> None:
    """A stateless reflector keeps nothing and repeats the sender's number."""
    reflector = serving(Reflector([("127.0.0.1", 0)], stateful=False))
    with client(reflector) as sock:
        assert [exchange(sock, request(s).pack())[0].sequence for s in (7, 4_294_967_295)] == [
            7,
            4_294_967_295,
        ]
        _, raw = exchange(sock, request(8).pack(trailer()))
    assert raw[FACTS_AT + 4] == Mode.STATELESS
    assert reflector.counters.sessions == 0


@pytest.mark.parametrize("size", [14, 16, 27, 41, 43, 44])
def test_short_requests_get_the_base_packet(serving: Callable[[Reflector], Reflector], size: int) -> None:
    """RFC 8762 4.6: TWAMP's 14 octets and anything up to the base packet are answered with 44 octets."""
    with client(serving(Reflector([("127.0.0.1", 0)]))) as sock:
        exchange(
            sock, request(1, ssid=0xFFFF).pack(b"\xff" * 60)
        )  # leaves its octets in the reflector's memory
        reply, raw = exchange(sock, request(3).pack()[:size])
    assert len(raw) == BASE
    assert reply.sender_sequence == 3
    assert reply.ssid == (9 if size >= 16 else 0)


@pytest.mark.parametrize("size", [45, 47, 48, 1472, 9000])
def test_longer_requests_get_as_long_a_reply(serving: Callable[[Reflector], Reflector], size: int) -> None:
    """The reply is as long as the request, and what follows the base packet comes back as it was."""
    tail = random.Random(size).randbytes(size - BASE)
    tail = b"\x00" + tail[1:]  # no TLV of ours
    with client(serving(Reflector([("127.0.0.1", 0)]))) as sock:
        _, raw = exchange(sock, request(1).pack(tail))
    assert raw[BASE:] == tail


def test_unknown_tlv_comes_back_unacknowledged(serving: Callable[[Reflector], Reflector]) -> None:
    """A TLV that the reflector does not know keeps the U flag (RFC 8972 4)."""
    tlv = struct.pack("!BBH4s", 0x80, 200, 4, b"abcd")
    with client(serving(Reflector([("127.0.0.1", 0)]))) as sock:
        _, raw = exchange(sock, request(1).pack(tlv))
    assert raw[BASE:] == tlv


def test_what_is_no_request_is_dropped_and_counted(serving: Callable[[Reflector], Reflector]) -> None:
    """Too short, multiplier 0, or another reflector's reply: dropped under its own count, and service goes on."""
    reflector = serving(Reflector([("127.0.0.1", 0)]))
    with client(reflector) as sock:
        _, reply = exchange(sock, request(0).pack())
        sock.send(b"")
        sock.send(bytes(13))
        sock.send(SenderPacket(1, ntp64(time.time_ns()), 0x8000, 9).pack())
        sock.send(reply)
        sock.send(reply + bytes(100))
        assert exchange(sock, request(5).pack())[0].sender_sequence == 5
    deadline = time.monotonic() + 60  # an answer is counted after it has left
    while reflector.counters.answered < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    counters = reflector.counters
    assert (counters.too_short, counters.bad_multiplier, counters.replies) == (2, 1, 2)
    assert (counters.received, counters.answered) == (7, 2)


def test_two_reflectors_do_not_bounce_a_packet(serving: Callable[[Reflector], Reflector]) -> None:
    """A request forged to come from another reflector is answered once, and that answer not at all."""
    a, b = serving(Reflector([("127.0.0.1", 0)])), serving(Reflector([("127.0.0.1", 0)]))
    relayed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with relayed, client(a) as sock:
        _, reply = exchange(sock, request(0).pack(trailer()))
        relayed.settimeout(60)
        relayed.sendto(reply, b.addresses[0])
        deadline = time.monotonic() + 60
        while not b.counters.replies and time.monotonic() < deadline:
            time.sleep(0.01)
    assert (b.counters.replies, b.counters.answered) == (1, 0)


@pytest.mark.parametrize(("bound", "asked"), [("0.0.0.0", "127.0.0.7"), ("::", "::1")])
def test_bound_to_all_addresses_it_answers_from_the_one_asked(
    serving: Callable[[Reflector], Reflector], bound: str, asked: str
) -> None:
    """A connected sender sees only answers from the very address that it asked."""
    reflector = serving(Reflector([(bound, 0)]))
    with client(reflector, asked) as sock:
        assert exchange(sock, request(1).pack(trailer()))[0].sender_ttl == 64
    assert reflector.counters.user_stamped == 0


def test_one_loop_serves_many_addresses(serving: Callable[[Reflector], Reflector]) -> None:
    """One port per headquarters' end, all in one process."""
    reflector = serving(Reflector([("127.0.0.1", 0), ("127.0.0.1", 0), ("::1", 0)]))
    for host, port in reflector.addresses:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(60)
            sock.connect((host, port))
            assert exchange(sock, request(3).pack())[0].sequence == 0


def test_full_table_answers_newcomers_without_state() -> None:
    """Forged sources cannot push out live sessions; idle ones make room."""
    table = ReflectorSessions(limit=2)
    now = SWEEP_NS + 1
    first, second = table.open((1,), now), table.open((2,), now)
    assert first is not None
    assert second is not None
    assert table.open((3,), now + 1) is None
    assert table.get((1,)) is first
    first.seen_ns = now + IDLE_NS
    assert table.open((3,), now + IDLE_NS + SWEEP_NS) is not None
    assert table.get((2,)) is None
    assert table.get((1,)) is first
    assert (table.refused, table.expired, table.opened) == (1, 1, 3)


def test_fuzzed_datagrams_do_not_stop_it() -> None:
    """A hundred thousand random, cut and twisted datagrams: each is answered or counted, none answered with more."""
    rng = random.Random(8)
    good = request(1).pack(trailer())
    with Reflector([("127.0.0.1", 0)]) as reflector, client(reflector) as sock:
        sock.setblocking(False)
        sent = answered = 0
        while sent < 100_000:
            for _ in range(40):
                kind = rng.randrange(3)
                if kind == 0:
                    packet = rng.randbytes(rng.randrange(0, 200))
                elif kind == 1:
                    packet = good[: rng.randrange(0, len(good))]
                else:
                    at = rng.randrange(len(good))
                    packet = good[:at] + rng.randbytes(1) + good[at + 1 :]
                sock.send(packet)
                sent += 1
            reflector.serve_once(0)
            try:
                while True:
                    answered += 1
                    assert len(sock.recv(65_536)) <= 200
            except BlockingIOError:
                answered -= 1
        until = time.monotonic() + 60
        while reflector.counters.received < sent and time.monotonic() < until:
            reflector.serve_once(1.0)  # a busy kernel hands datagrams on late
        counted = reflector.counters
    assert counted.received == sent
    dropped = counted.too_short + counted.bad_multiplier + counted.replies + counted.limited
    assert counted.answered + dropped == sent
    assert counted.send_failed == 0
    assert answered <= counted.answered
    assert counted.sessions <= 65_536


def test_control_messages_survive_nonsense() -> None:
    """Ancillary data that is cut or twisted ends the walk instead of the process."""
    rng = random.Random(3)
    for _ in range(5_000):
        for _, _, data in control_messages(rng.randbytes(rng.randrange(0, 200))):
            assert isinstance(data, bytes)


def test_stopping_after_the_end_touches_nothing() -> None:
    """A SIGTERM that comes when all is closed already is no error, and writes into no file that took the number since."""
    reflector = Reflector([("127.0.0.1", 0)])
    wake = reflector._wake
    reflector.close()
    taken = os.eventfd(0, os.EFD_NONBLOCK)
    try:
        os.dup2(taken, wake)
        reflector.stop()
        reflector.close()
        with pytest.raises(BlockingIOError):
            os.eventfd_read(taken)
    finally:
        os.close(taken)
        if wake != taken:
            os.close(wake)
