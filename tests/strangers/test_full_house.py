"""Strangers who hold every place of the offices' port: new offices wait, and neither the hub nor its broker notices."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.broker import open_files
from collector.broker.bring import hubs_login
from collector.broker.child import MISSED_CHECKS
from collector.broker.knock import Answered, NoBroker, knock
from config.load import load_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
FEW = 256
"""Files that a broker may hold open on a machine that gives hardly any."""


@contextlib.asynccontextmanager
async def under_limits(folder: Path, soft: int, hard: int, ports: tuple[int, int]) -> AsyncIterator[Path]:
    """`tatpar broker` in a shell that gives so many files; yields its log."""
    own, public = ports
    settings, log = folder / "tatpar.toml", folder / "broker.log"
    settings.write_text(
        f'[broker]\nbring = "mosquitto"\nport = {own}\npublic_host = "127.0.0.1"\npublic_port = {public}\n'
        'public_names = ["localhost"]\n',
        encoding="utf-8",
    )
    limited = 'ulimit -Sn "$1" && ulimit -Hn "$2" && shift 2 && exec "$@"'
    command = [sys.executable, "-m", "tatpar", "broker", "--config", str(settings), "--data", str(folder)]
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", limited, "sh", str(soft), str(hard), *command), stdout=output, stderr=output
        )
    try:
        yield log
    finally:
        running.terminate()
        await running.wait()


def served_by(folder: Path) -> tuple[int, int]:
    """The broker's process, and how many files it may hold open."""
    pid = int((folder / "mosquitto" / "mosquitto.pid").read_text())
    with Path(f"/proc/{pid}/limits").open(encoding="ascii") as limits:
        soft = next(line.split()[3] for line in limits if line.startswith("Max open files"))
    return pid, int(soft)


def turned_away(strangers: list[socket.socket]) -> int:
    """How many of them the broker has hung up on."""
    count = 0
    for one in strangers:
        try:
            count += one.recv(1) == b""
        except BlockingIOError:
            continue
        except OSError:
            count += 1
    return count


async def test_strangers_who_fill_the_offices_port_never_reach_the_hub(
    tmp_path: Path, unused_ports: Any, eventually: Eventually
) -> None:
    """With 256 files, 400 connections that say nothing: the surplus is hung up on, the hub's own listener answers throughout."""
    own, public = unused_ports(2)
    async with under_limits(tmp_path, FEW, FEW, (own, public)) as log, contextlib.AsyncExitStack() as stack:
        await eventually(lambda: f"broker: mosquitto on 127.0.0.1:{own}" in log.read_text())
        settings = load_config(tmp_path / "tatpar.toml").settings.broker
        login = hubs_login(settings, tmp_path)
        assert login is not None
        before, files = served_by(tmp_path)
        assert files == FEW
        strangers = [
            stack.enter_context(socket.create_connection(("127.0.0.1", public), 10.0)) for _ in range(400)
        ]
        for one in strangers:
            one.setblocking(False)
        places = FEW - open_files.OUR_OWN
        await eventually(lambda: turned_away(strangers) >= len(strangers) - places)
        for _ in range(MISSED_CHECKS):
            assert await knock("127.0.0.1", own, *login(), 10.0) == Answered()
        assert isinstance(await knock("127.0.0.1", public, timeout_s=10.0), NoBroker)
        assert turned_away(strangers) < len(strangers), "they hold the places that there are"
        assert served_by(tmp_path)[0] == before
        assert "starting it again" not in log.read_text()
        assert f"offices and strangers together get {places} connections" in log.read_text()


async def test_the_broker_gets_as_many_files_as_the_hard_limit_allows(
    tmp_path: Path, unused_ports: Any, eventually: Eventually
) -> None:
    """Whatever the soft one was, which is 1,024 in most shells."""
    own, public = unused_ports(2)
    async with under_limits(tmp_path, FEW, 3 * FEW, (own, public)) as log:
        await eventually(lambda: f"broker: mosquitto on 127.0.0.1:{own}" in log.read_text())
        assert served_by(tmp_path)[1] == 3 * FEW
        written = (tmp_path / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
        assert f"max_connections {3 * FEW - open_files.OUR_OWN}\n" in written
