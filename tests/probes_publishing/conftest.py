"""A small hub, a measurer that measures nothing, and an office to hand."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from probes.measuring.session import ClosedWindow
from probes.publishing.office_settings import OfficeSettings
from probes.workers import Workers
from telemetry.codec import decode, encode_control
from telemetry.control import Stored
from telemetry.intervals import IntervalSet
from telemetry.messages import Clock, Direction, SelfReport, Stamps, Stream
from telemetry.windows import WINDOW_NS
from tests.probes_publishing.outliving import events
from tests.probes_publishing.rig import Rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from probes.measuring.session import Session
    from telemetry.messages import Envelope

START_NS = 1_800_000_000_000_000_000 // WINDOW_NS * WINDOW_NS


def stream(path: str = "main.state", sent: int = 150, received: int = 150) -> Stream:
    lost = sent - received
    return Stream(
        path=path,
        stamps=Stamps(),
        rate_pps=10.0,
        sent=sent,
        received=received,
        lost=lost,
        lost_unattributed=lost,
        up=Direction(sent=sent, received=received, lost=0),
        down=Direction(sent=received, received=received, lost=0),
    )


def window(office: str, index: int = 0, *, streams: tuple[Stream, ...] | None = None) -> ClosedWindow:
    return ClosedWindow(
        office=office,
        start_ns=START_NS + index * WINDOW_NS,
        mono_ns=index * WINDOW_NS,
        clock=Clock(),
        self_report=SelfReport(),
        streams=(stream(),) if streams is None else streams,
    )


class FakeMeasurer:
    """Hands out the windows that a test puts in."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[ClosedWindow | None] = asyncio.Queue()
        self.last: list[ClosedWindow] = []
        """Windows that come when it is stopped."""
        self.sessions: list[Session] = []
        self.started = False
        self.stopped = False

    async def start(self) -> None:
        self.started, self.stopped = True, False

    async def set_sessions(self, sessions: Sequence[Session]) -> None:
        self.sessions = list(sessions)

    async def windows(self) -> AsyncIterator[ClosedWindow]:
        while (closed := await self.queue.get()) is not None:
            yield closed

    async def stop(self) -> None:
        if not self.stopped:
            for closed in (*self.last, None):
                self.queue.put_nowait(closed)
        self.stopped = True


class SmallHub:
    """Subscribes as a collector does, keeps what comes, and publishes `stored` when told (or at once)."""

    def __init__(
        self, host: str, port: int, *, root: str = "tatpar/1", confirm: bool = True, reports: bool = True
    ) -> None:
        self.root = root
        self.confirm = confirm
        self.reports = reports
        self.envelopes: list[Envelope] = []
        self.arrivals: list[tuple[str, Envelope, dict[str, str]]] = []
        self.seen: dict[tuple[str, str, str], IntervalSet] = defaultdict(IntervalSet)
        self.presence: dict[str, list[tuple[bytes, bool]]] = defaultdict(list)
        self.answers: list[tuple[str, bytes, bytes | None]] = []
        self._lock = threading.Lock()
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.connect_timeout = 60
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._message
        self._address = (host, port)

    def start(self) -> SmallHub:
        self._client.connect(*self._address)
        self._client.loop_start()
        assert self._subscribed.wait(60)
        return self

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, properties: Properties | None = None
    ) -> None:
        self._client.publish(
            f"{self.root}/{topic}", payload, qos=1, retain=retain, properties=properties
        ).wait_for_publish(60)

    def command(
        self, site: str, probe: str, payload: bytes, *, correlation: bytes = b"c", topic: str | None = None
    ) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = f"{self.root}/{site}/{probe}/answer" if topic is None else topic
        properties.CorrelationData = correlation
        self.publish(f"{site}/{probe}/command", payload, properties=properties)

    def store(self, site: str, probe: str, epoch: str) -> None:
        """Publish what has been seen as stored, retained."""
        seen = self.seen[site, probe, epoch]
        through = seen.top or 0
        message = Stored(epoch=epoch, through=through, missing=tuple(seen.holes(1, through)))
        self._client.publish(
            f"{self.root}/{site}/{probe}/stored", encode_control(message), qos=1, retain=True
        )

    def seqs(self, epoch: str | None = None) -> list[int]:
        with self._lock:
            return [e.seq for e in self.envelopes if epoch is None or e.epoch == epoch]

    def _connected(self, client: Any, *_: Any) -> None:
        leaves = ["presence", "answer", *(["report", "backlog"] if self.reports else [])]
        client.subscribe([(f"{self.root}/+/+/{leaf}", SubscribeOptions(qos=1)) for leaf in leaves])

    def _message(self, _c: Any, _u: Any, message: Any) -> None:
        site, probe, leaf = message.topic.split("/")[-3:]
        if leaf == "presence":
            self.presence[site].append((message.payload, bool(message.retain)))
        elif leaf == "answer":
            self.answers.append(
                (message.topic, message.payload, getattr(message.properties, "CorrelationData", None))
            )
        else:
            self._report(site, probe, leaf, message)

    def _report(self, site: str, probe: str, leaf: str, message: Any) -> None:
        envelope = decode(message.payload)
        assert message.properties.ContentType == "application/json"
        with self._lock:
            self.envelopes.append(envelope)
            self.arrivals.append((leaf, envelope, dict(getattr(message.properties, "UserProperty", []))))
            self.seen[site, probe, envelope.epoch].add(envelope.seq)
        if self.confirm:
            self.store(site, probe, envelope.epoch)


async def until(condition: Callable[[], bool], *, within_s: float = 60.0) -> None:
    """Wait for a condition of real servers and sockets; fail when it does not come true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return until


@pytest.fixture
def make_window() -> Callable[..., ClosedWindow]:
    return window


@pytest.fixture
def make_stream() -> Callable[..., Stream]:
    return stream


@pytest.fixture
def fake_measurer() -> FakeMeasurer:
    return FakeMeasurer()


@pytest.fixture
def make_hub(mosquitto: Any) -> Iterator[Callable[..., SmallHub]]:
    hubs: list[SmallHub] = []

    def make(**options: Any) -> SmallHub:
        hubs.append(SmallHub(mosquitto.host, mosquitto.port, **options))
        return hubs[-1].start()

    yield make
    for hub in hubs:
        hub.stop()


@pytest.fixture
def make_office(mosquitto: Any, tmp_path: Path) -> Callable[..., OfficeSettings]:
    def make(site: str = "agra", **options: Any) -> OfficeSettings:
        given = {
            "site": site,
            "probe": "p1",
            "broker_host": mosquitto.host,
            "broker_port": mosquitto.port,
            "spool": tmp_path / "spool" / f"{site}.db",
            "ping_targets": (),
            "interface": "",
        }
        return OfficeSettings(**(given | options))

    return make


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers() as pools:
        yield pools


@pytest.fixture
def make_rig(make_office: Any, make_window: Any, workers: Workers) -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(**options: Any) -> Rig:
        rigs.append(Rig(make_office(**options), make_window, workers))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.spool.close()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[str]]:
    caplog.set_level("INFO")
    return lambda name: events(caplog, name)
