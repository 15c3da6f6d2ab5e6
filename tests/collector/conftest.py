"""What the collector's tests share: both brokers, reports, a collector that runs beside the test."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiomqtt
import pytest

from collector.broker import BrokerAddress, Kind, bring
from collector.service import Collector
from config.live import LiveConfig
from config.settings import Broker
from probes.counters import Counters
from probes.publishing.office_settings import BacklogPace, OfficeSettings, Patience
from probes.publishing.presence import Identity
from probes.publishing.publisher import Publisher
from probes.publishing.restart_reason import RestartReason
from probes.publishing.spool import Made, Spool
from probes.workers import Workers
from telemetry.clock import SystemClock
from telemetry.codec import encode
from telemetry.messages import Clock, Direction, Envelope, RoundTrip, SelfReport, Stamps, StampSource, Stream
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from probes.publishing.spool import Row, Slot

ROOT = "tatpar/1"
EPOCH = "00000000deadbeef"
T0 = window_start(time.time_ns()) - DAY_NS
SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,west,27.18,78.02,linked
meerut,Meerut,मेरठ,west,28.98,77.71,linked
unnao,Unnao,उन्नाव,awadh,26.55,80.49,planned
"""


def stream(path: str = "main.state", **changes: object) -> Stream:
    """150 packets of which one was lost on the way up."""
    up = Direction(
        sent=150, received=149, lost=1, longest_loss_run=1, jitter_ms=0.4, pdv_hist=(10, 100, 200, 49)
    )
    down = Direction(sent=149, received=149, lost=0, jitter_ms=0.3, ipdv_hist=(12, 148))
    fields: dict[str, object] = {
        "path": path,
        "stamps": Stamps(t1=StampSource.KERNEL, t4=StampSource.KERNEL),
        "rate_pps": 10.0,
        "sent": 150,
        "received": 149,
        "lost": 1,
        "up": up,
        "down": down,
        "rtt": RoundTrip(min_ms=9, mean_ms=10, p50_ms=10, p95_ms=12, p99_ms=14, max_ms=20, hist=(460, 149)),
    }
    return Stream(**(fields | changes))  # type: ignore[arg-type]


def envelope(seq: int = 1, site: str = "agra", start_ns: int | None = None, **changes: object) -> Envelope:
    """A sound report; its window follows from its number."""
    fields: dict[str, object] = {
        "site": site,
        "probe": "p1",
        "epoch": EPOCH,
        "seq": seq,
        "boot": "boot-1",
        "mono_ns": seq * WINDOW_NS,
        "start_ns": T0 + seq % 5000 * WINDOW_NS if start_ns is None else start_ns,
        "clock": Clock(),
        "self_report": SelfReport(),
        "items": (stream(),),
    }
    return Envelope(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make_envelope() -> Callable[..., Envelope]:
    return envelope


@pytest.fixture(scope="session")
def make_stream() -> Callable[..., Stream]:
    return stream


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A small deployment: two linked offices and a planned one, no meetings."""
    folder = tmp_path / "config"
    (folder / "meetings").mkdir(parents=True)
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    file = folder / "tatpar.toml"
    file.write_text(
        "[watch]\ndark_after_s = 120\n"
        '[[headquarters]]\nid = "state"\nname_en = "State"\nname_hi = "राज्य"\nreflectors = ["127.0.0.1:862"]\n',
        encoding="utf-8",
    )
    return file


@pytest.fixture
def live(config_file: Path) -> LiveConfig:
    return LiveConfig(config_file)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "reports.db")
    yield made
    made.close()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    made = StateDb(tmp_path / "state.db")
    yield made
    made.close()


@pytest.fixture(params=["mosquitto", "embedded"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BrokerAddress]:
    """Each broker in turn, as `tatpar up` brings it."""
    async with bring(Broker(bring=request.param), tmp_path) as address:
        yield address


@dataclass
class Office:
    """What an office's side of the conversation looks like: an MQTT client with a mailbox."""

    client: aiomqtt.Client
    mail: list[aiomqtt.Message] = field(default_factory=list)

    async def report(
        self, payload: bytes | Envelope, site: str = "agra", leaf: str = "report", **more: object
    ) -> None:
        data = encode(payload) if isinstance(payload, Envelope) else payload
        await self.client.publish(f"{ROOT}/{site}/p1/{leaf}", data, qos=1, **more)  # type: ignore[arg-type]

    def on(self, leaf: str, site: str = "agra") -> list[bytes]:
        topic = f"{ROOT}/{site}/p1/{leaf}"
        return [bytes(m.payload) for m in self.mail if str(m.topic) == topic]  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def office_at(address: BrokerAddress) -> AsyncIterator[Office]:
    version = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client(address.host, address.port, protocol=version, timeout=60) as client:
        office = Office(client)
        await client.subscribe([(f"{ROOT}/+/+/{leaf}", 1) for leaf in ("stored", "plan")])
        reading = asyncio.create_task(_read(office))
        yield office
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


async def _read(office: Office) -> None:
    async for message in office.client.messages:
        office.mail.append(message)


@dataclass
class Hub:
    """The hub's side: configuration, store, state and a broker, and collectors to run on them."""

    live: LiveConfig
    store: SqliteStore
    state: StateDb
    broker: BrokerAddress

    def office(self) -> AbstractAsyncContextManager[Office]:
        return office_at(self.broker)

    @contextlib.asynccontextmanager
    async def collecting(self, **more: object) -> AsyncIterator[Collector]:
        """A collector that runs until the block ends; what it raises comes out there."""
        collector = Collector(self.live, self.store, self.state, self.broker, **more)  # type: ignore[arg-type]
        task = asyncio.create_task(collector.run(), name="collector-under-test")
        try:
            await until(lambda: collector.bridge.connected or task.done())
            yield collector
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def hub(live: LiveConfig, store: SqliteStore, state: StateDb, broker: BrokerAddress) -> Hub:
    """A hub with each broker in turn."""
    return Hub(live, store, state, broker)


@pytest.fixture
async def killable_hub(live: LiveConfig, store: SqliteStore, state: StateDb, mosquitto: object) -> Hub:
    """A hub with a real mosquitto that the test may kill."""
    address = BrokerAddress(mosquitto.host, mosquitto.port, Kind.EXTERNAL)  # type: ignore[attr-defined]
    return Hub(live, store, state, address)


async def until(met: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait until something is so; fail when it is not within its bound."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while not met():
        if loop.time() > end:
            pytest.fail(f"not so within {within_s:g} s", pytrace=True)
        await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Awaitable[None]]:
    return until


HASTE = Patience(resend_s=2.0, resend_cap_s=4.0, settle_s=0.3, hold_s=0.3, hold_cap_s=0.6, reconnect_s=0.1)


@dataclass
class Probe:
    """A real spool and publisher; what is measured is made up."""

    spool: Spool
    publisher: Publisher
    counters: Counters
    workers: Workers
    clock: SystemClock = field(default_factory=SystemClock)

    async def report(self) -> None:
        """Make one report, and hand it over as live."""
        self.publisher.submit(await self.wait())

    async def wait(self, boot: str = "boot-1") -> Row:
        """Make one report that waits in the spool."""
        now_ns = self.clock.monotonic_ns()
        site, probe = self.spool.path.stem, "p1"

        def written(slot: Slot) -> bytes:
            return encode(
                envelope(
                    slot.seq,
                    site,
                    probe=probe,
                    epoch=slot.epoch,
                    boot=boot,
                    items=(*slot.tombstones, stream()),
                )
            )

        return await self.workers.on_disk(
            self.spool.append, T0, Made(boot, now_ns, self.clock.now_ns()), written
        )

    @contextlib.asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        """Publish until the block ends."""
        task = asyncio.create_task(self.publisher.run())
        try:
            yield
        finally:
            self.publisher.stop()
            await asyncio.wait_for(task, 60)


@pytest.fixture
def make_probe(tmp_path: Path) -> Iterator[Callable[..., Probe]]:
    """Makes probes with a spool `<site>.db` in a folder, in a hurry to send again."""
    made: list[Probe] = []

    def make(site: str, port: int, folder: Path = tmp_path, **options: object) -> Probe:
        fields: dict[str, object] = {
            "site": site,
            "probe": "p1",
            "spool": folder / f"{site}.db",
            "broker_host": "127.0.0.1",
            "broker_port": port,
            "backlog": BacklogPace(per_second=100.0),
            "patience": HASTE,
        }
        office = OfficeSettings(**(fields | options))  # type: ignore[arg-type]
        spool = Spool(office.spool, site=site, probe="p1", limits=office.spool_limits)
        counters = Counters()
        publisher = Publisher(
            office,
            spool,
            Identity("1", "boot-1", RestartReason.POWER),
            clock=SystemClock(),
            workers=workers,
            counters=counters,
            on_plan=lambda _: None,
            in_meeting=lambda: False,
        )
        made.append(Probe(spool, publisher, counters, workers))
        return made[-1]

    with Workers() as workers:
        yield make
        for probe in made:
            probe.spool.close()
