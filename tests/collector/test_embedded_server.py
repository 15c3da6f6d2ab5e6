"""The embedded broker under abuse: it bounds what a client may cost, and goes on."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

import pytest

from collector.broker.embedded import replies, wire
from collector.broker.embedded.framing import Framer
from collector.broker.embedded.limits import Limits
from collector.broker.embedded.packets import V5, V311, Publish
from collector.broker.embedded.server import Broker
from collector.broker.knock import Answered, TurnedAway, knock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


@contextlib.asynccontextmanager
async def serving(limits: Limits | None = None) -> AsyncIterator[tuple[Broker, int]]:
    broker = Broker(limits)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(broker.serve("127.0.0.1", 0, ready))
    yield broker, await ready
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def connect(name: str = "", version: int = V5) -> bytes:
    body = (
        wire.text("MQTT")
        + bytes([version, 2])
        + wire.u16(0)
        + (b"\x00" if version == V5 else b"")
        + wire.text(name)
    )
    return b"\x10" + wire.varint(len(body)) + body


def subscribe(pattern: str) -> bytes:
    body = wire.u16(1) + b"\x00" + wire.text(pattern) + b"\x01"
    return b"\x82" + wire.varint(len(body)) + body


class Raw:
    """A client of bare packets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.framer = Framer(10**6)

    async def packets(self, count: int) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                data = await self.reader.read(65_536)
                if not data:
                    break
                found += self.framer.feed(data)
        return found


@contextlib.asynccontextmanager
async def raw(port: int) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Raw(reader, writer)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_sequences_of_broken_packets_never_harm_the_broker(
    eventually: Callable[..., Awaitable[None]],
) -> None:
    """Two thousand connections of good packets with flipped, dropped and inserted bytes; then all is as before."""
    draw = random.Random(7)
    good = [
        connect("fuzz"),
        subscribe("a/+"),
        replies.publish(
            V5, Publish("a/b", b"hello", 1, True, mid=3, properties=((0x26, ("k", "v")), (0x09, b"x")))
        ),
        b"\x40\x02\x00\x01",
        b"\xc0\x00",
        b"\xe0\x00",
    ]
    async with serving() as (broker, port):
        for _ in range(2000):
            data = bytearray(good[0] + b"".join(draw.choices(good, k=4)))
            for _ in range(draw.randint(1, 6)):
                at = draw.randrange(len(data))
                match draw.randrange(3):
                    case 0:
                        data[at] = draw.randrange(256)
                    case 1:
                        del data[at : at + draw.randint(1, 4)]
                    case _:
                        data[at:at] = draw.randbytes(draw.randint(1, 4))
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(bytes(data))
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        assert isinstance(await knock("127.0.0.1", port, timeout_s=60), Answered)
        await eventually(lambda: not broker._open)  # the last ones are read when the loop comes to them
        assert broker.account.malformed > 200
        assert len(broker._open) == 0
        assert len(broker.connected) == 0


async def test_the_client_is_told_why_it_is_sent_away() -> None:
    """DISCONNECT with the reason (MQTT 5, 4.13)."""
    async with serving() as (_, port), raw(port) as client:
        client.writer.write(connect() + b"\x32\x06" + wire.text("a") + b"\x00\x00\x00")
        assert [head >> 4 for head, _ in await client.packets(2)] == [2, 14]


async def test_an_unknown_version_is_answered_so_that_clients_can_fall_back() -> None:
    """CONNACK 0x84, then the end."""
    async with serving() as (_, port), raw(port) as client:
        client.writer.write(connect(version=6))
        assert await client.packets(2) == [(0x20, b"\x00\x84\x00")]


async def test_whoever_does_not_introduce_himself_is_sent_away() -> None:
    """Sockets that say nothing do not pile up."""
    async with serving(Limits(connect_s=0.1)) as (broker, port), raw(port) as client:
        async with asyncio.timeout(60):
            assert await client.reader.read() == b""
        assert broker.account.reasons == {"unspecified": 1}


async def test_connections_are_bounded() -> None:
    """The one too many is closed and counted; the others stay."""
    async with serving(Limits(connections=2)) as (broker, port), raw(port) as one, raw(port) as two:
        for client in (one, two):
            client.writer.write(connect())
            await client.packets(1)
        async with raw(port) as third:
            assert await third.reader.read() == b""
        assert broker.account.connections_refused == 1
        one.writer.write(b"\xc0\x00")
        assert await one.packets(1) == [(0xD0, b"")]


async def test_a_reader_that_does_not_read_costs_no_more_than_its_bound() -> None:
    """Its queue fills, publishers are refused, the broker stays responsive."""
    limits = Limits(session_bytes=2_000_000)
    async with serving(limits) as (broker, port), raw(port) as lazy, raw(port) as writer:
        lazy.writer.write(connect("lazy") + subscribe("t"))
        await lazy.packets(2)
        writer.writer.write(connect("writer"))
        await writer.packets(1)
        codes: list[int] = []
        for mid in range(1, 401):
            writer.writer.write(replies.publish(V5, Publish("t", b"x" * 50_000, 1, mid=mid)))
            await writer.writer.drain()
            [(_, body)] = await writer.packets(1)
            codes.append(body[2] if len(body) > 2 else 0)
        assert codes[0] == 0
        assert codes[-1] == 0x97
        assert broker.account.waiting_bytes <= 2_000_000
        assert isinstance(await knock("127.0.0.1", port, timeout_s=60), Answered)


async def test_a_3_1_1_publisher_is_cut_off_rather_than_lied_to() -> None:
    """It cannot be told that its message was not taken, so it is not acknowledged."""
    async with serving(Limits(session_messages=1)) as (broker, port), raw(port) as old:
        session = broker.router.session("away", clean=True)
        assert session is not None
        from collector.broker.embedded.packets import Wish

        broker.router.subscribe(session[0], Wish("t", 1))
        session[0].expiry_s = 60
        old.writer.write(connect("old", V311))
        await old.packets(1)
        for mid in (1, 2):
            old.writer.write(replies.publish(V311, Publish("t", b"x", 1, mid=mid)))
        assert await old.packets(2) == [(0x40, b"\x00\x01")]


async def test_credentials_are_asked_for_when_there_are_some() -> None:
    """Wrong user, wrong password, none at all: all the same answer."""
    broker = Broker(user="hub", password="p")
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(broker.serve("127.0.0.1", 0, ready))
    port = await ready
    assert await knock("127.0.0.1", port, "hub", "p", timeout_s=60) == Answered()
    assert await knock("127.0.0.1", port, "hub", "q", timeout_s=60) == TurnedAway(0x86)
    assert await knock("127.0.0.1", port, timeout_s=60) == TurnedAway(0x86)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
