"""What our house needs of a broker's sessions, wills and lines; mosquitto and the embedded one pass the same tests."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes

from collector.broker.knock import Answered, knock
from tests.collector.brokers.peers import (
    ROOT,
    TRIES,
    V5,
    V311,
    cut,
    joined,
    on_connect,
    properties,
    session_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from collector.broker import BrokerAddress

    Eventually = Callable[..., Awaitable[None]]


pytestmark = pytest.mark.server


async def test_a_will_is_published_when_the_line_is_cut_and_not_after_a_goodbye(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """Retained, as presence is."""
    will = aiomqtt.Will(f"{topic}/gone", b"offline", qos=1, retain=True)
    async with joined(broker) as watcher:
        await watcher.client.subscribe(f"{topic}/#", qos=1)
        async with joined(broker, will=will):
            pass
        await watcher.client.publish(f"{topic}/mark", "polite", qos=1)
        await eventually(lambda: watcher.said() == ["polite"])
        await connect_and_cut(broker, 0.0, {"will": will})
        await eventually(lambda: watcher.said() == ["polite", "offline"])
    async with joined(broker) as late:
        await late.client.subscribe(f"{topic}/#", qos=1)
        await eventually(lambda: late.said() == ["offline"])


async def test_a_delayed_will_is_withdrawn_when_its_client_comes_back(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """A line that blinks is not a line that is down; one that stays down is told after the delay."""
    delay = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=1)
    options: dict[str, Any] = {"will": aiomqtt.Will(topic, b"offline", qos=1, properties=delay)}
    options |= {"identifier": uuid.uuid4().hex, "clean_start": False}
    options |= {"properties": on_connect(SessionExpiryInterval=60)}
    loop = asyncio.get_running_loop()
    async with joined(broker) as watcher:
        await watcher.client.subscribe(topic, qos=1)
        for _ in range(TRIES):
            began_s = loop.time()
            await connect_and_cut(broker, 0.0, options)
            with contextlib.suppress(aiomqtt.MqttError):
                async with joined(broker, **options) as victim:
                    away_s = loop.time() - began_s
                    if away_s < 0.9:  # else it was away for longer than the delay, for all that we know
                        await asyncio.sleep(1.3)
                        assert watcher.said() == []
                    await cut(victim)
            await eventually(lambda: watcher.said()[-1:] == ["offline"])
            if away_s < 0.9:
                break
            await asyncio.sleep(1.1)  # a will of before is said by now
            watcher.mail.clear()
        assert watcher.said() == ["offline"]


async def connect_and_cut(broker: BrokerAddress, stay_s: float, options: dict[str, Any]) -> None:
    with contextlib.suppress(aiomqtt.MqttError):
        async with joined(broker, **options) as victim:
            await asyncio.sleep(stay_s)
            await cut(victim)


async def test_a_session_that_is_kept_misses_nothing(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """Subscriptions and QoS 1 messages wait for the client; then they come in order."""
    options = session_of(60)
    async with joined(broker, **options) as reader:
        await reader.client.subscribe(topic, qos=1)
    async with joined(broker) as writer:
        for i in range(100):
            await writer.client.publish(topic, str(i), qos=1)
    async with joined(broker, **options) as reader:
        await eventually(lambda: len(reader.mail) == 100)
        assert reader.said() == [str(i) for i in range(100)]
    fresh = options | {"clean_start": True}
    async with joined(broker, **fresh) as reader, joined(broker) as writer:
        await writer.client.publish(topic, "nobody", qos=1)
        await reader.client.subscribe(topic, qos=1)
        await writer.client.publish(topic, "mark", qos=1)
        await eventually(lambda: reader.said() == ["mark"])


async def test_a_session_ends_when_its_time_is_over(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """Expiry 0: with the connection."""
    options = session_of(0)
    async with joined(broker, **options) as reader:
        await reader.client.subscribe(topic, qos=1)
    async with joined(broker) as writer:
        await writer.client.publish(topic, "lost", qos=1)
        async with joined(broker, **options) as reader:
            await reader.client.subscribe(topic, qos=1)
            await writer.client.publish(topic, "mark", qos=1)
            await eventually(lambda: reader.said() == ["mark"])


async def test_the_same_client_id_takes_the_session_over(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """The former connection is closed, the new one works."""
    name = uuid.uuid4().hex
    former = aiomqtt.Client(broker.host, broker.port, identifier=name, protocol=V5, timeout=60)
    await former.__aenter__()
    async with joined(broker, identifier=name) as peer, joined(broker) as other:
        await eventually(former._disconnected.done)
        await peer.client.subscribe(topic, qos=1)
        await other.client.publish(topic, "here", qos=1)
        await eventually(lambda: peer.said() == ["here"])
    with contextlib.suppress(aiomqtt.MqttError):
        await former.__aexit__(None, None, None)


async def test_a_client_of_the_older_protocol_is_served_too(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """MQTT 3.1.1 and 5 talk to each other; a kept session works in 3.1.1 as well."""
    options: dict[str, Any] = {"protocol": V311, "identifier": uuid.uuid4().hex, "clean_session": False}
    async with joined(broker, **options) as old, joined(broker) as new:
        await old.client.subscribe(topic, qos=1)
        await new.client.subscribe(topic, qos=1)
        await old.client.publish(topic, "from the old", qos=1)
        await new.client.publish(topic, "from the new", qos=1)
        await eventually(lambda: len(old.mail) == 2 == len(new.mail))
    async with joined(broker) as new:
        await new.client.publish(topic, "while away", qos=1)
    async with joined(broker, **options) as old:
        await eventually(lambda: old.said() == ["while away"])


async def test_silence_beyond_the_keepalive_ends_a_connection(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """One and a half times the keepalive, then the will is due (MQTT 5, 3.1.2.10)."""
    text = topic.encode()
    body = b"\x00\x04MQTT\x05\x06\x00\x01\x00" + b"\x00\x00" + b"\x00"
    body += len(text).to_bytes(2, "big") + text + b"\x00\x04gone"
    async with joined(broker) as watcher:
        await watcher.client.subscribe(topic, qos=1)
        reader, writer = await asyncio.open_connection(broker.host, broker.port)
        began = (
            asyncio.get_running_loop().time()
        )  # before it can have heard us, however long we stand still here
        writer.write(bytes([0x10, len(body)]) + body)
        await eventually(lambda: watcher.said() == ["gone"], within_s=120)
        assert asyncio.get_running_loop().time() - began >= 1.4
        while await reader.read(100):
            pass
        writer.close()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 20,
        b"\x10\xff\xff\xff\xff\x7f",
        b"\x30\x05\x00\x01ahi",
        b"\x10\x0c\x00\x04MQTT\x63\x02\x00\x3c\x00\x00",
        b"\x10\xff\xff\xff\x7f" + b"x" * 1000,
        b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00\xf0\x00",
    ],
)
async def test_nonsense_ends_its_own_connection_and_nothing_else(
    broker: BrokerAddress, nonsense: bytes
) -> None:
    """The connection is closed, others do not notice."""
    async with joined(broker) as bystander:
        reader, writer = await asyncio.open_connection(broker.host, broker.port)
        with contextlib.suppress(OSError):  # it may be closed before we have said it all
            writer.write(nonsense)
            writer.write_eof()
            async with asyncio.timeout(60):
                while await reader.read(1000):
                    pass
        writer.close()
        await bystander.client.publish(f"{ROOT}/alive", b"x", qos=1)
        assert isinstance(await knock(broker.host, broker.port, timeout_s=60), Answered)


async def test_too_large_a_packet_ends_its_connection(broker: BrokerAddress, topic: str) -> None:
    """A bound on what one message may cost; the others go on."""
    async with joined(broker) as bystander:
        with pytest.raises(aiomqtt.MqttError):
            async with joined(broker, timeout=2) as loud:
                await loud.client.publish(topic, b"x" * 600_000, qos=1)
        await bystander.client.publish(topic, b"x", qos=1)
