"""Strangers at the enrolment desk: guessed, spent and stolen tokens, garbage, silence, floods, and desks that are not ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from collector.enrolment.authority import Authority
from collector.enrolment.https import PER_ADDRESS, Request
from collector.enrolment.issuing import revoke
from collector.enrolment.limiter import ATTEMPTS
from collector.enrolment.strays import MOST, Strays
from config.address import counted_as
from probes.enrolment import desk_client
from probes.enrolment.desk_client import PinError, RefusedError, UnreachableError
from tatpar.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
NONCE, OTHER = "n" * 32, "o" * 32


async def ask(door: Any, token: str, nonce: str = NONCE, pin: str | None = None) -> Any:
    hubs = [f"localhost:{door.desk_port}"]
    grant, _ = await asyncio.to_thread(desk_client.redeem, hubs, pin or door.authority.pin, token, nonce)
    return grant


async def test_a_token_is_good_once(door: Any) -> None:
    """The one who redeemed it may ask again and gets the same; everybody else is refused, which is on record."""
    credential, token = await door.invite()
    grant = await ask(door, token)
    assert (grant.site, grant.probe, grant.user) == ("agra", "p1", credential.user)
    assert await ask(door, token) == grant
    with pytest.raises(
        RefusedError, match="has been redeemed already; if it was not by this machine, tell the hub"
    ):
        await ask(door, token, OTHER)
    assert door.desk.counters.refused == {"redeemed": 1}
    assert [e.what for e in door.state.identity_events(9)] == [
        "refused:redeemed",
        "redeem again",
        "redeem",
        "enrol",
    ]


async def test_of_many_who_redeem_at_once_one_gets_in(door: Any) -> None:
    """Eight with the same stolen token at the same moment: exactly one grant."""
    _, token = await door.invite()
    found = await asyncio.gather(
        *(ask(door, token, nonce=letter * 32) for letter in "abcdefgh"), return_exceptions=True
    )
    assert sum(not isinstance(one, Exception) for one in found) == 1
    assert door.desk.counters.redeemed == 1
    assert door.desk.counters.refused == {"redeemed": 7}


async def test_tokens_that_are_no_good(door: Any) -> None:
    """Guessed, expired, revoked, replaced by a newer one: each refused with its own line and counter."""
    _, expired = await door.invite("agra", "p1", hours=1e-7)
    _, replaced = await door.invite("meerut", "p1")
    _, revoked = await door.invite("meerut", "p1")
    revoke(door.state, "meerut", "p1", time.time_ns())
    for token, words in [
        ("guess" * 8, "is not known here"),
        (expired, "has expired"),
        (replaced, "revoked or replaced"),
        (revoked, "revoked or replaced"),
    ]:
        with pytest.raises(RefusedError, match=words):
            await ask(door, token)
    assert door.desk.counters.refused == {"unknown": 1, "expired": 1, "revoked": 2}
    assert door.state.valid_credentials(time.time_ns()) == []


async def test_who_was_refused_is_shown_with_the_address(door: Any) -> None:
    """By the command that the doctor names: whose token it was and who had it; and those that guess, counted, not on the record."""
    _, token = await door.invite()
    await ask(door, token)
    for stranger, nonce in ((token, OTHER), ("guess" * 8, NONCE), ("guess" * 8, NONCE)):
        with pytest.raises(RefusedError):
            await ask(door, stranger, nonce)
    assert [one.what for one in door.state.identity_events(1)] == ["refused:redeemed"]
    door.desk._renew_and_beat()  # as it does every half a minute
    shown = {
        lang: CliRunner().invoke(main, ["refused", "--data", str(door.data_dir), "--lang", lang]).stdout
        for lang in ("en", "hi")
    }
    guesses, spent = shown["en"].splitlines()
    peer = r"(127\.0\.0\.1|::1)"
    assert re.search(f"the token of agra/p1 came from {peer} and had been redeemed already", spent)
    assert "tatpar revoke agra" in spent
    assert re.search(f"{peer} was refused, 2 in all since its start: token or signature is not ours", guesses)
    assert "डेस्क" in shown["hi"]
    assert "refused" not in shown["hi"]
    told = CliRunner().invoke(main, ["refused", "--data", str(door.data_dir), "--json"])
    assert [(row["code"], row["desk"]["site"], row["desk"]["count"]) for row in json.loads(told.stdout)] == [
        ("unknown", "", 2),
        ("redeemed", "agra", 1),
    ]


def test_strays_are_bounded() -> None:
    """However many addresses there are, the latest twenty are known."""
    strays = Strays()
    for number in range(100):
        strays.note(f"10.0.0.{number}", "unknown", number)
    strays.note("10.0.0.80", "unknown", 100)
    kept = strays.detail()
    assert len(kept) == MOST
    assert kept[-1] == {"peer": "10.0.0.80", "reason": "unknown", "at_ns": 100, "count": 2}
    assert kept[0]["peer"] == "10.0.0.81"


async def test_a_retry_is_good_for_minutes_only(door: Any) -> None:
    """Ten minutes later the same nonce gets nothing any more: the answer must have arrived by then."""
    from collector.enrolment.desk import RETRY_NS
    from collector.enrolment.issuing import token_hash
    from telemetry.state.tokens import Redeemed

    _, token = await door.invite()
    now_ns = time.time_ns()
    asked = [
        door.state.redeem_token(token_hash(token), b"n", now_ns + t, RETRY_NS)
        for t in (0, RETRY_NS - 1, RETRY_NS)
    ]
    assert [one.outcome for one in asked] == [Redeemed.NOW, Redeemed.AGAIN, Redeemed.SPENT]


async def test_guessing_is_slowed_down(door: Any) -> None:
    """After ten failures an address has to wait; a good token from it has to wait as well, and then is good."""
    _, token = await door.invite()
    door.desk._limiter = type(door.desk._limiter)(
        per_second=0.0
    )  # else a slow machine's guesses are spread over time
    for _ in range(round(ATTEMPTS)):
        with pytest.raises(RefusedError):
            await ask(door, "guess" * 8)
    with pytest.raises(UnreachableError, match="too many failures from this address; wait a minute"):
        await ask(door, token)
    assert door.desk.counters.refused == {"unknown": 10, "too_many": 1}
    door.desk._limiter = type(door.desk._limiter)()
    assert (await ask(door, token)).site == "agra"


async def test_what_was_refused_goes_with_the_heartbeat(door: Any) -> None:
    """The desk's next sign of life carries what it refused, and by what; it outlives it."""
    with pytest.raises(RefusedError):
        await ask(door, "guess" * 8)
    door.desk._renew_and_beat()
    assert door.state.beats()["enroll"].detail["refused"] == {"unknown": 1}


async def test_paths_that_do_not_exist_are_limited_as_guesses_are(door: Any) -> None:
    """Whoever asks for anything at all gets no more refusals, and no more lines in the log, than one who guesses."""
    for _ in range(round(ATTEMPTS) + 5):
        await door.desk.answer(Request("GET", "/x", b"", "192.0.2.9"))
    assert door.desk.counters.refused == {"not_found": round(ATTEMPTS), "too_many": 5}


async def test_a_machine_with_many_addresses_is_one(door: Any) -> None:
    """Of IPv6 a /64 is counted as one; IPv4 written as IPv6 is not all one; a neighbour is not kept out."""
    for number in range(round(ATTEMPTS) + 5):
        await door.desk.answer(Request("GET", "/x", b"", f"2001:db8::{number + 1:x}"))
    assert door.desk.counters.refused == {"not_found": round(ATTEMPTS), "too_many": 5}
    for peer in ("2001:db8:0:1::1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"):
        await door.desk.answer(Request("GET", "/x", b"", peer))
    assert door.desk.counters.refused == {"not_found": round(ATTEMPTS) + 3, "too_many": 5}
    assert counted_as("fe80::1%eth0") == counted_as("fe80::2") == "fe80::/64"
    assert counted_as("unknown") == "unknown"


GARBAGE = [
    b"\x00" * 64,
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\xff\xff" + b"x" * 200,
    b"\x10\x0c\x00\x04MQTT\x05",
]


async def test_garbage_instead_of_tls_ends_that_connection_only(door: Any) -> None:
    """No answer that helps anybody, one more broken connection counted each, and the next probe is served."""

    def throw(garbage: bytes) -> None:
        with socket.create_connection(("127.0.0.1", door.desk_port), timeout=60) as sock:
            sock.sendall(garbage)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(4096):
                    continue

    for garbage in GARBAGE:
        await asyncio.to_thread(throw, garbage)
    _, token = await door.invite()
    assert (await ask(door, token)).site == "agra"
    assert door.desk.server.counters.broken >= len(GARBAGE)


def spoken(door: Any, data: bytes) -> bytes:
    """What the desk answers to some bytes within TLS."""
    with (
        socket.create_connection(("127.0.0.1", door.desk_port), timeout=60) as plain,
        door.tls().wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            sock.sendall(data)
        said = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while more := sock.recv(4096):
                said += more
        return said


REQUESTS = [
    (b"nonsense\r\n\r\n", b"400"),
    (b"POST /redeem HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n" + b"x" * 5000, b"413"),
    (b"POST /redeem HTTP/1.1\r\nhost: x\r\n" + b"a: " + b"b" * 20_000 + b"\r\n\r\n", b"431"),
    (b"POST /redeem HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}", b"400"),
    (b"POST /redeem HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n\xff\xfe{", b"400"),
    (b"POST /redeem HTTP/1.1\r\nhost: x\r\ncontent-length: 3000\r\n\r\n" + b"[" * 3000, b"400"),
    (b"GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", b"404"),
    (b"DELETE /ca HTTP/1.1\r\nhost: x\r\n\r\n", b"404"),
]


async def test_requests_that_are_none_are_answered_with_their_fault(door: Any) -> None:
    """Bounded in head and body; never a traceback, never a secret."""
    for data, status in REQUESTS:
        said = await asyncio.to_thread(spoken, door, data)
        assert said.startswith(b"HTTP/1.1 " + status), data[:40]
        assert b"Traceback" not in said
    assert door.desk.server.counters.too_large == 1


async def test_who_says_nothing_is_cut_off_and_holds_up_nobody(door: Any, eventually: Eventually) -> None:
    """Sockets that are opened and left, before and after the handshake: each address has a share, each conversation an end."""
    usual_s, door.desk.server.conversation_s = door.desk.server.conversation_s, 1.0
    silent = [socket.create_connection(("127.0.0.1", door.desk_port)) for _ in range(PER_ADDRESS + 4)]
    await eventually(lambda: door.desk.server.counters.turned_away >= 4)
    await eventually(
        lambda: door.desk.server.counters.too_slow + door.desk.server.counters.broken >= PER_ADDRESS
    )
    for one in silent:
        one.close()
    door.desk.server.conversation_s = usual_s
    _, token = await door.invite()
    assert (await ask(door, token)).site == "agra"


async def test_a_desk_with_another_authority_is_told_nothing(
    door: Any, tmp_path: Path, fake_desk: Any
) -> None:
    """Somebody in between with a certificate of his own: the pin is another, and the token never leaves the probe."""
    other = Authority(tmp_path / "other", time.time_ns())
    _, token = await door.invite()
    async with fake_desk(other.issue(["localhost"], time.time_ns()), other.certificate_pem) as (port, heard):
        with pytest.raises(PinError, match="is not our hub: its authority has the pin"):
            await asyncio.to_thread(
                desk_client.redeem, [f"localhost:{port}"], door.authority.pin, token, NONCE
            )
    assert heard == ["GET /ca"]
    assert (await ask(door, token)).site == "agra"


async def test_a_desk_that_shows_our_authority_without_its_key_is_told_nothing(
    door: Any, tmp_path: Path, fake_desk: Any
) -> None:
    """He may copy the certificate of our authority, which is no secret; he cannot serve one that it has signed."""
    other = Authority(tmp_path / "other", time.time_ns())
    _, token = await door.invite()
    async with fake_desk(other.issue(["localhost"], time.time_ns()), door.authority.certificate_pem) as (
        port,
        heard,
    ):
        with pytest.raises(PinError, match="its certificate is not good"):
            await asyncio.to_thread(
                desk_client.redeem, [f"localhost:{port}"], door.authority.pin, token, NONCE
            )
    assert heard == ["GET /ca"]


@pytest.mark.parametrize(
    ("names", "days", "why"),
    [(["localhost"], -1.0, "expired"), (["elsewhere.example"], 30.0, "[Hh]ostname mismatch")],
)
async def test_a_desk_with_an_expired_certificate_or_another_name_is_told_nothing(
    door: Any, fake_desk: Any, names: list[str], days: float, why: str
) -> None:
    """Also when our own authority has signed it: a stolen old key opens nothing."""
    _, token = await door.invite()
    pem = door.authority.issue(names, time.time_ns(), days)
    async with fake_desk(pem, door.authority.certificate_pem) as (port, heard):
        with pytest.raises(PinError, match=why):
            await asyncio.to_thread(
                desk_client.redeem, [f"localhost:{port}"], door.authority.pin, token, NONCE
            )
    assert heard == ["GET /ca"]


@pytest.fixture
def fake_desk(tmp_path: Path) -> Any:
    """A desk of somebody else's: serves a certificate and calls some text its authority."""

    @contextlib.asynccontextmanager
    async def serve(pem: bytes, authority: str) -> Any:
        file = tmp_path / "fake.pem"
        file.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        heard: list[str] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            heard.append(" ".join(head.decode().split(" ")[:2]))
            body = authority.encode() if b"/ca" in head else json.dumps({"stolen": True}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
        async with server:
            yield server.sockets[0].getsockname()[1], heard

    return serve
