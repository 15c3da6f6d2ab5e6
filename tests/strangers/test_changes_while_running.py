"""Keys, passwords and certificates change under a running hub and a running probe: nothing is lost, doubled or dropped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from collector.enrolment import desk, doorkeeper
from collector.enrolment.authority import RENEW_DAYS, Authority
from collector.enrolment.issuing import issue
from collector.enrolment.keys import KeyRing
from collector.enrolment.private_files import write_private
from probes.enrolment import redeem
from probes.enrolment.credentials import load_credentials, save_credentials
from probes.enrolment.desk_client import UnreachableError
from probes.enrolment.redeem import Enrolment, is_redeemed, redeem_into
from probes.publishing.connection import BrokerAccess, Connection, ConnectionLost, Will
from probes.publishing.office import WAITING_REPORTS
from probes.workers import Workers
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SECOND_NS
from tests.strangers.rotating import rotate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server


def stored_seqs(hub: Any) -> list[int]:
    ranges = hub.store.received("agra", "p1")
    return [seq for found in ranges.values() for first, last in found for seq in range(first, last + 1)]


async def reporting(measurer: Any, office: Any, stop: asyncio.Event) -> int:
    """Close windows as fast as the office takes them, until told; how many. Faster, a slow disk makes it drop some, as it must."""
    made = 0
    while not stop.is_set():
        if measurer.queue.qsize() + len(office._waiting) < WAITING_REPORTS // 2:
            measurer.close_window()
            made += 1
        await asyncio.sleep(0.005)
    assert office.counters.reports_dropped == 0
    return made


async def test_a_running_probe_takes_up_new_keys_and_nothing_is_lost_or_doubled(
    hub: Any, running_probe: Any, quiet_measurer: Any, eventually: Eventually, tmp_path: Path
) -> None:
    """Twice, with reports under way: every report is stored once, the old users are gone, and nobody said "off line"."""
    file = tmp_path / "office" / "credentials.json"
    async with running_probe(hub, quiet_measurer) as agent:
        office, stop = agent.offices["agra/p1"], asyncio.Event()
        work = asyncio.create_task(reporting(quiet_measurer, office, stop))
        await eventually(lambda: hub.counts["stored"] > 0)
        for generation in (2, 3):
            row = await rotate(hub)
            assert (row.ok, row.detail) == (True, f"generation {generation} in use")
            await eventually(lambda: load_credentials(file).previous is None)
            valid = hub.state.valid_credentials(time.time_ns())
            assert [one.user for one in valid] == [f"agra.p1.{generation}"]
        stop.set()
        made = await work
        await eventually(lambda: len(stored_seqs(hub)) == made, within_s=120)
        assert sorted(stored_seqs(hub)) == list(range(1, made + 1))
        assert len(hub.store.streams(Selection(0, 2**62))) == made
        assert office.counters.connections == 3
        assert hub.state.presence_spans("agra", 0, 2**62) == []
        assert load_credentials(file).current.generation == 3
        assert file.stat().st_mode & 0o777 == 0o600
    done = [event.what for event in hub.state.identity_events(20)]
    assert done.count("rotated") == 2
    assert done.count("confirm") >= 1


async def test_a_probe_whose_new_keys_are_not_known_yet_goes_on_with_the_old(
    hub: Any, running_probe: Any, tmp_path: Path, eventually: Eventually
) -> None:
    """The broker turns the new user away (it has not been told): the generation before opens the door meanwhile."""
    async with running_probe(hub):
        pass
    folder = tmp_path / "office"
    kept = load_credentials(folder / "credentials.json")
    from msgspec.structs import replace

    unknown = replace(kept.current, generation=2, user="agra.p1.2", password="not yet")
    save_credentials(folder / "credentials.json", replace(kept, current=unknown, previous=kept.current))
    from probes.publishing.agent import Agent
    from probes.publishing.probe_file import load_probe_file
    from telemetry.clock import SystemClock

    office = load_probe_file(folder / "probe.toml", folder)
    stop = asyncio.Event()
    from dataclasses import replace as changed

    agent = Agent([changed(office, ping_targets=(), interface="")], _Nothing(), clock=SystemClock())
    running = asyncio.create_task(agent.run(stop))
    counters = agent.offices["agra/p1"].counters
    await eventually(lambda: counters.connections == 1)
    assert counters.turned_away == 1
    stop.set()
    await running


class _Nothing:
    """Measures nothing."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        return

    async def set_sessions(self, _sessions: object) -> None:
        return

    async def windows(self) -> Any:
        await self._stopped.wait()
        return
        yield

    async def stop(self) -> None:
        self._stopped.set()


@pytest.fixture
def short_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's user of before goes after eight seconds, in which a busy machine can still come in by it."""
    monkeypatch.setattr(doorkeeper, "HUB_OVERLAP_NS", 8 * SECOND_NS)


@pytest.mark.usefixtures("short_overlap")
async def test_the_hubs_own_password_changes_and_nothing_is_lost(
    hub: Any, running_probe: Any, quiet_measurer: Any, eventually: Eventually
) -> None:
    """The collector changes over by itself, its session has kept what came meanwhile, and the user of before is let in no more."""
    async with running_probe(hub, quiet_measurer) as agent:
        office, stop = agent.offices["agra/p1"], asyncio.Event()
        work = asyncio.create_task(reporting(quiet_measurer, office, stop))
        await eventually(lambda: hub.counts["stored"] > 0)
        before = hub.broker.login()
        hub.keys.renew_hub_login()
        await eventually(lambda: hub.collector.bridge.connects == 2)
        assert hub.collector.bridge.session_resumed == 1
        assert hub.broker.login() != before
        await hub.connect(*before, public=False)
        await eventually(lambda: before[0] not in (hub.data_dir / "mosquitto" / "passwords").read_text())
        await eventually(lambda: hub.clients[-1].lost)
        await hub.connect(*before, public=False, expect=0x87)
        stop.set()
        made = await work
        assert hub.collector.bridge.connects == 2
        await eventually(lambda: len(stored_seqs(hub)) == made, within_s=120)
        assert sorted(stored_seqs(hub)) == list(range(1, made + 1))
        assert office.counters.connections == 1


@pytest.fixture
def looking_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates are looked at several times a second."""
    monkeypatch.setattr(doorkeeper, "LOOK_CLOSELY_EVERY", 1)
    monkeypatch.setattr(desk, "RENEW_S", 0.2)


@pytest.mark.usefixtures("looking_closely")
async def test_a_new_certificate_is_served_without_a_restart(
    hub: Any, running_probe: Any, eventually: Eventually
) -> None:
    """Broker and desk: the next handshake sees it, and no connection that stands is touched."""
    async with running_probe(hub) as agent:
        connects = hub.collector.bridge.connects
        old = {which: hub.authority.served(which).fingerprint for which in ("broker", "desk")}
        soon = time.time_ns() - (30 - RENEW_DAYS + 1) * DAY_NS
        for which in old:
            write_private(hub.authority.file(which), hub.authority.issue(["localhost"], soon))
        shown = {"broker": hub.public_port, "desk": hub.desk_port}
        await eventually(lambda: all(_days_left(hub, which) > 29 for which in shown))
        for which, port in shown.items():
            wanted = hub.authority.served(which).fingerprint
            assert wanted != old[which]
            end = time.monotonic() + 60
            while (seen := await asyncio.to_thread(_fingerprint, hub, port)) != wanted:
                assert time.monotonic() < end, f"{which} still serves {seen}"
        assert agent.offices["agra/p1"].counters.connections == 1
        assert hub.collector.bridge.connects == connects


def _days_left(hub: Any, which: str) -> float:
    found = hub.authority.served(which)
    return 0.0 if found is None else (found.until_ns - time.time_ns()) / DAY_NS


def _fingerprint(hub: Any, port: int) -> str:
    import hashlib
    import socket

    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        hub.tls().wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        return hashlib.sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()


@pytest.mark.parametrize("fault", ["expired", "another authority", "another name"])
async def test_a_broker_with_a_wrong_certificate_is_not_spoken_to(
    door: Any, tmp_path: Path, fault: str
) -> None:
    """The probe's own connection: expired, another authority's, another name: no password is sent."""
    authority, names, days = door.authority, ["localhost"], 30.0
    if fault == "another authority":
        authority = Authority(tmp_path / "other", time.time_ns())
    elif fault == "expired":
        days = -1.0
    else:
        names = ["elsewhere.example"]
    (tmp_path / "broker.pem").write_bytes(authority.issue(names, time.time_ns(), days))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "broker.pem")
    heard = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(100))
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        access = BrokerAccess("localhost", port, "x", user="agra.p1.1", password="secret", tls=door.tls())
        with Workers() as workers, pytest.raises(ConnectionLost, match=r"(?i)certificate"):
            async with Connection.opened(access, Will("x", b""), lambda _m: None, workers.network):
                pass
    assert heard == b""


async def test_a_crash_between_redeeming_and_saving_is_mended_by_trying_again(
    door: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost, or the machine dies before it is written: the same probe redeems again; another folder does not."""
    _, token = await door.invite()
    enrolment = Enrolment(hub=(f"localhost:{door.desk_port}",), pin=door.authority.pin, token=token)
    folder = tmp_path / "office"
    with monkeypatch.context() as crash:
        crash.setattr(redeem, "save_credentials", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            await asyncio.to_thread(redeem_into, enrolment, folder)
    assert not is_redeemed(enrolment, folder)
    from probes.enrolment.desk_client import RefusedError

    with pytest.raises(RefusedError, match="has been redeemed already"):
        await asyncio.to_thread(redeem_into, enrolment, tmp_path / "thief")
    kept = await asyncio.to_thread(redeem_into, enrolment, folder)
    assert (kept.site, kept.current.generation) == ("agra", 1)
    assert is_redeemed(enrolment, folder)
    assert not (folder / "redeeming.json").exists()
    for name in ("credentials.json", "probe.toml", "hub-ca.pem"):
        assert (folder / name).stat().st_mode & 0o077 == 0
    assert kept.current.password not in repr(kept)


async def test_an_unreachable_desk_is_said_in_a_line(door: Any, tmp_path: Path) -> None:
    """Every address is tried; nothing is written but the attempt, and the token is still good."""
    _, token = await door.invite()
    hubs = ("127.0.0.1:1", "localhost:2")
    with pytest.raises(
        UnreachableError, match=r"127\.0\.0\.1:1: Connection refused; localhost:2: Connection refused"
    ):
        await asyncio.to_thread(
            redeem_into, Enrolment(hub=hubs, pin=door.authority.pin, token=token), tmp_path / "o"
        )
    both = Enrolment(hub=(*hubs, f"localhost:{door.desk_port}"), pin=door.authority.pin, token=token)
    assert (await asyncio.to_thread(redeem_into, both, tmp_path / "o")).site == "agra"


def test_the_hubs_secrets_are_its_own(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Folder 0700, files 0600; two who start at once get the same keys; no secret of one use or probe is another's."""
    request.addfinalizer(partial(os.umask, os.umask(0)))
    folder = tmp_path / "identity"
    one, other = KeyRing(folder), KeyRing(folder)
    assert one.hub_login() == other.hub_login()
    assert Authority(folder, time.time_ns()).pin == Authority(folder, time.time_ns()).pin
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in folder.iterdir())
    from telemetry.state.db import StateDb

    state = StateDb(tmp_path / "state.db")
    made = [issue(state, one, site, "p1", now_ns=1, valid_ns=9) for site in ("agra", "agra", "meerut")]
    secrets = [
        secret
        for each in made
        for secret in (
            one.password(each.credential),
            one.command_key(each.credential).hex(),
            one.reflector_key(each.credential).hex(),
            each.token,
        )
    ]
    assert len(set(secrets)) == 12
    assert other.password(made[0].credential) == secrets[0]
    state.close()
    kept = (tmp_path / "state.db").read_bytes()
    assert not any(secret.encode() in kept for secret in secrets)
