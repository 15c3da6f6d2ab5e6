"""The reflector answers whom it should, never with more than it got, and lives through anything that arrives."""

from __future__ import annotations

import ipaddress
import random
import select
import socket
import time
from typing import TYPE_CHECKING

import pytest

from probes.reflecting.reflector import Reflector
from probes.reflecting.reflector_policy import ReflectorPolicy
from probes.reflecting.source_limits import SourceLimits
from probes.stamp import stamp_auth
from probes.stamp import stamp_tlv_codec as tlvs
from probes.stamp.packets import BASE, PTP_FLAG, ReflectorPacket, SenderPacket
from probes.stamp.stamp_tlv import trailer
from probes.stamp.timestamps import SECOND_NS, ntp64, tai_ns
from tests.fuzz.datagrams import datagram

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, OFFICE = b"k" * 32, 77
ESTIMATE = 0x8001
SEEN = 0x80


class Desk:
    """A reflector and a client of it, in one thread: what was sent is answered when `ask` says so."""

    def __init__(self, policy: ReflectorPolicy, host: str = "127.0.0.1", bind: str = "") -> None:
        self.reflector = Reflector([(bind or host, 0)], policy=policy)
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect((host, self.reflector.addresses[0][1]))

    def ask(self, packet: bytes) -> bytes | None:
        """The reply; None when the packet was dropped."""
        if self.served(packet):
            return self.sock.recv(65_536)
        with pytest.raises(BlockingIOError):
            self.sock.recv(65_536)
        return None

    def served(self, packet: bytes) -> bool:
        """Whether it was answered; then the reply can be read: a busy kernel hands it on later than it was sent, even on loopback."""
        before = self.reflector.counters
        self.sock.send(packet)
        while self.reflector.counters.received == before.received:
            self.reflector.serve_once(10.0)
        if self.reflector.counters.answered == before.answered:
            return False
        assert select.select([self.sock], [], [], 60)[0]
        return True

    def close(self) -> None:
        self.sock.close()
        self.reflector.close()


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    opened: list[Desk] = []
    yield opened
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(desks: list[Desk]) -> Desk:
    """One that knows a single office."""
    desks.append(Desk(ReflectorPolicy(keys={OFFICE: KEY})))
    return desks[-1]


def request(sequence: int = 0, ssid: int = OFFICE) -> SenderPacket:
    return SenderPacket(sequence, ntp64(time.time_ns()), ESTIMATE, ssid)


def asked(desk: Desk, packet: bytes) -> bytes:
    reply = desk.ask(packet)
    assert reply is not None
    return reply


def test_a_signed_packet_gets_a_signed_reply(desk: Desk) -> None:
    """The authenticated mode: base of 112 octets, own counter, and an HMAC that the office can check."""
    for number, sequence in enumerate((4, 9)):
        sent = request(sequence)
        raw = asked(desk, stamp_auth.pack_request(sent, KEY))
        reply = stamp_auth.parse_reply(raw, KEY)
        assert len(raw) == stamp_auth.BASE
        assert (reply.sequence, reply.sender_sequence, reply.ssid) == (number, sequence, OFFICE)
        assert (reply.sender_timestamp, reply.sender_error_estimate) == (sent.timestamp, ESTIMATE)
        assert sent.timestamp <= reply.receive_timestamp + 5 <= reply.timestamp + 5


def test_what_is_signed_wrongly_is_dropped_and_counted(desk: Desk) -> None:
    """Any octet changed, another office's key, an SSID without one, a reply sent back: each under its own count."""
    good = stamp_auth.pack_request(request(), KEY)
    for at in (0, 20, 60, 95, 96, 111):
        assert desk.ask(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :]) is None
    assert desk.ask(stamp_auth.pack_request(request(), b"other")) is None
    assert desk.reflector.counters.not_authentic == 7
    assert desk.ask(stamp_auth.pack_request(request(ssid=5), KEY)) is None
    assert desk.reflector.counters.unknown_office == 1
    assert desk.ask(asked(desk, good)) is None
    assert desk.reflector.counters.replies == 1
    assert desk.reflector.counters.sessions == 1


def test_only_signed_packets_where_that_is_asked(desks: list[Desk]) -> None:
    """`authenticated_only` drops the unauthenticated mode; without it both are served."""
    strict = Desk(ReflectorPolicy(keys={OFFICE: KEY}, authenticated_only=True))
    desks.append(strict)
    assert strict.ask(request().pack()) is None
    assert strict.ask(request().pack(trailer())) is None
    assert strict.reflector.counters.unsigned == 2
    assert strict.ask(stamp_auth.pack_request(request(), KEY)) is not None


def test_signed_tlvs_are_checked_and_signed_anew(desk: Desk) -> None:
    """The HMAC TLV covers the reply's own number and answers; a changed TLV brings the I flag, unprocessed."""
    asked(desk, stamp_auth.pack_request(request(3), KEY))
    before = tlvs.direct_measurement(8).pack()
    tail = before + tlvs.integrity(KEY, 4, before).pack() + tlvs.extra_padding(20).pack()
    raw = asked(desk, stamp_auth.pack_request(request(4), KEY, tail))
    assert stamp_auth.parse_reply(raw, KEY).sequence == 1
    found = tlvs.parse(raw[stamp_auth.BASE :])
    assert [tlv.flags for tlv in found] == [0, 0, 0]
    assert found[0].value == b"\0\0\0\x08\0\0\0\x02\0\0\0\x02"
    assert tlvs.is_intact(KEY, 1, raw[stamp_auth.BASE :])
    raw = asked(desk, stamp_auth.pack_request(request(5), KEY, tail))  # the tail is that of number 4
    assert [tlv.flags for tlv in tlvs.parse(raw[stamp_auth.BASE :])] == [0xA0, 0xA0, 0xA0]
    assert raw[stamp_auth.BASE + 4 :][:12] == before[4:]
    assert desk.reflector.counters.tlvs_not_intact == 1


@pytest.mark.parametrize(
    ("host", "bind"), [("127.0.0.1", ""), ("::1", ""), ("127.0.0.1", "0.0.0.0"), ("::1", "::")]
)
def test_every_tlv_of_the_standard_is_answered(desks: list[Desk], host: str, bind: str) -> None:
    """RFC 8972 4.1 to 4.7 in one packet; the unknown ones keep U, also one behind which others stand."""
    desk = Desk(ReflectorPolicy(), host, bind)
    desks.append(desk)
    if ":" in host:
        desk.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 46 << 2 | 1)
        desk.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    else:
        desk.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2 | 1)
        desk.sock.setsockopt(socket.IPPROTO_IP, 13, 1)
    first = ReflectorPacket.parse(asked(desk, request(0).pack()))
    wanted = (
        tlvs.Tlv(200, b"abcd"), tlvs.class_of_service(10), tlvs.location(tlvs.LocationRequest.SOURCE_IP),
        tlvs.location(tlvs.LocationRequest.SOURCE_MAC), tlvs.timestamp_information(), tlvs.direct_measurement(2),
        tlvs.access_report(1, 1), tlvs.follow_up(), tlvs.integrity(KEY, 1, b""), tlvs.extra_padding(9),
    )  # fmt: skip
    packet = request(1).pack(b"".join(tlv.pack() for tlv in wanted))
    assert desk.served(packet)
    raw, beside, _, _ = desk.sock.recvmsg(65_536, 512)
    assert len(raw) == len(packet)
    found = tlvs.parse(raw[BASE:])
    assert [tlv.flags for tlv in found] == [SEEN, 0, 0, 0, 0, 0, 0, 0, SEEN, 0]
    assert found[1].value == bytes((10 << 2 | 46 >> 4, (46 & 15) << 4 | 1 << 2, 0, 0))
    assert beside[-1][2][0] == 10 << 2, "the reply came with the DSCP that was asked for"
    family = desk.sock.family
    source = socket.inet_pton(family, host).ljust(16, b"\0")
    ports = desk.reflector.addresses[0][1].to_bytes(2, "big") + desk.sock.getsockname()[1].to_bytes(2, "big")
    assert found[2].value == ports + bytes((0, 9 if ":" in host else 8, 0, 16)) + source
    assert found[3].value == ports + tlvs.Tlv(1, bytes(8)).pack()
    assert found[4].value in {b"\1\2\1\2", b"\5\2\5\2"}
    assert found[5].value == b"\0\0\0\2\0\0\0\2\0\0\0\2"
    assert (
        found[7].value == first.sequence.to_bytes(4, "big") + first.timestamp.to_bytes(8, "big") + b"\2\0\0\0"
    )


def test_a_tlv_that_reaches_beyond_the_packet_is_malformed(desk: Desk) -> None:
    """It gets the M flag, keeps U, and nothing else of it changes; what stood before it is answered."""
    tail = tlvs.extra_padding(3).pack() + b"\x80\x05\x00\x0cabc"
    raw = asked(desk, request().pack(tail))
    assert raw[BASE:] == b"\x00" + tail[1:7] + b"\xc0" + tail[8:]


def test_ptp_stamps_say_so(desks: list[Desk]) -> None:
    """Z is set in the reflector's error estimate, and its stamps are TAI; the sender's field stays its own."""
    desk = Desk(ReflectorPolicy(ptp=True))
    desks.append(desk)
    before = time.time_ns()
    raw = asked(desk, request().pack(trailer()))
    reply = ReflectorPacket.parse(raw)
    assert reply.error_estimate & PTP_FLAG
    assert reply.sender_error_estimate == ESTIMATE
    assert (
        before - 1
        <= tai_ns(reply.receive_timestamp) - 37 * SECOND_NS
        <= tai_ns(reply.timestamp) - 37 * SECOND_NS
    )
    assert tai_ns(reply.timestamp) - 37 * SECOND_NS <= time.time_ns()
    assert desk.ask(raw) is None
    assert desk.reflector.counters.replies == 1


def test_sources_outside_the_list_get_nothing(desks: list[Desk]) -> None:
    """The allow-list is by network, and counted."""
    desk = Desk(
        ReflectorPolicy(allowed=(ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32")))
    )
    other = Desk(ReflectorPolicy(allowed=(ipaddress.ip_network("127.0.0.0/8"),)))
    desks += [desk, other]
    assert desk.ask(request().pack()) is None
    assert desk.reflector.counters.not_allowed == 1
    assert other.ask(request().pack()) is not None


def test_short_requests_are_answered_at_a_bounded_rate(desks: list[Desk]) -> None:
    """The only replies that are longer than their request cannot be had in a flood; others are not held up by it."""
    desk = Desk(ReflectorPolicy(short_pps=1e-3))
    desks.append(desk)
    assert desk.ask(request().pack()[:14]) is not None
    assert desk.ask(request().pack()[:14]) is None
    assert desk.reflector.counters.limited == 1
    assert desk.ask(request().pack()) is not None


def test_a_source_has_a_bucket_of_its_own() -> None:
    """Burst at once, then the rate; one source's flood leaves the others alone; the table is bounded."""
    limits = SourceLimits(10.0, 5, limit=3)
    assert [limits.admits(1, 0) for _ in range(6)] == [True] * 5 + [False]
    assert limits.admits(2, 0)
    assert [limits.admits(1, SECOND_NS // 10 * n) for n in (1, 1, 2)] == [True, False, True]
    for source in range(3, 30):
        limits.admits(source, SECOND_NS // 2)
    assert len(limits) <= 4
    assert limits.admits(99, 100 * SECOND_NS)
    with pytest.raises(ValueError, match="answer nobody"):
        SourceLimits(0.0, 1)


def test_nothing_that_arrives_stops_it_or_is_amplified(desk: Desk) -> None:
    """Mutated packets of every kind: no reply is longer than its request but the base packet's, and service goes on."""
    chance = random.Random(862)
    for _ in range(3000):
        packet = datagram(chance, {OFFICE: KEY})
        reply = desk.ask(packet)
        assert reply is None or len(reply) <= max(len(packet), BASE)
    counts = desk.reflector.counters
    dropped = (
        counts.too_short, counts.bad_multiplier, counts.replies, counts.not_authentic, counts.unknown_office,
        counts.limited,
    )  # fmt: skip
    assert counts.received == counts.answered + sum(dropped) + counts.send_failed
    assert counts.not_authentic
    assert counts.unknown_office
    assert counts.answered > 500
    assert counts.send_failed == 0
    assert ReflectorPacket.parse(asked(desk, request(1).pack(trailer()))).sender_sequence == 1
