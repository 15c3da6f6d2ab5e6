"""A broker that runs on another machine: TLS by `broker.ca`, checked by collector and doctor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from collector.broker import BrokerAddress, Kind
from collector.broker.knock import Answered, NoBroker, knock
from collector.enrolment.authority import Authority
from collector.service import Collector
from config.live import LiveConfig
from tatpar.examination import hub as examination
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
ROOT = "tatpar/1"


@pytest.fixture
def elsewhere(tmp_path: Path, program: Any, unused_ports: Any) -> Iterator[tuple[Authority, int, int]]:
    """Somebody else's mosquitto: its authority, its TLS port, and a plain one for the test's own use."""
    authority = Authority(tmp_path / "theirs", time.time_ns())
    pem = tmp_path / "theirs" / "server.pem"
    pem.write_bytes(authority.issue(["localhost"], time.time_ns()))
    secure, plain = unused_ports(2)
    conf = tmp_path / "theirs" / "m.conf"
    conf.write_text(
        ("user root\n" if os.geteuid() == 0 else "")
        + f"log_dest none\nallow_anonymous true\nmax_queued_messages 0\nlistener {secure} 127.0.0.1\n"
        f"certfile {pem}\nkeyfile {pem}\nlistener {plain} 127.0.0.1\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([program("mosquitto"), "-c", str(conf)], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while True:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", plain)) == 0:
                break
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    yield authority, secure, plain
    process.terminate()
    process.wait()


def live(tmp_path: Path, authority: Authority, port: int) -> LiveConfig:
    folder = tmp_path / "config"
    (folder / "meetings").mkdir(parents=True, exist_ok=True)
    (folder / "sites.csv").write_text(
        "id,name_en,name_hi,region,lat,lon,status\nagra,Agra,आगरा,west,27.18,78.02,linked\n", encoding="utf-8"
    )
    (folder / "ca.pem").write_text(authority.certificate_pem, encoding="utf-8")
    file = folder / "tatpar.toml"
    file.write_text(
        f'[broker]\nbring = "none"\nhost = "localhost"\nport = {port}\nca = "ca.pem"\n', encoding="utf-8"
    )
    return LiveConfig(file)


@contextlib.asynccontextmanager
async def collecting(tmp_path: Path, config: LiveConfig) -> Any:
    broker = config.current.settings.broker
    with (
        contextlib.closing(SqliteStore(tmp_path / "reports.db")) as store,
        contextlib.closing(StateDb(tmp_path / "state.db")) as state,
    ):
        collector = Collector(config, store, state, BrokerAddress(broker.host, broker.port, Kind.EXTERNAL))
        task = asyncio.create_task(collector.run())
        try:
            yield collector
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_a_flood_through_tls_is_stored_whole(
    elsewhere: Any, tmp_path: Path, eventually: Eventually, make_report: Any, plain_client: Any
) -> None:
    """Large and small messages in one burst: nothing is left lying decrypted in the socket, not even after a pause."""
    authority, secure, plain = elsewhere
    config = live(tmp_path, authority, secure)
    async with collecting(tmp_path, config) as collector:
        await eventually(lambda: collector.bridge.connected)
        sender = await plain_client(plain)
        for seq in range(1, 401):
            boot = "b" * (1 + seq % 64)
            sender.raw.publish(f"{ROOT}/agra/p1/report", make_report(seq, boot=boot), qos=1)
            if seq % 10 == 0:
                sender.raw.publish(f"{ROOT}/agra/p1/report", b"x" * 200_000, qos=1)
            if seq == 200:
                collector._bridge.pause()
        await asyncio.sleep(0)
        await eventually(lambda: len(sender.pubacks) == 440)
        collector._bridge.resume()
        await eventually(lambda: collector.counters.stored == 400)
        await eventually(lambda: collector.counters.refused["malformed"] == 40)


async def test_a_broker_of_another_authority_is_not_spoken_to(
    elsewhere: Any, tmp_path: Path, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    """The collector does not connect, says why in one line, and doctor says the same; by the right one both are content."""
    authority, secure, _ = elsewhere
    other = Authority(tmp_path / "other", time.time_ns())
    async with collecting(tmp_path, live(tmp_path, other, secure)) as collector:
        await eventually(lambda: "certificate verify failed" in caplog.text)
        assert not collector.bridge.connected
    broker = live(tmp_path, other, secure).current.settings.broker
    found = await asyncio.to_thread(examination.broker, broker)
    assert (found.level.value, "certificate verify failed" in found.text) == ("broken", True)
    right = live(tmp_path, authority, secure).current.settings.broker
    assert (await asyncio.to_thread(examination.broker, right)).text == f"localhost:{secure} answers with TLS"


async def test_knocking_without_tls_at_a_tls_port_finds_nobody(elsewhere: Any) -> None:
    """It says so instead of hanging."""
    _, secure, plain = elsewhere
    assert isinstance(await knock("127.0.0.1", plain), Answered)
    assert isinstance(await knock("127.0.0.1", secure, timeout_s=2), NoBroker)
