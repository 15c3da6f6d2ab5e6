"""Clients of a broker, with what they say when they come and when they publish."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Any

    from collector.broker import BrokerAddress

    Eventually = Callable[..., Awaitable[None]]


ROOT = "tatpar/1"
"""Elsewhere nobody may write or read: mosquitto's access list sees to that."""
V5 = aiomqtt.ProtocolVersion.V5
V311 = aiomqtt.ProtocolVersion.V311
TRIES = 8


def properties(kind: int, **values: Any) -> Properties:
    made = Properties(kind)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(made, name, value)
    return made


def on_connect(**values: Any) -> Properties:
    return properties(PacketTypes.CONNECT, **values)


def session_of(expiry_s: int) -> dict[str, Any]:
    """Options of a client whose session lasts so long after its connection."""
    told = on_connect(SessionExpiryInterval=expiry_s)
    return {"identifier": uuid.uuid4().hex, "clean_start": False, "properties": told}


def on_publish(**values: Any) -> Properties:
    return properties(PacketTypes.PUBLISH, **values)


class Peer:
    """A client with a mailbox."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.mail: list[aiomqtt.Message] = []

    def said(self) -> list[str]:
        return [bytes(message.payload).decode() for message in self.mail]  # type: ignore[arg-type]

    async def read(self) -> None:
        with contextlib.suppress(aiomqtt.MqttError):
            async for message in self.client.messages:
                self.mail.append(message)


@contextlib.asynccontextmanager
async def joined(broker: BrokerAddress, **options: Any) -> AsyncIterator[Peer]:
    options = {"protocol": V5, "timeout": 60} | options
    async with aiomqtt.Client(broker.host, broker.port, **options) as client:
        peer = Peer(client)
        reading = asyncio.create_task(peer.read())
        yield peer
        reading.cancel()
        await asyncio.wait({reading})


async def cut(peer: Peer) -> None:
    """End a connection without a goodbye."""
    sock = peer.client._client.socket()
    assert sock is not None
    sock.shutdown(2)  # type: ignore[union-attr]
    await asyncio.sleep(0.05)
