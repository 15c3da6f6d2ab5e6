"""Things to be asked: a SIP device, a STUN server and a TLS server, small ones written from the RFCs; and certificates for the last."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

COOKIE: Final = 0x2112A442
ASKED_FOR: Final = (
    "via",
    "max-forwards",
    "to",
    "from",
    "call-id",
    "cseq",
    "contact",
    "accept",
    "content-length",
)
"""RFC 3261 8.1.1 and 11.1."""


def sip_answer(request: bytes, status: str = "200 OK") -> bytes:
    """What a user agent server answers (RFC 3261 8.2.6): it looks at the request as the RFC has it, or raises."""
    head, blank, body = request.partition(b"\r\n\r\n")
    assert (blank, body) == (b"\r\n\r\n", b"")
    first, *lines = head.decode("ascii").split("\r\n")
    method, uri, version = first.split(" ")
    assert (method, version) == ("OPTIONS", "SIP/2.0")
    assert uri.startswith("sip:")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    assert all(name in fields for name in ASKED_FOR), fields
    assert len(fields) == len(lines)
    assert fields["cseq"].split()[1] == "OPTIONS"
    assert ";tag=" in fields["from"]
    assert ";tag=" not in fields["to"]
    assert ";branch=z9hG4bK" in fields["via"]
    assert 0 < int(fields["max-forwards"]) <= 70
    assert fields["content-length"] == "0"
    answer = (
        f"SIP/2.0 {status}",
        f"v: {fields['via']};received=127.0.0.1",
        f"From: {fields['from']}",
        f"To: {fields['to']};tag=314159",
        f"CALL-ID: {fields['call-id']}",
        "CSeq:",
        f" {fields['cseq']}",  # a folded line, as RFC 3261 7.3.1 lets it be
        "Allow: INVITE, ACK, OPTIONS, BYE",
        "Content-Length: 0",
    )
    return ("\r\n".join(answer) + "\r\n\r\n").encode()


def stun_answer(request: bytes, kind: int = 0x0101) -> bytes:
    """What a STUN server answers (RFC 8489 6.3.1): the address it saw, exclusive-or'ed, after an attribute it was not asked for."""
    asked, length, cookie, transaction = struct.unpack_from("!HHI12s", request)
    assert (asked, length, cookie, len(request)) == (0x0001, 0, COOKIE, 20)
    software = struct.pack("!HH", 0x8022, 5) + b"tests" + b"\0\0\0"
    mapped = struct.pack("!HHBBHI", 0x0020, 8, 0, 1, 4242 ^ COOKIE >> 16, 0x7F000001 ^ COOKIE)
    return struct.pack("!HHI12s", kind, len(software + mapped), cookie, transaction) + software + mapped


@dataclass
class Device(asyncio.DatagramProtocol):
    """Answers over UDP; while it is off the port stays silent. `lose`: so many requests are lost first."""

    protocol: str
    status: str = "200 OK"
    off: bool = False
    lose: int = 0
    noise: list[bytes] = field(default_factory=list)
    """Sent before each answer."""
    asked: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        if self.off or self.asked <= self.lose:
            return
        answer = sip_answer(data, self.status) if self.protocol == "sip" else stun_answer(data)
        for datagram in (*self.noise, answer):
            self.transport.sendto(datagram, addr)  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def device(protocol: str) -> AsyncIterator[Device]:
    """A device on a port of its own."""
    made = Device(protocol)
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: made, local_addr=("127.0.0.1", 0))
    try:
        yield made
    finally:
        made.transport.close()


@contextlib.asynccontextmanager
async def sip_over_tcp(status: str = "200 OK", *, cut: int = 7) -> AsyncIterator[int]:
    """A device that speaks SIP over TCP, and sends its answer in pieces; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = sip_answer(await reader.readuntil(b"\r\n\r\n"), status)
        for at in range(0, len(answer), len(answer) // cut):
            writer.write(answer[at : at + len(answer) // cut])
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        yield server.sockets[0].getsockname()[1]


@dataclass(frozen=True)
class Platform:
    """A TLS server's port, and what vouches for it."""

    port: int
    trust: ssl.SSLContext
    until_ns: int


@contextlib.asynccontextmanager
async def tls_server(folder: Path, *, days: int = 30) -> AsyncIterator[Platform]:
    """A real TLS server for `localhost`, whose certificate is its own authority; `days` below 0: it has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    until = now + dt.timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=90))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    trust = ssl.create_default_context(cadata=pem.decode())
    async with await asyncio.start_server(serve, "127.0.0.1", ssl=context) as server:
        yield Platform(server.sockets[0].getsockname()[1], trust, int(until.timestamp()) * 10**9)
