"""What our house needs of a broker; mosquitto and the embedded one pass the same tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.collector.brokers.peers import (
    ROOT,
    joined,
    on_publish,
    session_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collector.broker import BrokerAddress

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server


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
