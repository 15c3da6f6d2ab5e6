"""Which headquarters this machine serves itself, and how long its reflectors live."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar, cast

import psutil
import pytest

from config.settings import Headquarters
from probes.reflecting.reflector_process import ReflectorProcess
from probes.stamp.packets import ReflectorPacket, SenderPacket
from tatpar.examination.ends import answers
from tatpar.hub import reflecting as reflecting_module
from tatpar.hub.reflecting import local_binds, reflecting, running_already
from tests.ports import free_udp_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOOPBACK = ("127.0.0.1", 0)


@pytest.fixture
def started() -> Callable[[], list[psutil.Process]]:
    """Which processes of ours there are more than when the test began."""
    before = set(psutil.Process().children())
    return lambda: [child for child in psutil.Process().children() if child not in before]


def end(name: str, *reflectors: str) -> Headquarters:
    return Headquarters(id=name, name_en=name, name_hi=name, reflectors=reflectors)


def test_only_our_own_addresses_are_bound() -> None:
    """A loopback address is this machine's; one of a network for documentation is somebody else's."""
    binds = local_binds([end("state", "127.0.0.1:1862"), end("national", "192.0.2.7:862"), end("none")])
    assert binds == {"state": ("127.0.0.1", 1862)}


def test_the_first_of_ours_is_taken() -> None:
    """Of several reflectors the first that is ours is bound; others before it are not ours to serve."""
    assert local_binds([end("state", "198.51.100.1:862", "127.0.0.1:1862", "127.0.0.1:1863")]) == {
        "state": ("127.0.0.1", 1862)
    }


def test_a_name_of_ours_counts() -> None:
    """A name that leads to an address of this machine is ours, and stays as it was written."""
    assert local_binds([end("state", "localhost:1862")]) == {"state": ("localhost", 1862)}


def test_any_interface_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address of any interface is ours, of either family."""
    interfaces = {
        "eth0": [SimpleNamespace(family=socket.AF_INET, address="198.51.100.1")],
        "eth1": [SimpleNamespace(family=socket.AF_INET6, address="2001:db8::1")],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces)
    ends = [
        end("state", "198.51.100.1:862"),
        end("national", "[2001:db8::1]:862"),
        end("away", "127.0.0.1:1"),
    ]
    assert local_binds(ends) == {"state": ("198.51.100.1", 862), "national": ("2001:db8::1", 862)}


def test_an_unknown_name_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve is not ours, and no reason to fail."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert local_binds([end("state", "reflector.example:862")]) == {}


def test_names_are_looked_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every name takes its time to fail, eight take no longer than one."""
    together = threading.Barrier(8, timeout=60)

    def slow(*_: object, **__: object) -> None:
        together.wait()  # breaks unless all eight are being looked up at the same time
        raise socket.gaierror(socket.EAI_AGAIN, "no name server")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    names = [f"reflector-{number}.example:862" for number in range(8)]
    assert local_binds([end("state", *names[:4]), end("national", *names[4:])]) == {}


@pytest.mark.server
async def test_each_end_has_its_own(tmp_path: Path, started: Callable[[], list[psutil.Process]]) -> None:
    """Each end gets an address of its own that answers; all end with the context."""
    async with reflecting({"state": LOOPBACK, "national": LOOPBACK}, tmp_path / "logs" / "r.log") as bound:
        assert bound.keys() == {"state", "national"}
        assert len(set(bound.values())) == 2
        for address in bound.values():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(60)
                sock.sendto(SenderPacket(7, 1 << 40, 0x0001).pack(), address)
                assert ReflectorPacket.parse(sock.recv(2048)).sender_sequence == 7
        assert len(started()) == 1
    assert not started()


@pytest.mark.server
async def test_one_that_is_killed_is_started_again(
    tmp_path: Path, started: Callable[[], list[psutil.Process]]
) -> None:
    """At the same addresses, so that offices need not be told; and it ends with the context as the first one would."""
    async with reflecting({"state": LOOPBACK, "national": LOOPBACK}, tmp_path / "r.log", keys=str) as bound:
        (first,) = started()
        first.kill()
        for address in bound.values():
            for _ in range(120):
                if await asyncio.to_thread(answers, address):
                    break
                await asyncio.sleep(0.5)
            else:
                pytest.fail("nobody answers")
        (second,) = started()
        assert second.pid != first.pid
    assert not started()


class Dying:
    """A reflector that is dead again as soon as it has been started."""

    addresses: ClassVar = [LOOPBACK]

    def __init__(self, status: int, error: Exception | None = None) -> None:
        self.ended_with, self.error, self.starts = status, error, 0

    def start_again(self) -> None:
        self.starts += 1
        if self.error is not None:
            raise self.error


async def _kept_for(process: Dying, monkeypatch: pytest.MonkeyPatch, naps: int) -> list[float]:
    """So many times it is waited; how long each."""
    waited: list[float] = []
    over = asyncio.Event()

    async def nap(wait_s: float) -> None:
        waited.append(wait_s)
        if len(waited) >= naps:
            over.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(reflecting_module, "_nap", nap)
    keeper = asyncio.create_task(reflecting_module._keep(cast("ReflectorProcess", process)))
    done, _ = await asyncio.wait(
        {keeper, waiter := asyncio.create_task(over.wait())}, return_when="FIRST_COMPLETED"
    )
    assert keeper not in done
    for task in (keeper, waiter):
        task.cancel()
    await asyncio.gather(keeper, waiter, return_exceptions=True)
    return waited


async def test_one_that_dies_at_once_is_not_started_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each death soon after a start is waited upon longer: minutes for twenty starts, not seconds."""
    process = Dying(-9)
    waited = await _kept_for(process, monkeypatch, 60)
    assert process.starts < 30
    assert sum(waited) > 60.0


@pytest.mark.parametrize(
    "process", [Dying(-37), Dying(-9, RuntimeError("can't start new thread")), Dying(1, ValueError())]
)
async def test_nothing_ends_the_keeper(process: Dying, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal without a name, no thread to be had, an answer that is none: it is tried again."""
    await _kept_for(process, monkeypatch, 12)
    assert process.starts > 2


@pytest.mark.server
async def test_one_that_ends_with_the_hub_is_not_gone(
    tmp_path: Path, started: Callable[[], list[psutil.Process]], caplog: pytest.LogCaptureFixture
) -> None:
    """SIGTERM to the whole group ends the reflector before the hub's rooms: nobody says that it is gone, nor starts another."""
    up = asyncio.Event()

    async def hub() -> None:
        async with reflecting({"state": LOOPBACK}, tmp_path / "r.log"):
            try:
                up.set()
                await asyncio.Event().wait()
            finally:  # the rooms take their time
                (keeper,) = (one for one in asyncio.all_tasks() if one.get_name() == "reflector: keep")
                await asyncio.wait({keeper}, timeout=120)
                assert keeper.done()

    running = asyncio.create_task(hub())
    await asyncio.wait_for(up.wait(), 120)
    (child,) = started()
    child.terminate()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not started()
    assert not [record for record in caplog.records if getattr(record, "event", "").startswith("reflector.")]


async def test_one_that_ends_in_order_alone_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 0 while the hub stays: somebody has stopped it."""
    process = Dying(0)
    await _kept_for(process, monkeypatch, 12)
    assert process.starts > 2


async def test_nothing_to_serve_starts_nothing(
    tmp_path: Path, started: Callable[[], list[psutil.Process]]
) -> None:
    """Without an end of ours there is no process and no log."""
    async with reflecting({}, tmp_path / "logs" / "r.log") as bound:
        assert bound == {}
        assert not started()
    assert not (tmp_path / "logs").exists()


@pytest.mark.server
async def test_a_taken_address_is_named(tmp_path: Path, started: Callable[[], list[psutil.Process]]) -> None:
    """A taken port is an error that names it, and no process stays."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(LOOPBACK)
        taken = other.getsockname()
        with pytest.raises(OSError, match=str(taken[1])):
            async with reflecting({"state": taken}, tmp_path / "r.log"):
                pytest.fail("it was taken")
    assert not started()


@pytest.mark.server
def test_a_reflector_that_runs_already_serves() -> None:
    """A taken address at which STAMP is answered is used; a free one, one that is silent and any free port are not."""
    with ReflectorProcess([LOOPBACK]) as other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(LOOPBACK)
        nobody = ("127.0.0.1", free_udp_port())
        binds = {"state": other.addresses[0], "silent": silent.getsockname(), "free": nobody, "any": LOOPBACK}
        assert running_already(binds) == {"state": other.addresses[0]}
