"""The collector's own MQTT 5: packets parsed in place, reading that stops in the middle, a peer that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector import packets
from collector.broker.embedded import packets as embedded
from collector.broker.embedded import replies, wire
from collector.broker.embedded.packets import V5, Publish
from collector.broker.embedded.properties import Property
from collector.broker.embedded.reasons import PacketError
from collector.link import MAX_UNACKED_PUBLISHES, Link, LinkError, LinkOptions
from collector.packets import Wish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from collector.message import Message

    Eventually = Callable[..., Awaitable[None]]

CONNACK = b"\x20\x03\x00\x00\x00"
AGE = ((Property.CONTENT_TYPE, "application/json"), (Property.USER, ("age-ms", "4711")))


def body_of(packet: bytes) -> tuple[int, memoryview, int, int]:
    """Head, buffer, and where the body lies in it."""
    view = memoryview(packet)
    span = packets.frame_at(view, 0, len(view), 1 << 20)
    assert span is not None
    return packet[0], view, *span


def published(
    properties: tuple[tuple[int, object], ...] = AGE, qos: int = 1, payload: bytes = b"{}"
) -> bytes:
    message = Publish("tatpar/1/agra/p1/report", payload, qos, mid=7, properties=properties)  # type: ignore[arg-type]
    return replies.publish(V5, message)


def test_a_publication_is_read_as_it_was_written() -> None:
    """Topic, payload, quality, number and age, with the properties that a probe sends and with others between them."""
    more = (
        (Property.PAYLOAD_FORMAT, 1),
        (Property.MESSAGE_EXPIRY, 9),
        (Property.RESPONSE_TOPIC, "a"),
        (Property.CORRELATION_DATA, b"b"),
        (Property.USER, ("other", "x")),
        (Property.SUBSCRIPTION_ID, 300),
        *AGE,
    )
    for properties in (AGE, more):
        found = packets.read_publish(*body_of(published(properties)))
        assert found == packets.Published(b"tatpar/1/agra/p1/report", b"{}", 1, False, 7, 4711)
    assert packets.read_publish(*body_of(published((), qos=0))).age_ms is None


def test_the_properties_that_probes_send_are_read_alike_at_a_glance_and_one_by_one() -> None:
    """The quick look says what the long one says, also next to what it is made for: cut, longer, followed by more."""

    def said(read: Callable[[bytes], int | None], block: bytes) -> object:
        try:
            return read(block)
        except PacketError:
            return "malformed"

    told = b"\x03\x00\x10application/json&\x00\x06age-ms\x00\x03123"
    assert packets._said_age_ms(told) == 123
    near = [told[:end] for end in range(len(told))] + [told + b"4", told + b"\x01\x01", told[:-1] + b"x"]
    for block in near:
        assert said(packets._said_age_ms, block) == said(packets._age_ms, block)


@pytest.mark.parametrize(
    "said",
    [("age-ms", "-1"), ("age-ms", "1" * 16), ("age-ms", "१२"), ("age-ms", ""), ("age", "5")],
)
def test_an_age_that_is_no_plain_number_is_no_age(said: tuple[str, str]) -> None:
    """Nothing is guessed from it."""
    assert packets.read_publish(*body_of(published(((Property.USER, said),)))).age_ms is None


def test_an_age_by_a_clock_that_can_be_moved_does_not_count() -> None:
    """Only the monotonic clock vouches for an age."""
    said = (*AGE, (Property.USER, ("age-clock", "real")))
    assert packets.read_publish(*body_of(published(said))).age_ms is None


def test_a_hundred_thousand_broken_publications_are_read_or_refused() -> None:
    """Whatever comes, cut short or with bytes changed, the parser says what it is or that it is malformed."""
    draw = random.Random(5)
    whole = published(payload=b"x" * 20)
    fates = {"read": 0, "refused": 0}
    for _ in range(100_000):
        broken = bytearray(whole)
        for _ in range(draw.randrange(1, 4)):
            broken[draw.randrange(2, len(broken) - 20)] = draw.randrange(256)
        end = len(broken) - (draw.randrange(1, len(broken) - 2) if draw.random() < 0.3 else 0)
        try:
            packets.read_publish(broken[0], memoryview(broken), 2, end)
        except PacketError:
            fates["refused"] += 1
        else:
            fates["read"] += 1
    assert fates["refused"] > 20_000
    assert fates["read"] > 20_000


def test_what_we_say_is_understood_by_our_own_broker() -> None:
    """CONNECT, SUBSCRIBE, UNSUBSCRIBE, PUBLISH and PUBACK pass the strict parser and mean what they should."""

    def parsed(packet: bytes) -> embedded.Packet:
        head, view, start, stop = body_of(packet)
        return embedded.parse(head, bytes(view[start:stop]), V5)

    hello = parsed(
        packets.connect(
            *("hub",),
            clean_start=True,
            keepalive_s=60,
            session_expiry_s=3600,
            receive_maximum=1000,
            max_packet_bytes=1 << 20,
            user="hub",
            password="secret",
        )
    )
    assert isinstance(hello, embedded.Connect)
    assert (hello.client_id, hello.clean_start, hello.user, hello.password) == ("hub", True, "hub", b"secret")
    wish = Wish("a/+/b", 1, packets.RetainHandling.DO_NOT_SEND)
    assert parsed(packets.subscribe(3, [wish])) == embedded.Subscribe(
        3, (embedded.Wish("a/+/b", 1, retain_handling=2),)
    )
    assert parsed(packets.unsubscribe(4, ["a/+/b"])) == embedded.Unsubscribe(4, ("a/+/b",))
    assert parsed(packets.publish("t", b"x", 1, 9, retain=True)) == Publish("t", b"x", 1, True, mid=9)
    assert parsed(packets.puback(9)) == embedded.Puback(9, 0)
    assert parsed(packets.puback(9, 0x97)) == embedded.Puback(9, 0x97)


class Peer:
    """A broker's end of the connection, played by the test."""

    def __init__(self) -> None:
        self.writer: asyncio.StreamWriter | None = None
        self.heard = b""
        self.greeting = CONNACK

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.heard = await reader.read(1)
        writer.write(self.greeting)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                self.heard += data
        writer.close()

    def say(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, LinkOptions]]:
    played = Peer()
    server = await asyncio.start_server(played.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield played, LinkOptions("127.0.0.1", port, keepalive_s=1)
    server.close()
    if played.writer is not None:
        played.writer.close()


def link_to(options: LinkOptions, receive: Callable[[Message], None]) -> Link:
    return Link(1, options, receive, time.time_ns)


async def test_reading_stops_in_the_middle_of_what_has_arrived_and_goes_on_there(
    peer: tuple[Peer, LinkOptions], eventually: Eventually
) -> None:
    """Paused at the tenth of a hundred that came at one go: not one more is handed over until it is resumed."""
    played, options = peer
    taken: list[Message] = []

    def receive(message: Message) -> None:
        taken.append(message)
        if len(taken) == 10:
            link.pause()

    link = link_to(options, receive)
    await link.open()
    played.say(b"".join(published(payload=b"%d" % i) for i in range(100)))
    await eventually(lambda: len(taken) >= 10)
    await link.lost(0.05)
    assert len(taken) == 10
    link.resume()
    await eventually(lambda: len(taken) == 100)
    assert [int(message.payload) for message in taken] == list(range(100))
    link.close()


async def test_packets_cut_anywhere_arrive_whole(
    peer: tuple[Peer, LinkOptions], eventually: Eventually
) -> None:
    """Byte by byte, and with a payload far greater than one read."""
    played, options = peer
    taken: list[Message] = []
    link = link_to(options, taken.append)
    await link.open()
    assert played.writer is not None
    for byte in published(payload=b"slowly"):
        played.say(bytes([byte]))
        await played.writer.drain()
        await asyncio.sleep(0)
    played.say(published(payload=b"x" * 900_000) * 3)
    await eventually(lambda: len(taken) == 4)
    assert [len(message.payload) for message in taken] == [6, 900_000, 900_000, 900_000]
    link.close()


async def test_a_batch_is_acknowledged_in_one_go_and_a_refusal_says_why(
    peer: tuple[Peer, LinkOptions], eventually: Eventually
) -> None:
    """PUBACK without a word for what is stored, with "quota exceeded" (0x97) for what is refused for now."""
    played, options = peer
    taken: list[Message] = []
    link = link_to(options, taken.append)
    await link.open()
    played.say(published() * 3)
    await eventually(lambda: len(taken) == 3)
    link.acknowledge(taken[0])
    link.refuse(taken[1])
    link.acknowledge(taken[2])
    await eventually(lambda: played.heard.endswith(b"\x40\x02\x00\x07\x40\x03\x00\x07\x97\x40\x02\x00\x07"))
    link.close()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"\x30\xff\xff\xff\xff\x01", "remaining length of more than four bytes"),
        (b"\x32\xff\xff\xff\x7f", "packet of 268435460 bytes"),
        (b"\x34\x05\x00\x01a\x00\x01", "PUBLISH of QoS 2"),
        (b"\x32\x02\x00\x09", "PUBLISH ends too early"),
        (b"\xe0\x01\x8b", "it closed the connection: shutting down (0x8b)"),
        (b"\x10\x00", "packet type 1 is not for a client"),
    ],
)
async def test_a_broker_that_breaks_the_protocol_is_left(
    peer: tuple[Peer, LinkOptions], said: bytes, why: str
) -> None:
    """The connection ends with the reason, and nothing is handed over."""
    played, options = peer
    link = link_to(options, lambda _: pytest.fail("nothing may be handed over"))
    await link.open()
    played.say(said)
    assert why in str(await link.lost(60.0))
    link.close()


async def test_a_refused_or_silent_connection_is_told_in_one_line(
    peer: tuple[Peer, LinkOptions],
) -> None:
    """Who, and why: not authorised, no answer, nobody there."""
    played, options = peer
    played.greeting = b"\x20\x03\x00\x87\x00"
    with pytest.raises(LinkError, match=r"broker 127\.0\.0\.1:\d+ refuses us: not authorised \(0x87\)"):
        await link_to(options, lambda _: None).open()
    played.greeting = b""
    with pytest.raises(LinkError, match=r"no CONNACK within 0\.2 s"):
        await link_to(replace(options, connack_s=0.2), lambda _: None).open()
    with pytest.raises(LinkError, match=r"broker 127\.0\.0\.1:1:"):
        await link_to(LinkOptions("127.0.0.1", 1), lambda _: None).open()


async def test_publications_wait_for_their_answers(
    peer: tuple[Peer, LinkOptions], eventually: Eventually
) -> None:
    """At most so many are unanswered, fewer when the broker says so; an answer makes room; properties go with them."""
    played, options = peer
    limit = 5
    played.greeting = b"\x20\x06\x00\x00\x03\x21\x00" + bytes([limit])
    link = link_to(options, lambda _: None)
    await link.open()
    assert limit < MAX_UNACKED_PUBLISHES
    mids = [link.publish("t", b"x", 1, retain=False) for _ in range(limit)]
    assert None not in mids
    assert link.publish("t", b"x", 1, retain=False) is None
    answered: list[tuple[int, int]] = []
    link.published = lambda mid, reason: answered.append((mid, reason))
    played.say(b"\x40\x03" + wire.u16(mids[0] or 0) + b"\x87")
    await eventually(lambda: answered == [(mids[0], 0x87)])
    asked = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    asked.ResponseTopic = "back/here"
    assert link.publish("t", b"x", 1, retain=False, properties=asked) is not None
    await eventually(lambda: b"\x08\x00\x09back/here" in played.heard)
    link.close()


async def test_a_broker_that_does_not_answer_pings_is_left_unless_we_do_not_read(
    peer: tuple[Peer, LinkOptions], eventually: Eventually
) -> None:
    """Silence beyond one and a half keepalives ends the connection; while paused the answer would lie unread."""
    played, options = peer
    link = link_to(options, lambda _: None)
    await link.open()
    link.pause()
    now = link._loop.time()
    link._said_s = link._heard_s = now - 10
    link.keep_alive()
    await eventually(lambda: packets.PINGREQ in played.heard)
    link.keep_alive()
    assert await link.lost(0) is None
    link.resume()
    link._heard_s = now - 10
    link.keep_alive()
    assert await link.lost(0) == "no answer to our pings"
