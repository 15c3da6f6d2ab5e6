"""Strangers, and enrolled probes that do what they must not, at the listener for offices: refused by the broker itself."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Any

import pytest

from collector.broker.mosquitto import MAX_PACKET_BYTES
from collector.mqtt import Membership

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
ROOT = "tatpar/1"
NOT_AUTHORIZED = 0x87
NOBODY_THERE = 0x10


async def test_nobody_comes_in_without_a_good_password(door: Any) -> None:
    """Anonymous, unknown, wrong: refused with a reason, on the hub's own listener as well; the hub's user is none outside."""
    credential, _ = await door.invite()
    for user, password in [("", ""), ("meerut.p1.1", "x"), (credential.user, "wrong"), door.broker.login()]:
        await door.connect(user, password, expect=NOT_AUTHORIZED)
    await door.connect("", "", public=False, expect=NOT_AUTHORIZED)
    good = door.keys.password(credential)
    await door.connect(credential.user, good, public=False, expect=NOT_AUTHORIZED)
    await door.connect(credential.user, good)


async def test_a_probe_writes_only_what_is_its_own(
    hub: Any, eventually: Eventually, make_report: Any
) -> None:
    """Another's topics, what only the hub writes, what is none of ours: 0x87 each, and nothing of it is kept or collected."""
    agra = await hub.enter("agra", "p1")
    await hub.enter("meerut", "p1")
    forbidden = [
        *(
            f"{ROOT}/meerut/p1/{leaf}"
            for leaf in ("report", "backlog", "presence", "answer", "plan", "stored")
        ),
        *(f"{ROOT}/agra/p2/{leaf}" for leaf in ("report", "presence")),
        *(f"{ROOT}/agra/p1/{leaf}" for leaf in ("plan", "stored", "command", "x", "report/x")),
        f"{ROOT}/agra/report",
        "$SYS/broker/uptime",
        "elsewhere",
    ]
    before = hub.counts["messages"]
    for topic in forbidden:
        assert await agra.publish(topic, b"{}", retain=True) == NOT_AUTHORIZED, topic
    assert await agra.publish(f"{ROOT}/agra/p1/report", make_report()) == 0
    await eventually(lambda: hub.counts["stored"] == 1)
    assert hub.counts["messages"] == before + 1
    insider = await hub.insider()
    await insider.subscribe(f"{ROOT}/#")
    await insider.publish(f"{ROOT}/last/one/x", b"")
    await eventually(lambda: any(m.topic.endswith("/last/one/x") for m in insider.mail))
    poisoned = [m.topic for m in insider.mail if m.retain and bytes(m.payload) == b"{}"]
    assert poisoned == []


async def test_a_wildcard_subscription_shows_nothing_of_others(hub: Any, eventually: Eventually) -> None:
    """Mosquitto grants the subscription and delivers only what the access list lets this user read: its own plan."""
    meerut = await hub.enter("meerut")
    insider = await hub.insider()
    await insider.publish(f"{ROOT}/agra/p1/plan", b"secret", retain=True)
    for topic in (
        "#",
        f"{ROOT}/#",
        f"{ROOT}/+/+/plan",
        f"{ROOT}/agra/p1/command",
        "$SYS/#",
        f"{ROOT}/+/+/report",
    ):
        await meerut.subscribe(topic)
    await insider.publish(f"{ROOT}/agra/p1/command", b"secret")
    await insider.publish(f"{ROOT}/agra/p1/report", b"secret")
    await insider.publish(f"{ROOT}/meerut/p1/command", b"for you")
    await eventually(lambda: any(bytes(m.payload) == b"for you" for m in meerut.mail))
    assert {m.topic.split("/")[2] for m in meerut.mail} == {"meerut"}


HOSTILE = [
    "../..",
    "..",
    "%2e%2e",
    "agra%2fp1",
    "आगरा",
    "A" * 60_000,
    "agra\u202e",
    "agra p1",
    "'; DROP TABLE",
]


async def test_hostile_names_are_refused(hub: Any, eventually: Eventually) -> None:
    """0x87 from the broker; should one let them through, the collector counts each and creates nothing anywhere."""
    agra = await hub.enter("agra")
    for name in HOSTILE:
        assert await agra.publish(f"{ROOT}/{name}/p1/report", b"{}") == NOT_AUTHORIZED, name[:20]
    insider = await hub.insider()
    files = {path for path in hub.data_dir.rglob("*") if path.is_dir()}
    for name in HOSTILE:
        assert await insider.publish(f"{ROOT}/{name}/p1/report", b"{}") in {0, NOBODY_THERE}
    single = sum(
        "/" not in name for name in HOSTILE
    )  # two levels more match no subscription of the collector
    await eventually(lambda: hub.counts["refused"].get("topic", 0) == single)
    assert {path for path in hub.data_dir.rglob("*") if path.is_dir()} == files


def packet(topic: bytes) -> bytes:
    """A PUBLISH at QoS 1 with whatever for a topic."""
    body = struct.pack("!H", len(topic)) + topic + b"\0\1\0{}"
    return bytes([0x32, len(body)]) + body


def connect_packet(user: str, password: str) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("!H", len(value)) + value.encode()

    body = (
        text("MQTT")
        + bytes([5, 0xC2])
        + struct.pack("!H", 30)
        + b"\0"
        + text("")
        + text(user)
        + text(password)
    )
    return bytes([0x10, len(body)]) + body


NO_TOPICS = [b"tatpar/1/+/p1/report", b"tatpar/1/#", b"tatpar/1/agra\0/p1/report", b"\xff\xfe", b""]


async def test_topics_that_are_none_end_the_connection(door: Any) -> None:
    """Wildcards, NUL and broken UTF-8 in the topic of a PUBLISH: the broker hangs up without a PUBACK, and lives."""
    credential, _ = await door.invite()
    password = door.keys.password(credential)

    def talk(topic: bytes) -> bytes:
        with (
            socket.create_connection(("127.0.0.1", door.public_port), timeout=60) as plain,
            door.tls().wrap_socket(plain, server_hostname="localhost") as sock,
        ):
            sock.sendall(connect_packet(credential.user, password))
            head = sock.recv(2)
            assert head[0] == 0x20
            sock.recv(head[1])
            sock.sendall(packet(topic))
            said = b""
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while more := sock.recv(4096):
                    said += more
            return said

    for topic in NO_TOPICS:
        assert (await asyncio.to_thread(talk, topic))[:1] in {b"", b"\xe0"}, topic  # nothing, or DISCONNECT
    await door.connect(credential.user, password)


async def test_what_is_too_large_is_refused_by_the_broker_or_else_by_the_collector(
    hub: Any, eventually: Eventually
) -> None:
    """Past the broker's packet size it hangs up on the sender; between that and a report's own bound the collector counts it."""
    agra = await hub.enter("agra")
    assert await agra.publish(f"{ROOT}/agra/p1/report", b"x" * (257 * 1024)) == 0
    await eventually(lambda: hub.counts["refused"].get("too_large") == 1)
    agra.raw.publish(f"{ROOT}/agra/p1/report", b"x" * (MAX_PACKET_BYTES + 1), qos=1)
    await eventually(lambda: agra.lost)
    assert hub.counts["messages"] == 1
    assert hub.counts["bridge"]["connected"]


async def test_a_client_id_cannot_be_stolen(hub: Any, eventually: Eventually) -> None:
    """Whoever calls himself like another probe or like the collector gets his own user's name: nobody is thrown out."""
    meerut = await hub.enter("meerut")
    connects = hub.collector.bridge.connects
    credential, _ = await hub.invite("agra")
    password = hub.keys.password(credential)
    for stolen in ("meerut.p1.1", Membership.alone(ROOT).client_id, "tatpar-meerut-p1"):
        thief = await hub.connect(credential.user, password, client_id=stolen)
        assert await thief.publish(f"{ROOT}/meerut/p1/presence", b"{}") == NOT_AUTHORIZED
    assert await meerut.publish(f"{ROOT}/meerut/p1/presence", b'{"online":true,"since_ns":1}') == 0
    await eventually(lambda: hub.counts["presences"] >= 1)
    assert not meerut.lost
    assert hub.collector.bridge.connects == connects


@pytest.mark.parametrize("shared", [False, True])
async def test_who_joins_the_collectors_share_steals_nothing(
    door: Any, eventually: Eventually, make_report: Any, shared: bool
) -> None:
    """The group has a name that a probe cannot guess: neither a lone collector nor several lose a report to it."""
    membership = Membership.member() if shared else Membership.alone(ROOT)
    async with door.collecting(membership=membership):
        thief = await door.enter("meerut")
        for leaf in ("report", "backlog"):
            await thief.subscribe(f"$share/collectors/{ROOT}/+/+/{leaf}")
        agra = await door.enter("agra")
        for seq in range(1, 21):
            assert await agra.publish(f"{ROOT}/agra/p1/report", make_report(seq)) == 0
        await eventually(lambda: door.counts["stored"] == 20)
        assert not thief.mail


async def test_plain_tcp_gets_no_answer_on_the_tls_port(door: Any) -> None:
    """MQTT without TLS: the broker hangs up without a CONNACK."""

    def talk() -> bytes:
        with socket.create_connection(("127.0.0.1", door.public_port), timeout=60) as sock:
            sock.sendall(connect_packet("agra.p1.1", "x"))
            with contextlib.suppress(ConnectionError):
                return sock.recv(100)
            return b""

    assert b"\x20" not in (await asyncio.to_thread(talk))[:1]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_tls_is_refused(door: Any) -> None:
    """TLS 1.0 and 1.1, at the broker and at the desk: no handshake."""

    def shake(version: ssl.TLSVersion, port: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
            context.wrap_socket(sock).close()

    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        for port in (door.public_port, door.desk_port):
            with pytest.raises(OSError, match=r"(?i)alert|eof|reset|version"):
                await asyncio.to_thread(shake, version, port)
