"""Asking: one question to one address, over UDP, TCP or TLS, with the time that it took.

Durations are monotonic time, so that no step of the clock is in them. UDP questions are repeated after 0.5, 1.0, … s, as RFC 3261
17.1.2.2 (timer E) and RFC 8489 6.2.1 have it, but only as long as the whole question may take: the next one comes soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from config.address import HostPort
from probes.reaching import stun_binding
from probes.reaching.answer import Answer, answer_of
from probes.reaching.sip_options import HEAD_END, MOST_HEAD, Request
from telemetry.messages import ReachOutcome
from telemetry.windows import MS_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.reach import ReachCheck

PATIENCE_S: Final = 2.5
"""For one question, names not counted."""
REPEAT_S: Final = 0.5
_TOKEN_OCTETS: Final = 12


async def ask(
    check: ReachCheck,
    where: tuple[socket.AddressFamily, str],
    monotonic_ns: Callable[[], int],
    tls: ssl.SSLContext,
) -> Answer:
    """The answer to one question; raises nothing but cancellation.

    Args:
        check: how, and whom.
        where: the address family and address of its host.
        monotonic_ns: the clock that durations are taken by.
        tls: what vouches for certificates.
    """
    family, address = where
    began_ns = monotonic_ns()
    try:
        async with asyncio.timeout(PATIENCE_S):
            if check.method in {"sip", "stun"}:
                await _over_udp(check, family, HostPort(address, check.port))
                return Answer(ReachOutcome.ANSWERED, _ms(monotonic_ns() - began_ns))
            return await _over_tcp(check, (family, HostPort(address, check.port)), monotonic_ns, tls)
    except (OSError, ValueError) as error:
        found = answer_of(error)
        return replace(found, took_ms=_ms(monotonic_ns() - began_ns)) if found.answered else found


async def _over_udp(check: ReachCheck, family: socket.AddressFamily, peer: HostPort) -> None:
    """Send until the answer is there; a connected socket, so that strangers are not heard and refusals are."""
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(peer)
        if check.method == "stun":
            transaction = secrets.token_bytes(stun_binding.TRANSACTION_OCTETS)
            packet = stun_binding.request(transaction)
            is_answer: Callable[[bytes], bool] = lambda got: stun_binding.answers(got, transaction)  # noqa: E731
        else:
            request = _sip_request(check, sock, "UDP")
            packet, is_answer = request.pack(), request.answered_by
        pause_s = REPEAT_S
        while True:
            await loop.sock_sendall(sock, packet)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    while not is_answer(await loop.sock_recv(sock, MOST_HEAD)):
                        pass
                    return
            pause_s *= 2


async def _over_tcp(
    check: ReachCheck,
    where: tuple[socket.AddressFamily, HostPort],
    monotonic_ns: Callable[[], int],
    tls: ssl.SSLContext,
) -> Answer:
    """Connect, and say what the method has to say; without a word for a plain port, as to H.323's."""
    loop, (family, peer) = asyncio.get_running_loop(), where
    began_ns = monotonic_ns()
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, peer)
        connected_ns = monotonic_ns()
        if check.method == "tls":
            return await _handshake(check, sock, (began_ns, connected_ns), monotonic_ns, tls)
        if check.method == "sip+tcp":
            request = _sip_request(check, sock, "TCP")
            await loop.sock_sendall(sock, request.pack())
            await _answer_in(sock, request)
        return Answer(ReachOutcome.ANSWERED, _ms(monotonic_ns() - began_ns))
    finally:
        sock.close()


async def _answer_in(sock: socket.socket, request: Request) -> None:
    """Read a stream of SIP messages until the answer's head is whole."""
    loop, read = asyncio.get_running_loop(), b""
    while True:
        piece = await loop.sock_recv(sock, MOST_HEAD)
        if not piece:
            raise ConnectionResetError
        read += piece
        while HEAD_END in read:
            head, _, read = read.partition(HEAD_END)
            if request.answered_by(head + HEAD_END):
                return
        if len(read) > MOST_HEAD or not _may_be_sip(read):
            raise ValueError("it answers, but not in SIP")


def _may_be_sip(read: bytes) -> bool:
    """Whether this can still become a SIP response."""
    begin = read.lstrip(b"\r\n")[:8]
    return b"SIP/2.0 ".startswith(begin)


async def _handshake(
    check: ReachCheck,
    sock: socket.socket,
    since_ns: tuple[int, int],
    monotonic_ns: Callable[[], int],
    tls: ssl.SSLContext,
) -> Answer:
    """Shake hands over a connected socket; the certificate is the platform's own affair, but its end is told."""
    began_ns, connected_ns = since_ns
    transport, _ = await asyncio.get_running_loop().create_connection(
        asyncio.Protocol, sock=sock, ssl=tls, server_hostname=check.host
    )
    done_ns = monotonic_ns()
    try:
        certificate = transport.get_extra_info("peercert") or {}
        until = certificate.get("notAfter")
        return Answer(
            ReachOutcome.ANSWERED,
            _ms(done_ns - began_ns),
            connect_ms=_ms(connected_ns - began_ns),
            handshake_ms=_ms(done_ns - connected_ns),
            certificate_until_ns=ssl.cert_time_to_seconds(until) * SECOND_NS if until else None,
        )
    finally:
        transport.abort()


def _sip_request(check: ReachCheck, sock: socket.socket, transport: str) -> Request:
    local = HostPort(*sock.getsockname()[:2])
    return Request(HostPort(check.host, check.port), local, transport, secrets.token_hex(_TOKEN_OCTETS))


def _ms(ns: int) -> float:
    return ns / MS_NS
