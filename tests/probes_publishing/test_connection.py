"""One MQTT connection: what a PUBACK says, refusals, silence, wills, TLS; against real brokers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt import client as paho

from collector.broker.ports import free_port
from probes.publishing import goodbye
from probes.publishing.connection import (
    NO_MATCHING_SUBSCRIBERS,
    BrokerAccess,
    Connection,
    ConnectionLost,
    Incoming,
    Will,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.server
WILL = Will("tatpar/1/agra/p1/presence", b'{"online":false,"since_ns":0}')


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def own_broker(tmp_path: Path, program: Callable[[str], str]) -> Iterator[Callable[[str], int]]:
    """Starts a mosquitto with lines of one's own for its listener; gives its port."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(lines: str) -> int:
        port = free_port()
        user = "user root\n" if os.geteuid() == 0 else ""
        conf = tmp_path / "own.conf"
        conf.write_text(f"{user}log_dest none\nlistener {port} 127.0.0.1\n{lines}\n", encoding="utf-8")
        processes.append(subprocess.Popen([program("mosquitto"), "-c", str(conf)]))
        for _ in range(3000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return port
            time.sleep(0.02)
        pytest.fail("mosquitto did not listen within a minute", pytrace=False)

    yield start
    for process in processes:
        process.kill()
        process.wait()


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def opened(
    port: int, executor: ThreadPoolExecutor, inbox: list[Incoming] | None = None, **access: Any
) -> Any:
    given: dict[str, Any] = {"host": "127.0.0.1", "port": port, "client_id": "tatpar-agra-p1"} | access
    return Connection.opened(BrokerAccess(**given), WILL, ([] if inbox is None else inbox).append, executor)


async def test_puback_says_whether_anybody_was_there(
    mosquitto: Any, eventually: Any, executor: ThreadPoolExecutor
) -> None:
    """The reason code of a PUBACK comes through: nobody there before somebody subscribes, success after."""
    inbox: list[Incoming] = []
    async with opened(mosquitto.port, executor, inbox) as connection:
        assert await connection.publish("a/b", b"1") == NO_MATCHING_SUBSCRIBERS
        await connection.subscribe(["a/b"])
        assert await connection.publish("a/b", b"2") == 0
        await eventually(lambda: inbox)
    assert inbox == [Incoming("a/b", b"2", False, None, None)]


async def test_clean_goodbye_sends_no_will(
    mosquitto: Any, make_hub: Any, eventually: Any, executor: ThreadPoolExecutor
) -> None:
    """Leaving on purpose sends no will; dropping the connection does, retained."""
    hub = make_hub()
    async with opened(mosquitto.port, executor):
        pass
    async with opened(mosquitto.port, executor) as connection:
        assert hub.presence["agra"] == []
        connection.abort("a cable is pulled")
        with pytest.raises(ConnectionLost, match="a cable is pulled"):
            connection.publish("a/b", b"")
    await eventually(lambda: hub.presence["agra"])
    assert hub.presence["agra"] == [(WILL.payload, False)]
    late = make_hub()
    await eventually(lambda: late.presence["agra"] == [(WILL.payload, True)])


async def test_goodbye_behind_reports_that_the_broker_has_yet_to_read_sends_no_will(
    mosquitto: Any, make_hub: Any, eventually: Any, executor: ThreadPoolExecutor
) -> None:
    """The broker falls behind, and we leave with reports on their way: it reads all of them, and then that we left."""
    hub = make_hub()

    async def leave() -> None:
        async with opened(mosquitto.port, executor) as connection:
            mosquitto._process.send_signal(signal.SIGSTOP)
            for seq in range(16):
                connection.publish(f"a/{seq}", bytes(700))
            leaving.set()

    inbox: list[Incoming] = []
    leaving = asyncio.Event()
    async with opened(mosquitto.port, executor, inbox, client_id="reader") as reader:
        await reader.subscribe(["a/+"])
        left = asyncio.create_task(leave())
        await leaving.wait()
        await asyncio.wait(
            {left}, timeout=0.2
        )  # it must not go before the broker has read: or it has gone now
        mosquitto._process.send_signal(signal.SIGCONT)
        await left
        await eventually(lambda: len(inbox) == 16)
    async with opened(mosquitto.port, executor, client_id="after") as after:
        await after.publish(WILL.topic, b"and after it nothing", retain=True)
        await eventually(lambda: hub.presence["agra"])
    assert [payload for payload, _ in hub.presence["agra"]] == [b"and after it nothing"]


async def test_goodbye_to_a_broker_that_does_not_hang_up_ends(
    mosquitto: Any, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that stands still is not waited for; its line is closed."""
    monkeypatch.setattr(goodbye, "HANG_UP_S", 0.1)
    try:
        async with opened(mosquitto.port, executor) as connection:
            mosquitto._process.send_signal(signal.SIGSTOP)
    finally:
        mosquitto._process.send_signal(signal.SIGCONT)
    assert await connection.lost()
    assert connection._socket.fileno() == -1


async def test_broker_that_freezes_is_noticed(mosquitto: Any, executor: ThreadPoolExecutor) -> None:
    """A broker that takes bytes but acknowledges nothing is given up after the watch on progress, not after hours."""
    process = mosquitto._process
    async with opened(mosquitto.port, executor, progress_s=60.0) as connection:
        assert await connection.publish("a/b", b"1") == NO_MATCHING_SUBSCRIBERS
        connection._access = replace(connection._access, progress_s=1.0)  # a busy broker is not a frozen one
        process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(ConnectionLost, match="nothing acknowledged for 1 s"):
                await asyncio.wait_for(connection.publish("a/b", b"2"), 60)
            assert await connection.lost() == "nothing acknowledged for 1 s"
        finally:
            process.send_signal(signal.SIGCONT)


async def test_killed_broker_fails_what_was_in_flight(mosquitto: Any, executor: ThreadPoolExecutor) -> None:
    """When the broker dies, publishes that wait are told so, and the connection says that it is lost."""
    async with opened(mosquitto.port, executor) as connection:
        await connection.publish("a/b", b"1")
        mosquitto._process.send_signal(signal.SIGSTOP)
        waiting = connection.publish("a/b", b"2")
        mosquitto.kill()
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(waiting, 60)
        assert await asyncio.wait_for(connection.lost(), 60)


async def test_what_paho_says_of_a_closed_socket_is_let_be(
    mosquitto: Any, executor: ThreadPoolExecutor
) -> None:
    """Cut while something waits to be written: paho gives its socket up once more when it goes, and nothing is raised."""
    async with opened(mosquitto.port, executor) as connection:
        mosquitto._process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(100):
                connection.publish("a/b", bytes(1_000_000))
            assert connection._client.want_write()
            connection.abort("a cable is pulled")
            connection._client._reset_sockets()
        finally:
            mosquitto._process.send_signal(signal.SIGCONT)
    assert connection._client.socket() is None


async def test_nobody_listens_there(executor: ThreadPoolExecutor) -> None:
    """A port where nothing listens is one plain line."""
    port = free_port()
    with pytest.raises(ConnectionLost, match=r"^Connection refused$"):
        async with opened(port, executor):
            pass


async def test_name_that_does_not_exist(executor: ThreadPoolExecutor) -> None:
    """A host name that is none is one plain line."""
    with pytest.raises(ConnectionLost):
        async with opened(1883, executor, host="broker.invalid"):
            pass


async def test_something_else_listens_there(executor: ThreadPoolExecutor) -> None:
    """A server that does not speak MQTT ends the attempt, not the agent."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n" * 20)
        with contextlib.suppress(ConnectionError):
            await writer.drain()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ConnectionLost):
            async with opened(server.sockets[0].getsockname()[1], executor):
                pass


async def test_wrong_password_is_said_plainly(
    own_broker: Any, tmp_path: Path, program: Any, executor: ThreadPoolExecutor
) -> None:
    """A broker that does not know us is named as such; the right password gets in."""
    passwords = tmp_path / "passwords"
    run(program("mosquitto_passwd"), "-b", "-c", str(passwords), "agra-p1", "right")
    port = own_broker(f"password_file {passwords}")
    with pytest.raises(ConnectionLost, match="the broker refuses us: Not authorized"):
        async with opened(port, executor, user="agra-p1", password="wrong"):
            pass
    async with opened(port, executor, user="agra-p1", password="right") as connection:
        assert await connection.publish("a/b", b"") == NO_MATCHING_SUBSCRIBERS


async def test_publish_that_is_not_allowed(
    own_broker: Any, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    """A publish that the broker's rules forbid is a failure code, which only the PUBACK tells."""
    acl = tmp_path / "acl"
    acl.write_text("topic read #\ntopic write allowed/#\n", encoding="utf-8")
    acl.chmod(0o600)
    port = own_broker(f"allow_anonymous true\nacl_file {acl}")
    async with opened(port, executor) as connection:
        assert await connection.publish("allowed/x", b"") == NO_MATCHING_SUBSCRIBERS
        assert await connection.publish("forbidden/x", b"") == 0x87


async def test_tls_with_an_own_authority(
    own_broker: Any, tmp_path: Path, eventually: Any, executor: ThreadPoolExecutor
) -> None:
    """With the right authority the connection is made over TLS; with another it is refused in one line."""
    for name in ("own", "other"):
        run(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2"),
            *("-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.crt")),
            *("-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"),
        )
    port = own_broker(
        f"allow_anonymous true\ncafile {tmp_path}/own.crt\ncertfile {tmp_path}/own.crt\nkeyfile {tmp_path}/own.key"
    )
    inbox: list[Incoming] = []
    own = ssl.create_default_context(cafile=tmp_path / "own.crt")
    async with opened(port, executor, inbox, tls=own) as connection:
        await connection.subscribe(["a/b"])
        big = b"x" * 200_000  # more than one TLS record: read to the last decrypted byte
        assert await connection.publish("a/b", big) == 0
        await eventually(lambda: inbox)
        assert inbox[0].payload == big
    other = ssl.create_default_context(cafile=tmp_path / "other.crt")
    with pytest.raises(ConnectionLost, match=r"(?i)certificate verify failed"):
        async with opened(port, executor, tls=other):
            pass


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_giving_up_while_connecting_leaks_nothing(
    mosquitto: Any, executor: ThreadPoolExecutor, eventually: Any
) -> None:
    """Cancelled in the middle of connecting, the socket that a thread opens a moment later is closed."""

    async def connect() -> None:
        async with opened(mosquitto.port, executor):
            await asyncio.sleep(60)

    before = open_files()
    for delay in (0.0, 0.0005, 0.001, 0.002, 0.005):
        task = asyncio.create_task(connect())
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await eventually(lambda: open_files() <= before)
    assert open_files() <= before


async def test_connection_reset_before_our_first_word_is_a_lost_one(
    executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that resets while we say CONNECT leaves no socket behind: told as a lost connection, not as a fault."""
    monkeypatch.setattr(paho.Client, "connect", lambda *_args, **_options: None)  # as paho leaves it then
    access = BrokerAccess(host="127.0.0.1", port=1, client_id="reset")
    with pytest.raises(ConnectionLost, match="reset at once"):
        async with Connection.opened(access, WILL, lambda _message: None, executor):
            pass
