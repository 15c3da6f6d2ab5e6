"""What a service tells the manager that started it."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import pytest

from tatpar.service.notify import Manager, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield sock


def heard(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


async def test_ready_alive_and_stopping(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this order; signs of life three times in the span that the manager waits."""
    monkeypatch.setenv("WATCHDOG_USEC", "90000")
    async with serving("at work"):
        assert heard(manager) == "READY=1\nSTATUS=at work"
        for _ in range(3):
            await asyncio.sleep(0.05)
            assert heard(manager) == "WATCHDOG=1"
    last = [heard(manager)]
    while last[-1] == "WATCHDOG=1":
        last.append(heard(manager))
    assert last[-1] == "STOPPING=1"


def test_no_child_can_talk_in_our_place(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are gone once they are read."""
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert Manager().patience_s == 1.0
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(os.environ)
    assert manager.fileno() >= 0


@pytest.mark.parametrize(("pid", "usec"), [("1", "1000000"), ("", "soon"), ("", "")])
def test_a_watchdog_that_is_not_ours(pid: str, usec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another's, or no number: nobody waits for us."""
    monkeypatch.setenv("WATCHDOG_PID", pid)
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    assert Manager().patience_s == 0.0


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody, one who is gone and one who does not read are no trouble of ours."""
    Manager().ready("at work")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    Manager().ready("at work")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "deaf"))
        talker = Manager()
        for _ in range(2_000):
            talker.tell("WATCHDOG=1")


def test_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that begins with @ is in no folder."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0tatpar-test-{os.getpid()}")
        sock.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@tatpar-test-{os.getpid()}")
        Manager().stopping()
        assert heard(sock) == "STOPPING=1"
