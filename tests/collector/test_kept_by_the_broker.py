"""What the broker kept for us is told from what comes as it is sent: an echo of our own comes after all that was kept."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from collector import link, mqtt
from collector.link import LinkOptions
from collector.mqtt import Bridge, Membership

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from collector.broker import BrokerAddress
    from collector.message import Message

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
ROOT = "tatpar/1"
REPORT = f"{ROOT}/agra/p1/report"
ECHO = f"{ROOT}/{Membership.alone(ROOT).client_id}/echo"
QUEUED = 2000


@dataclass
class Reader:
    """A bridge whose mail is acknowledged once it may be."""

    broker: BrokerAddress
    mail: list[Message] = field(default_factory=list)
    may_acknowledge: asyncio.Event = field(default_factory=asyncio.Event)
    bridge: Bridge = field(init=False)

    @contextlib.asynccontextmanager
    async def reading(self, eventually: Eventually) -> AsyncIterator[None]:
        options = LinkOptions(self.broker.host, self.broker.port)
        self.bridge = Bridge(options, ROOT, Membership.alone(ROOT), self.mail.append)
        duties = [asyncio.create_task(self.bridge.run()), asyncio.create_task(self._acknowledge())]
        try:
            await eventually(lambda: self.bridge.counters.connected)
            yield
        finally:
            for duty in duties:
                duty.cancel()
            await asyncio.gather(*duties, return_exceptions=True)

    async def _acknowledge(self) -> None:
        done = 0
        await self.may_acknowledge.wait()
        while True:
            for message in self.mail[done:]:
                self.bridge.acknowledge(message)
            done = len(self.mail)
            await asyncio.sleep(0.001)

    def kept(self) -> list[bool]:
        return [message.kept for message in self.mail if message.topic == REPORT]


@pytest.fixture
async def reader(hub: Any, eventually: Eventually) -> Reader:
    """One with a session at each broker in turn, for which the broker keeps what comes."""
    made = Reader(hub.broker)
    async with made.reading(eventually):
        pass
    return made


async def publish(hub: Any, *topics: str, payload: bytes = b"{}") -> None:
    async with hub.office() as agra:
        for topic in topics:
            await agra.client.publish(topic, payload, qos=1, timeout=60)


async def until_current(hub: Any, reader: Reader, eventually: Eventually) -> None:
    """What is sent now is known soon to be sent now: the first echo takes as long as a queue does, no longer."""

    async def ask() -> None:
        while reader.kept()[-1]:
            await publish(hub, REPORT)
            await asyncio.sleep(0.1)

    await publish(hub, REPORT)
    await eventually(reader.kept)
    await asyncio.wait_for(ask(), 60)


async def test_all_that_was_kept_comes_before_an_echo(
    hub: Any, reader: Reader, eventually: Eventually
) -> None:
    """Two thousand reports, and the echo is sent while they still wait for our acknowledgements."""
    await publish(hub, *[REPORT] * QUEUED)
    async with reader.reading(eventually):
        await asyncio.sleep(1.5)  # the echo is sent at the first tick of half a second
        reader.may_acknowledge.set()
        await eventually(lambda: len(reader.kept()) >= QUEUED)
        await until_current(hub, reader, eventually)
    assert all(reader.kept()[:QUEUED])


async def test_an_echo_of_whoever_ran_before_tells_nothing(
    hub: Any, reader: Reader, eventually: Eventually
) -> None:
    """The broker has kept it, before the reports."""
    reader.may_acknowledge.set()
    for payload in (b"", b" 1e9", b"0123456789abcdef0123456789abcdef 1e9", b"\xff"):
        await publish(hub, ECHO, payload=payload)
    await publish(hub, *[REPORT] * 50)
    async with reader.reading(eventually):
        await eventually(lambda: len(reader.kept()) >= 50)
        await until_current(hub, reader, eventually)
    assert all(reader.kept()[:50])


async def test_what_waits_while_we_do_not_read_is_kept_as_well(
    hub: Any, reader: Reader, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inbox was full for longer than what counts as at once."""
    monkeypatch.setattr(link, "_WAITED_S", 2.0)
    monkeypatch.setattr(mqtt, "ECHO_S", 0.2)
    reader.may_acknowledge.set()
    async with reader.reading(eventually):
        await until_current(hub, reader, eventually)
        reader.bridge.pause()
        before = len(reader.kept())
        await publish(hub, *[REPORT] * 50)
        await asyncio.sleep(2.5)
        reader.bridge.resume()
        await eventually(lambda: len(reader.kept()) >= before + 50)
        await until_current(hub, reader, eventually)
    assert all(reader.kept()[before : before + 50])


async def test_nothing_was_kept_for_a_session_that_is_new(hub: Any, eventually: Eventually) -> None:
    reader = Reader(hub.broker)
    reader.may_acknowledge.set()
    async with reader.reading(eventually):
        await publish(hub, REPORT)
        await eventually(reader.kept)
    assert reader.kept() == [False]
