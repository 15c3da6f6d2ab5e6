"""A guarded hub in this process: real mosquitto with the configuration that we write, collector, enrolment desk; and strangers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.broker import bring
from collector.broker.ports import free_port
from collector.enrolment.authority import Authority
from collector.enrolment.desk import Desk
from collector.enrolment.doorkeeper import FOLDER, applied, rules_for
from collector.enrolment.issuing import issue
from collector.enrolment.keys import KeyRing
from collector.service import Collector
from config.live import LiveConfig
from probes.enrolment.redeem import Enrolment, redeem_into
from probes.publishing.agent import Agent
from probes.publishing.probe_file import load_probe_file
from tatpar.identity.enrolling import offer
from telemetry.clock import SystemClock
from telemetry.codec import encode
from telemetry.messages import Clock, Direction, Envelope, SelfReport, Stamps, Stream
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import SECOND_NS, WINDOW_NS
from tests.strangers.quiet_measurer import T0, QuietMeasurer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from collector.broker import BrokerAddress
    from telemetry.state.credentials import Credential

ROOT = "tatpar/1"
SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,west,27.18,78.02,linked
meerut,Meerut,मेरठ,west,28.98,77.71,linked
"""


async def until(met: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait until something is so; fail when it is not within its bound."""
    end = time.monotonic() + within_s
    while not met():
        if time.monotonic() > end:
            pytest.fail(f"not so within {within_s:g} s", pytrace=True)
        await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Awaitable[None]]:
    return until


def report(seq: int = 1, site: str = "agra", probe: str = "p1", **changes: object) -> bytes:
    """A sound report."""
    both = Direction(sent=150, received=150, lost=0)
    stream = Stream(
        path="main.state", stamps=Stamps(), rate_pps=10.0, sent=150, received=150, lost=0, up=both, down=both
    )
    fields: dict[str, object] = {
        "site": site,
        "probe": probe,
        "epoch": "00000000deadbeef",
        "seq": seq,
        "boot": "boot-1",
        "mono_ns": seq * WINDOW_NS,
        "start_ns": T0 + seq * WINDOW_NS,
        "clock": Clock(),
        "self_report": SelfReport(),
        "items": (stream,),
    }
    return encode(Envelope(**(fields | changes)))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make_report() -> Callable[..., bytes]:
    return report


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at this moment."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)


class Client:
    """An MQTT client that notes everything that it is told; whoever it claims to be."""

    def __init__(self, client_id: str = "") -> None:
        self.connack: list[int] = []
        self.pubacks: list[int] = []
        self.subacks: list[list[int]] = []
        self.mail: list[Any] = []
        self.lost: list[int] = []
        self.raw = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        self.raw.connect_timeout = 60
        self.raw.on_connect = lambda *a: self.connack.append(a[3].value)
        self.raw.on_disconnect = lambda *a: self.lost.append(a[3].value)
        self.raw.on_publish = lambda *a: self.pubacks.append(a[3].value)
        self.raw.on_subscribe = lambda *a: self.subacks.append([code.value for code in a[3]])
        self.raw.on_message = lambda *a: self.mail.append(a[2])

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, **more: Any) -> int:
        """Publish at QoS 1; the PUBACK's reason code."""
        count = len(self.pubacks)
        self.raw.publish(topic, payload, qos=1, retain=retain, **more)
        await until(lambda: len(self.pubacks) > count)
        return self.pubacks[count]

    async def subscribe(self, topic: str) -> int:
        """Subscribe; the SUBACK's reason code."""
        count = len(self.subacks)
        self.raw.subscribe(topic, qos=1)
        await until(lambda: len(self.subacks) > count)
        return self.subacks[count][0]


@dataclass
class GuardedHub:
    """The hub as `tatpar up` wires it, with its insides within reach."""

    live: LiveConfig
    data_dir: Path
    broker: BrokerAddress
    store: SqliteStore
    state: StateDb
    keys: KeyRing
    authority: Authority
    desk: Desk
    public_port: int
    desk_port: int
    collector: Collector | None = None
    clients: list[Client] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, Any]:
        """The collector's counters."""
        assert self.collector is not None
        return self.collector.detail()

    def tls(self) -> ssl.SSLContext:
        """What an office that knows the authority uses."""
        return ssl.create_default_context(cadata=self.authority.certificate_pem)

    async def invite(
        self, site: str = "agra", probe: str = "p1", hours: float = 1.0
    ) -> tuple[Credential, str]:
        """A new generation of credentials and its token, known to the broker."""
        issued = issue(
            self.state,
            self.keys,
            site,
            probe,
            now_ns=time.time_ns(),
            valid_ns=round(hours * 3600 * SECOND_NS),
        )
        await self.told()
        return issued.credential, issued.token

    async def told(self) -> None:
        """Wait until the broker has been told what the state database says, and a collector that runs has read it."""

        def in_step() -> bool:
            told, now_ns = applied(self.data_dir), time.time_ns()
            if self.collector is not None and self.collector._roll.current.standings != self.state.standings(
                now_ns
            ):
                return (
                    False  # it looks twice a second: until then it would turn away who has just been enrolled
                )
            return told is not None and told.digest == rules_for(self.state, ROOT, now_ns).digest

        await until(in_step)

    async def enter(
        self, site: str = "agra", probe: str = "p1", *, client_id: str = "", expect: int = 0
    ) -> Client:
        """An enrolled probe's own client, connected to the listener for offices."""
        credential, _ = await self.invite(site, probe)
        password = self.keys.password(credential)
        return await self.connect(credential.user, password, client_id=client_id, expect=expect)

    async def connect(
        self, user: str, password: str, *, client_id: str = "", public: bool = True, expect: int = 0
    ) -> Client:
        """Whoever it is, at the listener for offices or at the hub's own."""
        client = Client(client_id)
        self.clients.append(client)
        if user:
            client.raw.username_pw_set(user, password)
        if public:
            client.raw.tls_set_context(self.tls())
        host, port = ("localhost", self.public_port) if public else (self.broker.host, self.broker.port)
        await asyncio.to_thread(client.raw.connect, host, port, 60)
        client.raw.loop_start()
        await until(lambda: client.connack)
        assert client.connack[0] == expect
        return client

    async def insider(self) -> Client:
        """A client with the hub's own rights: what a broker lets through that does not do its duty."""
        assert self.broker.login is not None
        return await self.connect(*self.broker.login(), public=False)

    @contextlib.asynccontextmanager
    async def collecting(self, **more: Any) -> AsyncIterator[Collector]:
        """A collector beside the test."""
        self.collector = Collector(self.live, self.store, self.state, self.broker, keys=self.keys, **more)
        task = asyncio.create_task(self.collector.run(), name="collector-under-test")
        try:
            await until(lambda: self.collector is not None and self.collector.bridge.connected)
            yield self.collector
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@contextlib.asynccontextmanager
async def guarded(tmp_path: Path) -> AsyncIterator[GuardedHub]:
    public_port, desk_port = free_ports(2)
    folder = tmp_path / "config"
    (folder / "meetings").mkdir(parents=True)
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "tatpar.toml").write_text(
        f'[broker]\nbring = "mosquitto"\npublic_host = "127.0.0.1"\npublic_port = {public_port}\n'
        f'public_names = ["localhost"]\n[enrolment]\nport = {desk_port}\n'
        '[[headquarters]]\nid = "state"\nname_en = "State"\nname_hi = "राज्य"\nreflectors = ["127.0.0.1:862"]\n',
        encoding="utf-8",
    )
    live, data_dir = LiveConfig(folder / "tatpar.toml"), tmp_path / "data"
    settings = live.current.settings
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(bring(settings.broker, data_dir))
        state = stack.enter_context(contextlib.closing(StateDb(data_dir / "state.db")))
        store = stack.enter_context(contextlib.closing(SqliteStore(data_dir / "reports.db")))
        identity = data_dir / FOLDER
        keys, authority = KeyRing(identity), Authority(identity, time.time_ns())
        desk = Desk(state, identity, offer(settings, authority, None), settings.desk_names)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", desk_port), backlog=64))
        listener.setblocking(False)
        serving = asyncio.create_task(desk.run(listener), name="desk-under-test")
        hub = GuardedHub(live, data_dir, broker, store, state, keys, authority, desk, public_port, desk_port)
        try:
            yield hub
        finally:
            for client in hub.clients:
                await asyncio.to_thread(_leave, client)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


def _leave(client: Client) -> None:
    client.raw.disconnect()
    client.raw.loop_stop()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[GuardedHub]:
    """Broker and desk, no collector."""
    async with guarded(tmp_path) as hub:
        yield hub


@pytest.fixture
async def hub(door: GuardedHub) -> AsyncIterator[GuardedHub]:
    """All of it."""
    async with door.collecting():
        yield door


def for_an_answer(topic: str, correlation: bytes) -> Properties:
    """The properties of a command."""
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = topic
    properties.CorrelationData = correlation
    return properties


@pytest.fixture(scope="session")
def answer_to() -> Callable[[str, bytes], Properties]:
    return for_an_answer


@contextlib.asynccontextmanager
async def probing(
    hub: GuardedHub, folder: Path, measurer: QuietMeasurer | None = None
) -> AsyncIterator[Agent]:
    """An office that redeems its enrolment and runs: the real agent, over a measurer of the test's."""
    _, token = await hub.invite()
    enrolment = Enrolment(hub=(f"localhost:{hub.desk_port}",), pin=hub.authority.pin, token=token)
    await asyncio.to_thread(redeem_into, enrolment, folder)
    office = replace(load_probe_file(folder / "probe.toml", folder), ping_targets=(), interface="")
    stop = asyncio.Event()
    agent = Agent([office], measurer or QuietMeasurer(), clock=SystemClock())
    running = asyncio.create_task(agent.run(stop), name="agent-under-test")
    try:
        await until(lambda: agent.offices["agra/p1"].counters.connections or running.done())
        yield agent
    finally:
        stop.set()
        await running


@pytest.fixture
def running_probe(tmp_path: Path) -> Callable[..., Any]:
    return lambda hub, measurer=None: probing(hub, tmp_path / "office", measurer)


@pytest.fixture
def quiet_measurer() -> QuietMeasurer:
    return QuietMeasurer()


@pytest.fixture
def unused_ports() -> Callable[[int], list[int]]:
    return free_ports


@pytest.fixture
async def plain_client() -> AsyncIterator[Callable[[int], Awaitable[Client]]]:
    """Connects to a port of this machine without TLS or user."""
    made: list[Client] = []

    async def connect(port: int) -> Client:
        made.append(Client())
        await asyncio.to_thread(made[-1].raw.connect, "127.0.0.1", port, 60)
        made[-1].raw.loop_start()
        await until(lambda: made[-1].connack)
        return made[-1]

    yield connect
    for client in made:
        await asyncio.to_thread(_leave, client)
