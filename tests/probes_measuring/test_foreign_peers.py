"""Other people's peers, octet by octet after RFC 8762 and 5357 and after what their programs were seen to send.

No STAMP or TWAMP-Light implementation is to be had as a package; these stand for those of routers, twampy (Nokia), stamp-suite,
twamp-light (getCUJO) and twamp-light (domoslabs). Nothing of ours packs or reads their packets.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import pytest

from probes.measuring.measurer import Measurer
from probes.measuring.session import Session
from probes.reflecting.reflector import Reflector
from telemetry.messages import StampSource
from tests.probes_measuring.judging import judged, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telemetry.messages import Stream

SINCE_1900 = 2_208_988_800
DROPPED = 3
"""The request that every peer loses before it looks at it."""


def ntp_now() -> bytes:
    seconds, rest = divmod(time.time_ns(), 10**9)
    return struct.pack("!II", (seconds + SINCE_1900) % 2**32, (rest << 32) // 10**9)


def ptp_now() -> bytes:
    seconds, rest = divmod(time.time_ns(), 10**9)
    return struct.pack("!II", seconds + 37, rest)


def asked(request: bytes) -> bytes:
    """Octets 24 to 37 of a reply: the sender's number, time stamp and error estimate."""
    return request[0:4] + request[4:12] + request[12:14]


def router(request: bytes, _: int, ttl: int) -> bytes:
    """RFC 8762 alone, stateless: no SSID, TLVs returned as padding."""
    t2 = ntp_now()
    head = request[0:4] + ntp_now() + b"\x80\x01" + bytes(2) + t2
    return head + asked(request) + bytes(2) + bytes([ttl]) + bytes(3) + request[44:]


def twampy(request: bytes, count: int, _: int) -> bytes:
    """Stateful; no TTL, one stamp written twice, and 41 octets however long the request."""
    now = ntp_now()
    return struct.pack("!I", count) + now + b"\x80\x01" + bytes(2) + now + asked(request) + bytes(3)


def stamp_suite(request: bytes, count: int, ttl: int) -> bytes:
    """Stateful; the SSID also behind the sender's error estimate, unknown TLVs with their U flag, no more than 1,024 octets."""
    t2 = ntp_now()
    head = struct.pack("!I", count) + ntp_now() + b"\x80\x01" + request[14:16] + t2
    return (head + asked(request) + request[14:16] + bytes([ttl]) + bytes(3) + request[44:])[:1024]


def cujo(request: bytes, _: int, ttl: int) -> bytes:
    """Stateless; no SSID, a TOS behind the TTL, as long as the request."""
    t2 = ntp_now()
    head = request[0:4] + ntp_now() + b"\x80\x01" + bytes(2) + t2
    return head + asked(request) + bytes(2) + bytes([ttl, 0xB8, 0, 0]) + bytes(len(request) - 44)


def with_ptp(request: bytes, count: int, ttl: int) -> bytes:
    """Stateful, in truncated PTP (Z flag of the error estimate)."""
    t2 = ptp_now()
    head = struct.pack("!I", count) + ptp_now() + b"\xc0\x01" + request[14:16] + t2
    return head + asked(request) + bytes(2) + bytes([ttl]) + bytes(3) + request[44:]


def swapped(request: bytes, _: int, ttl: int) -> bytes:
    """T1 and T3 in each other's place, which is no STAMP."""
    head = request[0:4] + request[4:12] + b"\x80\x01" + bytes(2) + ntp_now()
    return (
        head + request[0:4] + ntp_now() + request[12:14] + bytes(2) + bytes([ttl]) + bytes(3) + request[44:]
    )


class Peer:
    """A foreign reflector on loopback, at work in our own event loop."""

    def __init__(self, reply: Callable[[bytes, int, int], bytes]) -> None:
        self._reply, self.answered = reply, 0
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.setblocking(False)
        self.address: tuple[str, int] = self._sock.getsockname()
        asyncio.get_running_loop().add_reader(self._sock, self._answer)

    def _answer(self) -> None:
        request, whence = self._sock.recvfrom(2048)
        if struct.unpack_from("!I", request)[0] != DROPPED:
            self._sock.sendto(self._reply(request, self.answered, 64), whence)
            self.answered += 1

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()


async def test_our_sender_lives_with_every_reflector() -> None:
    """Each is measured as far as it tells: what it leaves open is unknown in the report, and nothing is made up."""
    peers = {
        one.__name__.replace("_", "-"): Peer(one)
        for one in (router, twampy, stamp_suite, cujo, with_ptp, swapped)
    }
    measurer = Measurer()
    await measurer.start()
    await measurer.set_sessions(
        [Session("agra", f"main.{name}", *peer.address, 50.0, dscp=46) for name, peer in peers.items()]
    )
    await until(lambda: all(judged(measurer, "agra", f"main.{name}") >= 15 for name in peers))
    await measurer.stop()
    streams: dict[str, list[Stream]] = {}
    async for window in measurer.windows():
        for stream in window.streams:
            streams.setdefault(stream.path.removeprefix("main."), []).append(stream)
    for peer in peers.values():
        peer.close()
    assert sum(one.received for one in streams.pop("swapped")) == 0
    assert streams.keys() == peers.keys() - {"swapped"}
    for name, found in streams.items():
        numbered = name in {"twampy", "stamp-suite", "with-ptp"}
        assert sum(one.received for one in found) >= 10, name
        assert sum(one.up.lost for one in found) == int(numbered), name
        assert sum(one.lost for one in found) >= 1
        assert found[0].rtt is not None
        assert 0 <= found[0].rtt.p50_ms < 60_000
        assert found[0].up.dscp is None  # nobody of them answers the TLV
        assert found[0].stamps.t2 is StampSource.USER
        assert found[0].stamps.t3 is (StampSource.NONE if name == "twampy" else StampSource.USER)


@pytest.fixture
def ours() -> Iterator[Reflector]:
    with Reflector([("127.0.0.1", 0)]) as reflector:
        yield reflector


def twamp_light(number: int) -> bytes:
    """RFC 5357 4.1.2, 14 octets and the padding that makes 41 of it."""
    return struct.pack("!I", number) + ntp_now() + b"\x80\x01" + bytes(27)


def stamp_rfc8762(number: int) -> bytes:
    """44 octets, zero where RFC 8972 has the SSID."""
    return struct.pack("!I", number) + ntp_now() + b"\x80\x01" + bytes(30)


def stamp_in_ptp(number: int) -> bytes:
    """With an SSID, in truncated PTP, with a TLV of 8 octets of padding."""
    return (
        struct.pack("!I", number)
        + ptp_now()
        + b"\xc0\x01"
        + b"\x00\x4d"
        + bytes(28)
        + b"\x80\x01\x00\x08"
        + bytes(8)
    )


@pytest.mark.parametrize("request_of", [twamp_light, stamp_rfc8762, stamp_in_ptp])
def test_our_reflector_answers_every_sender(ours: Reflector, request_of: Any) -> None:
    """Numbered by itself; the sender's number, stamp, error estimate and TTL where it looks for them; T2 before T3."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(60)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 77)
        sock.connect(ours.addresses[0])
        for number in (5, 9):
            request = request_of(number)
            sock.send(request)
            ours.serve_once(60.0)
            reply = sock.recv(2048)
            assert len(reply) == max(len(request), 44)
            assert struct.unpack_from("!I", reply)[0] == (number == 9)
            assert reply[24:38] == asked(request)
            assert reply[40] == 77
            t2, t3 = reply[16:24], reply[4:12]
            assert t2 <= t3
            assert abs(struct.unpack("!I", t3[:4])[0] - SINCE_1900 - time.time()) < 600
            assert reply[14:16] == (request[14:16] if len(request) > 44 else bytes(2))
