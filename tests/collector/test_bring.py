"""Bringing a broker: which one, where, and what when it cannot be."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from collector.broker import BrokerAddress, BrokerError, Kind, bring, mosquitto
from collector.broker.bring import choose
from collector.broker.knock import Answered, NoBroker, TurnedAway
from collector.broker.knock import knock as knock_for
from config.settings import Broker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
knock = partial(knock_for, timeout_s=60.0)
"""A busy machine may take longer than the three seconds that the product waits for."""
KINDS = pytest.mark.parametrize("kind", ["mosquitto", "embedded"])


def settings(**changes: object) -> Broker:
    return Broker(**changes)  # type: ignore[arg-type]


@KINDS
async def test_a_brought_broker_answers_and_is_gone_afterwards(kind: str, tmp_path: Path) -> None:
    """For as long as the context lasts, and no longer."""
    async with bring(settings(bring=kind), tmp_path) as address:
        assert (address.host, address.kind) == ("127.0.0.1", Kind(kind))
        assert isinstance(await knock(address.host, address.port), Answered)
        [process] = [child for child in psutil.Process().children() if listens(child, address.port)]
    assert not process.is_running()
    assert isinstance(await knock(address.host, address.port), NoBroker)


def listens(process: psutil.Process, port: int) -> bool:
    return any(one.laddr.port == port and one.status == "LISTEN" for one in process.net_connections())


@KINDS
async def test_with_a_user_nobody_comes_in_without_the_password(kind: str, tmp_path: Path) -> None:
    """Written to a private file, never to a command line."""
    with_user = settings(bring=kind, user="hub", password="s3cret:ü")
    async with bring(with_user, tmp_path) as address:
        assert isinstance(await knock(address.host, address.port, "hub", "s3cret:ü"), Answered)
        for user, password in [("", ""), ("hub", "wrong"), ("other", "s3cret:ü")]:
            assert isinstance(await knock(address.host, address.port, user, password), TurnedAway)
        for child in psutil.Process().children():
            assert not any("s3cret" in word for word in child.cmdline())
    assert private_files(tmp_path) >= 1


def private_files(folder: Path) -> int:
    secrets = [*folder.glob("mosquitto/passwords"), *folder.glob("broker/credentials")]
    assert all(file.stat().st_mode & 0o077 == 0 for file in secrets)
    return len(secrets)


async def test_without_mosquitto_the_embedded_one_is_brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`auto` takes what there is; to insist on mosquitto is answered with one line."""
    monkeypatch.setattr(mosquitto, "find", lambda: None)
    async with bring(settings(bring="auto"), tmp_path) as address:
        assert address.kind is Kind.EMBEDDED
    with pytest.raises(BrokerError, match=r"install it, or write 'auto'"):
        choose(settings(bring="mosquitto"))


async def test_none_brings_nothing(tmp_path: Path) -> None:
    """The address of the settings, with MQTT's port when none is named."""
    async with bring(settings(bring="none", host="hub.example"), tmp_path) as address:
        assert address == BrokerAddress("hub.example", 1883, Kind.EXTERNAL)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "hub.example"])
async def test_an_open_house_is_refused(host: str, tmp_path: Path) -> None:
    """Without a user a broker is for this machine alone."""
    with pytest.raises(BrokerError, match=r"broker\.user is empty"):
        async with bring(settings(host=host), tmp_path):
            pass


@KINDS
async def test_a_port_that_is_taken_is_said_in_one_line(kind: str, tmp_path: Path) -> None:
    """It names the log in which the broker said why."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BrokerError, match=r"ended at once; its log: .*in use"):
            async with bring(settings(bring=kind, port=taken.getsockname()[1]), tmp_path):
                pass


OWNER = """
import asyncio, sys
from pathlib import Path
from collector.broker import bring
from config.settings import Broker

async def main():
    async with bring(Broker(bring=sys.argv[1]), Path(sys.argv[2])) as address:
        print(address.port, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@KINDS
async def test_a_broker_does_not_outlive_a_hub_that_was_killed(kind: str, tmp_path: Path) -> None:
    """Kill -9 of its owner takes the broker along, so that the port is free for the next."""
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, kind, str(tmp_path), stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    port = int(await owner.stdout.readline())
    assert isinstance(await knock("127.0.0.1", port), Answered)
    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    await until_shut(port)
    async with bring(settings(bring=kind, port=port), tmp_path) as address:
        assert address.port == port


@KINDS
async def test_a_broker_that_hangs_is_started_again(
    kind: str, tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs, but it does not answer: that counts as gone."""
    from collector.broker import child

    monkeypatch.setattr(child, "CHECK_S", 0.1)
    monkeypatch.setattr(child, "KNOCK_S", 0.2)
    async with bring(settings(bring=kind), tmp_path) as address:
        pid = pid_in(tmp_path)
        os.kill(pid, signal.SIGSTOP)
        await eventually(lambda: pid_in(tmp_path) not in (0, pid))
        await until_answering(address.port)


async def until_shut(port: int, within_s: float = 60.0) -> None:
    """Until a connection is refused: one that is only not answered may belong to a broker that still has the port."""
    for _ in range(round(within_s / 0.05)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        await asyncio.sleep(0.05)
    pytest.fail(f"port {port} is not shut within {within_s:g} s")


async def until_answering(port: int, within_s: float = 60.0) -> None:
    """Knock until the broker answers."""
    for _ in range(round(within_s / 0.05)):
        if isinstance(await knock("127.0.0.1", port, timeout_s=0.5), Answered):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"port {port} does not answer within {within_s:g} s")


async def until_let_in(port: int, user: str, password: str, within_s: float = 60.0) -> None:
    """Knock until a user who was added is known: a signal is heeded when the broker next comes to it."""
    for _ in range(round(within_s / 0.05)):
        if isinstance(await knock("127.0.0.1", port, user, password), Answered):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{user} is not let in within {within_s:g} s")


def pid_in(folder: Path) -> int:
    for file in folder.glob("*/*.pid"):
        return int(file.read_text() or 0)
    return 0


def test_mosquitto_reads_our_password_hashes(tmp_path: Path) -> None:
    """The format that its own tool writes: `$7$rounds$salt$digest`."""
    line = mosquitto.password_hash("पासवर्ड")
    kind, rounds, salt, digest = line.split("$")[1:]
    assert (kind, rounds) == ("7", "101")
    assert (len(salt), len(digest)) == (16, 88)
    theirs = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(theirs), "hub", "x"], check=True, capture_output=True)
    sample = theirs.read_text().strip().partition(":")[2]
    assert [len(part) for part in sample.split("$")] == [len(part) for part in line.split("$")]


async def test_a_site_may_write_only_below_its_own_name(tmp_path: Path, eventually: Eventually) -> None:
    """The access list that mosquitto enforces when sites have users of their own: own site yes, another's no."""
    import aiomqtt

    with_user = settings(bring="mosquitto", user="hub", password="x")
    async with bring(with_user, tmp_path) as address:
        passwords = tmp_path / "mosquitto" / "passwords"
        add_user(passwords, "agra", "y")
        os.kill(pid_in(tmp_path), signal.SIGHUP)
        await until_let_in(address.port, "agra", "y")
        place: dict[str, Any] = {"hostname": address.host, "port": address.port, "timeout": 60}
        place["protocol"] = aiomqtt.ProtocolVersion.V5
        codes: list[int] = []
        async with (
            aiomqtt.Client(**place, username="hub", password="x") as hub,
            aiomqtt.Client(**place, username="agra", password="y") as agra,
        ):
            await hub.subscribe("tatpar/1/+/+/report", qos=1)
            agra._client.on_publish = lambda *arguments: codes.append(arguments[3].value)
            for site in ("agra", "meerut"):
                agra._client.publish(f"tatpar/1/{site}/p1/report", b"x", qos=1)
            agra._client.publish("tatpar/1/agra/p1/stored", b"x", qos=1)
            await eventually(lambda: len(codes) == 3)
            agra._client.on_publish = agra._on_publish
    assert codes == [0, 0x87, 0x87]


def add_user(file: Path, user: str, password: str) -> None:
    file.write_text(file.read_text() + f"{user}:{mosquitto.password_hash(password)}\n")


async def test_the_users_of_sites_outlive_a_restart_of_the_hub(tmp_path: Path) -> None:
    """Only the hub's own line is written anew."""
    first = settings(bring="mosquitto", user="hub", password="x")
    async with bring(first, tmp_path):
        add_user(tmp_path / "mosquitto" / "passwords", "agra", "y")
    async with bring(settings(bring="mosquitto", user="hub", password="new"), tmp_path) as address:
        assert isinstance(await knock(address.host, address.port, "agra", "y"), Answered)
        assert isinstance(await knock(address.host, address.port, "hub", "new"), Answered)
        assert isinstance(await knock(address.host, address.port, "hub", "x"), TurnedAway)
