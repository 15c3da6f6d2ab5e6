"""Asking real sockets: every method's answer, every way of having none, and how long it took."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from collector.broker.ports import free_port
from config.address import HostPort
from config.reach import ReachCheck
from probes.reaching import asking, stun_binding
from probes.reaching.asking import ask
from probes.reaching.reacher import address_of
from probes.reaching.sip_options import Request
from telemetry.messages import ReachOutcome
from tests.ports import free_udp_port
from tests.reaching.far_ends import device, sip_over_tcp, stun_answer, tls_server

if TYPE_CHECKING:
    from pathlib import Path

    from probes.reaching.answer import Answer

LOOPBACK = (socket.AF_INET, "127.0.0.1")


@pytest.fixture
def nothing_vouches() -> ssl.SSLContext:
    """Trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def asked(method: str, port: int, tls: ssl.SSLContext | None = None) -> Answer:
    trust = tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return await ask(ReachCheck(method, "localhost", port), LOOPBACK, time.monotonic_ns, trust)


def closed_port(kind: socket.SocketKind) -> int:
    return free_port() if kind is socket.SOCK_STREAM else free_udp_port()


@pytest.mark.parametrize("status", ["200 OK", "486 Busy Here", "401 Unauthorized", "100 Trying"])
async def test_a_device_that_answers_in_sip_is_there(status: str) -> None:
    """Whatever it answers, over UDP and over TCP, it is there; the request is as RFC 3261 has it, or the device would not answer."""
    async with device("sip") as room, sip_over_tcp(status) as port:
        room.status = status
        over_udp, over_tcp = await asked("sip", room.port), await asked("sip+tcp", port)
    for answer in (over_udp, over_tcp):
        assert answer.outcome is ReachOutcome.ANSWERED, answer
        assert answer.took_ms is not None
        assert answer.took_ms >= 0.0


async def test_a_lost_request_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One lost datagram costs time and no answer, with SIP and with STUN."""
    monkeypatch.setattr(asking, "REPEAT_S", 0.05)
    for protocol in ("sip", "stun"):
        async with device(protocol) as far:
            far.lose = 1
            answer = await asked(protocol, far.port)
        assert answer.outcome is ReachOutcome.ANSWERED
        assert far.asked >= 2
        assert answer.took_ms is not None
        assert answer.took_ms >= 49.0


async def test_somebody_elses_answer_is_not_ours() -> None:
    """An answer to another transaction is passed over, and ours still counts."""
    async with device("stun") as edge:
        edge.noise = [stun_answer(stun_binding.request(b"another one!"))]
        assert (await asked("stun", edge.port)).outcome is ReachOutcome.ANSWERED
    other = Request(HostPort("127.0.0.1", 1), HostPort("127.0.0.1", 2), "UDP", "somebody-else")
    async with device("sip") as room:
        room.noise = [b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=" + other.branch.encode() + b"\r\n\r\n"]
        assert (await asked("sip", room.port)).outcome is ReachOutcome.ANSWERED


async def test_what_is_off_is_told_apart_from_what_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port refuses, over UDP (ICMP) and TCP; a socket that says nothing runs out of time."""
    for method, kind in (
        ("sip", socket.SOCK_DGRAM),
        ("stun", socket.SOCK_DGRAM),
        ("h323", socket.SOCK_STREAM),
    ):
        assert (await asked(method, closed_port(kind))).outcome is ReachOutcome.REFUSED
    monkeypatch.setattr(asking, "PATIENCE_S", 0.3)
    monkeypatch.setattr(asking, "REPEAT_S", 0.1)
    async with device("sip") as room:
        room.off = True
        answer = await asked("sip", room.port)
    assert (answer.outcome, answer.took_ms) == (ReachOutcome.TIMEOUT, None)
    assert not answer.answered


async def test_a_signalling_port_is_only_connected_to(nothing_vouches: ssl.SSLContext) -> None:
    """H.323's port is connected to without a word, and hung up."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        answer = await asked("h323", server.sockets[0].getsockname()[1], nothing_vouches)
        assert await asyncio.wait_for(heard.get(), 60) == b""
    assert answer.outcome is ReachOutcome.ANSWERED


async def test_tls_tells_connect_handshake_and_the_certificates_end(tmp_path: Path) -> None:
    """Times add up to the whole; the end of the certificate is the one that it was made with."""
    async with tls_server(tmp_path) as platform:
        answer = await asked("tls", platform.port, platform.trust)
    assert answer.outcome is ReachOutcome.ANSWERED, answer
    assert answer.took_ms is not None
    assert answer.connect_ms is not None
    assert answer.handshake_ms is not None
    assert answer.connect_ms + answer.handshake_ms == pytest.approx(answer.took_ms)
    assert answer.certificate_until_ns == platform.until_ns


async def test_certificates_that_are_not_good_are_told(
    tmp_path: Path, nothing_vouches: ssl.SSLContext
) -> None:
    """Something is there, and its certificate is expired, or nobody vouches for it; a plain port is no TLS."""
    async with tls_server(tmp_path, days=-1) as platform:
        expired = await asked("tls", platform.port, platform.trust)
        assert (expired.outcome, expired.answered) == (ReachOutcome.EXPIRED, True)
        strange = await asked("tls", platform.port, nothing_vouches)
        assert (strange.outcome, strange.answered) == (ReachOutcome.CERTIFICATE, True)
        assert "certificate" in strange.why

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        assert not (await asked("tls", port, nothing_vouches)).answered
        assert (await asked("sip+tcp", port)).outcome is ReachOutcome.GARBLED


async def test_noise_is_no_answer() -> None:
    """Something that speaks another protocol is told as that."""
    for protocol in ("sip", "stun"):
        async with device(protocol) as far:
            far.noise = [b"HTTP/1.1 400 Bad Request\r\n\r\n"]
            answer = await asked(protocol, far.port)
            assert (answer.outcome, answer.answered) == (ReachOutcome.GARBLED, False)


def test_a_stun_answer_cut_anywhere_is_none() -> None:
    """Neither cut nor changed octets of the header pass; never anything but a ValueError."""
    whole = stun_answer(stun_binding.request(b"abcdefghijkl"))
    assert stun_binding.answers(whole, b"abcdefghijkl")
    assert stun_binding.answers(stun_answer(stun_binding.request(b"abcdefghijkl"), 0x0111), b"abcdefghijkl")
    assert not stun_binding.answers(whole, b"abcdefghijkL")
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="STUN"):
            stun_binding.answers(whole[:length], b"abcdefghijkl")
    with pytest.raises(ValueError, match="cut off"):
        stun_binding.answers(whole[:22] + b"\xff\xff" + whole[24:], b"abcdefghijkl")


def test_addresses() -> None:
    """Addresses are taken as they are, of both families; a name without an address is an OSError."""
    assert address_of("127.0.0.1") == (socket.AF_INET, "127.0.0.1")
    assert address_of("::1") == (socket.AF_INET6, "::1")
    with pytest.raises(OSError, match=r".*"):
        address_of("nobody.invalid")
