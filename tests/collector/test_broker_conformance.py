"""What our house needs of a broker; mosquitto and the embedded one pass the same tests."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.broker import BrokerAddress, Kind, mosquitto
from collector.broker.embedded import launch
from collector.broker.knock import Answered, knock
from collector.broker.ports import free_port
from config.settings import Broker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from typing import Any

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
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


@pytest.fixture(scope="module", params=[Kind.MOSQUITTO, Kind.EMBEDDED], ids=str)
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrokerAddress]:
    """One broker of each kind for all tests here, started by the recipe that `bring` uses."""
    folder = tmp_path_factory.mktemp("broker")
    port = free_port("127.0.0.1")
    program = mosquitto.find()
    assert program, "mosquitto is not on this machine: `make test` installs it"
    made = (
        mosquitto.recipe(program, Broker(), port, folder)
        if request.param is Kind.MOSQUITTO
        else launch.recipe(Broker(), port, folder)
    )
    process = subprocess.Popen(made.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(3000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield BrokerAddress("127.0.0.1", port, request.param)
    process.terminate()
    assert process.wait(60) == 0


@pytest.fixture
def topic() -> str:
    """A topic that no other test knows."""
    return f"{ROOT}/{uuid.uuid4().hex}"


async def test_a_message_arrives_with_all_that_belongs_to_it(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """Payload, QoS, user properties in order, response topic, correlation data, content type."""
    sent = on_publish(
        UserProperty=[("age-ms", "12"), ("age-ms", "13"), ("ü", "ключ")],
        ResponseTopic="answer/here",
        CorrelationData=b"\x00\x01\xff",
        ContentType="application/json",
        PayloadFormatIndicator=1,
    )
    async with joined(broker) as peer:
        await peer.client.subscribe(topic, qos=1)
        await peer.client.publish(topic, b"hello", qos=1, properties=sent)
        await eventually(lambda: peer.mail)
        [message] = peer.mail
        assert (message.payload, message.qos, message.retain) == (b"hello", 1, False)
        got = message.properties
        assert got is not None
        assert got.UserProperty == sent.UserProperty
        assert (got.ResponseTopic, got.CorrelationData, got.ContentType, got.PayloadFormatIndicator) == (
            "answer/here",
            b"\x00\x01\xff",
            "application/json",
            1,
        )


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 262_144])
async def test_payloads_of_any_size_arrive_whole(
    broker: BrokerAddress, topic: str, eventually: Eventually, size: int
) -> None:
    """Around the lengths at which the length itself grows, and as large as a report may be."""
    payload = bytes(i % 251 for i in range(size))
    async with joined(broker) as peer:
        await peer.client.subscribe(topic, qos=1)
        await peer.client.publish(topic, payload, qos=1)
        await eventually(lambda: peer.mail)
        assert peer.mail[0].payload == payload


async def test_order_is_kept(broker: BrokerAddress, topic: str, eventually: Eventually) -> None:
    """A thousand messages come in the order of their sending, each once."""
    async with joined(broker) as peer, joined(broker) as writer:
        await peer.client.subscribe(topic, qos=1)
        for i in range(1000):
            await writer.client.publish(topic, str(i), qos=1)
        await eventually(lambda: len(peer.mail) == 1000)
        assert peer.said() == [str(i) for i in range(1000)]


async def test_a_publisher_learns_that_nobody_listens(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """PUBACK reason 0x10: a probe does not take it for sent."""
    async with joined(broker) as peer:
        codes: list[int] = []
        inner = peer.client._client
        inner.on_publish = lambda *arguments: codes.append(arguments[3].value)
        inner.publish(topic, b"x", qos=1)
        await eventually(lambda: codes == [0x10])
        await peer.client.subscribe(topic, qos=1)
        inner.publish(topic, b"x", qos=1)
        await eventually(lambda: codes == [0x10, 0])
        inner.on_publish = peer.client._on_publish


async def test_retained_messages_wait_for_subscribers_until_they_are_cleared(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """The last one of each topic, marked as retained; an empty payload clears."""
    async with joined(broker) as writer, joined(broker) as reader:
        for payload in ("one", "two"):
            await writer.client.publish(f"{topic}/a", payload, qos=1, retain=True)
        await writer.client.publish(f"{topic}/b", "three", qos=1, retain=True)
        await reader.client.subscribe(f"{topic}/+", qos=1)
        await eventually(lambda: sorted(reader.said()) == ["three", "two"])
        assert all(message.retain for message in reader.mail)
        await writer.client.publish(f"{topic}/a", "four", qos=1, retain=True)
        await eventually(lambda: reader.said()[-1] == "four")
        assert not reader.mail[-1].retain
        await writer.client.publish(f"{topic}/a", b"", qos=1, retain=True)
        async with joined(broker) as late:
            await late.client.subscribe(f"{topic}/#", qos=1)
            await eventually(lambda: late.said() == ["three"])


async def test_retain_handling_and_retain_as_published_are_obeyed(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """Who wants no retained messages gets none; who wants to see the flag sees it."""
    async with joined(broker) as writer, joined(broker) as reader, joined(broker) as flagged:
        await writer.client.publish(topic, "old", qos=1, retain=True)
        await reader.client.subscribe(topic, options=SubscribeOptions(qos=1, retainHandling=2))
        seen = SubscribeOptions(qos=1, retainHandling=2, retainAsPublished=True)
        await flagged.client.subscribe(topic, options=seen)
        await writer.client.publish(topic, "new", qos=1, retain=True)
        await eventually(lambda: reader.mail and flagged.mail)
        assert (reader.said(), reader.mail[0].retain) == (["new"], False)
        assert (flagged.said(), flagged.mail[0].retain) == (["new"], True)


async def test_no_local_spares_a_client_its_own_words(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """Others' come."""
    async with joined(broker) as peer, joined(broker) as other:
        await peer.client.subscribe(topic, options=SubscribeOptions(qos=1, noLocal=True))
        await peer.client.publish(topic, "mine", qos=1)
        await other.client.publish(topic, "yours", qos=1)
        await eventually(lambda: peer.said() == ["yours"])


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


async def test_a_message_that_is_too_old_is_not_delivered(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """Its life is counted while it waits, and what is left is told."""
    options = session_of(60)
    async with joined(broker, **options) as reader:
        await reader.client.subscribe(topic, qos=1)
    began = asyncio.get_running_loop().time()
    async with joined(broker) as writer:
        await writer.client.publish(topic, "brief", qos=1, properties=on_publish(MessageExpiryInterval=1))
        await writer.client.publish(topic, "long", qos=1, properties=on_publish(MessageExpiryInterval=100))
    await asyncio.sleep(2.1)
    async with joined(broker, **options) as reader:
        await eventually(lambda: reader.said() == ["long"])
        took_s = asyncio.get_running_loop().time() - began
        assert reader.mail[0].properties is not None
        # a broker counts whole seconds: one more may seem to be gone
        assert 98 - took_s <= reader.mail[0].properties.MessageExpiryInterval <= 99


@pytest.mark.parametrize(
    ("pattern", "name", "reached"),
    [
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/d", False),
        ("a/+/c", "a/b/c/d", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("+/+", "a/", True),
        ("+", "a/b", False),
        ("+/b/#", "a/b", True),
        ("a//c", "a//c", True),
        ("a/+/c", "a//c", True),
        ("#", "a/b", True),
        ("#", "", True),
    ],
)
async def test_wildcards_reach_what_they_should(
    broker: BrokerAddress, topic: str, eventually: Eventually, pattern: str, name: str, *, reached: bool
) -> None:
    """The examples of the standard (MQTT 5, 4.7.1)."""
    async with joined(broker) as peer:
        await peer.client.subscribe([(f"{ROOT}/w/{pattern}", 1), (topic, 1)])
        await peer.client.publish(f"{ROOT}/w/{name}", "hit", qos=1)
        await peer.client.publish(topic, "mark", qos=1)
        await eventually(lambda: "mark" in peer.said())
        assert ("hit" in peer.said()) == reached


async def test_a_wildcard_does_not_reach_the_broker_s_own_topics(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """`#` sees nothing of `$SYS`; who asks for it by name does."""
    async with joined(broker) as peer:
        await peer.client.subscribe("#", qos=1)
        await peer.client.publish(topic, "mark", qos=1)
        await eventually(lambda: "mark" in peer.said())
        assert not any(str(message.topic).startswith("$") for message in peer.mail)
        await peer.client.subscribe("$SYS/broker/publish/messages/dropped", qos=0)
        await eventually(lambda: any(str(message.topic).startswith("$SYS/") for message in peer.mail))


async def test_a_shared_subscription_divides_the_messages(
    broker: BrokerAddress, topic: str, eventually: Eventually
) -> None:
    """Each message to one member, and each member gets its share; a plain subscriber gets all."""
    async with joined(broker) as one, joined(broker) as two, joined(broker) as all_:
        for member in (one, two):
            await member.client.subscribe(f"$share/group/{topic}", qos=1)
        await all_.client.subscribe(topic, qos=1)
        for i in range(40):
            await all_.client.publish(topic, str(i), qos=1)
        await eventually(lambda: len(one.mail) + len(two.mail) == 40 == len(all_.mail))
        assert sorted(map(int, one.said() + two.said())) == list(range(40))
        assert min(len(one.mail), len(two.mail)) >= 10


async def test_unsubscribing_ends_the_flow(broker: BrokerAddress, topic: str, eventually: Eventually) -> None:
    """Of that filter, and of no other."""
    async with joined(broker) as peer:
        await peer.client.subscribe([(f"{topic}/a", 1), (f"{topic}/b", 1)])
        await peer.client.unsubscribe(f"{topic}/a")
        await peer.client.publish(f"{topic}/a", "a", qos=1)
        await peer.client.publish(f"{topic}/b", "b", qos=1)
        await eventually(lambda: peer.said() == ["b"])


async def test_qos_is_the_lesser_of_both(broker: BrokerAddress, topic: str, eventually: Eventually) -> None:
    """Published at 1, subscribed at 0: delivered at 0, and the other way round."""
    async with joined(broker) as peer:
        await peer.client.subscribe([(f"{topic}/a", 0), (f"{topic}/b", 1)])
        await peer.client.publish(f"{topic}/a", "a", qos=1)
        await peer.client.publish(f"{topic}/b", "b", qos=0)
        await eventually(lambda: sorted(peer.said()) == ["a", "b"])
        assert {message.qos for message in peer.mail} == {0}


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
