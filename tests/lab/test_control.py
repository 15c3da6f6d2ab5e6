"""The control socket against clients that mean well, and against those that do not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import stat
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lab.errors import LabError, NoFleetError, RefusedError
from lab.running.control import (
    LONGEST_REQUEST,
    MOST_CLIENTS,
    SOCKET_NAME,
    Break,
    Broken,
    Healed,
    LabStatus,
    ShownFault,
    Status,
    ask,
    control_server,
)
from lab.running.effect import Effect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lab.running.control import Answer


STATUS = LabStatus(
    offices=3, ends=("state",), by_hand=(), scripted=(), packets=1, lost=0, unsent=0, late_us={}
)


class Desk:
    """Answers everything, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked = []
        self.error = None

    async def __call__(self, request: Any) -> Answer:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        match request:
            case Break():
                return Broken(
                    fault=ShownFault(scope=request.scope, effect=request.effect, since_ns=1), offices=1
                )
            case Status():
                return STATUS
            case _:
                return Healed(healed=())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A running control socket with nothing behind it."""
    one = Desk()
    async with control_server(tmp_path, one):
        yield one


async def asked(folder: Path, request: Any, kind: Any) -> Any:
    return await asyncio.to_thread(ask, folder, request, kind)


async def raw(folder: Path, payload: bytes) -> list[dict[str, Any]]:
    """Send bytes, close our direction, and read everything that is said."""
    reader, writer = await asyncio.open_unix_connection(str(folder / SOCKET_NAME))
    writer.write(payload)
    writer.write_eof()
    said = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return [json.loads(line) for line in said.splitlines()]


async def test_a_request_is_answered(desk: Desk, tmp_path: Path) -> None:
    """A request reaches the desk as it was meant, and its answer comes back."""
    request = Break(scope="meerut", effect=Effect(loss_ratio=0.05), for_s=60)
    answer = await asked(tmp_path, request, Broken)
    assert desk.asked == [request]
    assert answer.fault.effect == Effect(loss_ratio=0.05)


@pytest.mark.usefixtures("desk")
async def test_only_the_owner_may_speak(tmp_path: Path) -> None:
    """The socket file is readable and writable by its owner only."""
    assert stat.S_IMODE((tmp_path / SOCKET_NAME).stat().st_mode) == 0o600


@pytest.mark.usefixtures("desk")
async def test_several_requests_on_one_connection(tmp_path: Path) -> None:
    """A client may ask again and again; each line gets its line, in order."""
    said = await raw(tmp_path, b'{"verb":"status"}\n{"verb":"heal"}\n{"verb":"status"}\n')
    assert [answer["answer"] for answer in said] == ["status", "healed", "status"]


@pytest.mark.parametrize(
    "payload",
    [
        b"\n",
        b"hello\n",
        b"\xff\xfe\n",
        b"[]\n",
        b'{"verb":"reboot"}\n',
        b'{"verb":"break"}\n',
        b'{"verb":"break","scope":"meerut","effect":{"loss_ratio":1.5}}\n',
        b'{"verb":"break","scope":"meerut","effect":{"loss":0.5}}\n',
        b'{"verb":"break","scope":"","effect":{"loss_ratio":0.5}}\n',
        b'{"verb":"break","scope":"meerut","effect":{"loss_ratio":0.5},"for_s":-1}\n',
        b'{"verb":"break","scope":"meerut","effect":{"loss_ratio":NaN}}\n',
        b'{"verb":"status","more":1}\n',
        b"[" * 10_000 + b"\n",
    ],
)
async def test_a_wrong_request_is_refused_and_the_next_one_heard(
    desk: Desk, tmp_path: Path, payload: bytes
) -> None:
    """What cannot be read is refused with one line, reaches nobody, and does not end the conversation."""
    said = await raw(tmp_path, payload + b'{"verb":"status"}\n')
    assert [answer["answer"] for answer in said] == ["refused", "status"]
    assert "\n" not in said[0]["error"]
    assert len(desk.asked) == 1


@pytest.mark.usefixtures("desk")
async def test_an_endless_request_is_cut_off(tmp_path: Path) -> None:
    """A request without end is refused at its bound and the connection closed."""
    said = await raw(tmp_path, b"x" * (LONGEST_REQUEST * 3))
    assert said == [{"answer": "refused", "error": f"the request is longer than {LONGEST_REQUEST} bytes"}]


async def test_half_a_request_is_no_request(desk: Desk, tmp_path: Path) -> None:
    """A client that goes away in mid-line has asked nothing."""
    assert await raw(tmp_path, b'{"verb":"heal"}') == []
    assert desk.asked == []


@pytest.mark.usefixtures("desk")
async def test_silent_clients_do_not_block_others(tmp_path: Path) -> None:
    """While many clients hold their connections open and say nothing, another is still answered."""
    held = [await asyncio.open_unix_connection(str(tmp_path / SOCKET_NAME)) for _ in range(MOST_CLIENTS - 1)]
    assert await asked(tmp_path, Status(), LabStatus) == STATUS
    for _, writer in held:
        writer.close()


async def heard(folder: Path) -> bool:
    """Whether one more client is not sent away."""
    with contextlib.suppress(RefusedError):
        return bool(await asked(folder, Status(), LabStatus) == STATUS)
    return False


@pytest.mark.usefixtures("desk")
async def test_too_many_clients_are_refused(tmp_path: Path) -> None:
    """Beyond the bound a client is told to try again, and heard when another has gone."""
    held = [await asyncio.open_unix_connection(str(tmp_path / SOCKET_NAME)) for _ in range(MOST_CLIENTS)]
    with pytest.raises(RefusedError, match="try again"):
        await asked(tmp_path, Status(), LabStatus)
    for _, writer in held:
        writer.close()
    async with asyncio.timeout(60):  # those who went are noticed when the server comes to them
        while not await heard(tmp_path):  # noqa: ASYNC110 - it has no bell for that
            await asyncio.sleep(0.05)
    assert await asked(tmp_path, Status(), LabStatus) == STATUS


async def test_open_conversations_end_with_the_server(tmp_path: Path) -> None:
    """A client that is still connected when the fleet ends sees its connection closed."""
    async with control_server(tmp_path, Desk()):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET_NAME))
        writer.write(b'{"verb":"status"}\n')
        await reader.readline()
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


async def test_what_the_fleet_refuses_is_told(desk: Desk, tmp_path: Path) -> None:
    """A refusal comes back as its one line."""
    desk.error = LabError("there is no office `x`")
    with pytest.raises(RefusedError, match="there is no office `x`"):
        await asked(tmp_path, Status(), LabStatus)


async def test_no_fleet_is_told(tmp_path: Path) -> None:
    """Without a fleet the operator is told how to start one."""
    with pytest.raises(NoFleetError, match="start one with: tatpar up --lab"):
        await asked(tmp_path, Status(), LabStatus)
    with pytest.raises(NoFleetError):
        await asked(tmp_path / "nowhere", Status(), LabStatus)


async def test_a_dead_fleets_socket_is_taken_over(tmp_path: Path) -> None:
    """A socket file that nobody answers on is replaced, not tripped over."""
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / SOCKET_NAME))
    dead.close()
    with pytest.raises(NoFleetError):
        await asked(tmp_path, Status(), LabStatus)
    async with control_server(tmp_path, Desk()):
        assert await asked(tmp_path, Status(), LabStatus) == STATUS


@pytest.mark.usefixtures("desk")
async def test_a_living_fleet_keeps_its_socket(tmp_path: Path) -> None:
    """A second fleet on the same folder is refused, and the first still answers."""
    with pytest.raises(LabError, match="running already"):
        async with control_server(tmp_path, Desk()):
            pytest.fail("two fleets on one folder")
    assert await asked(tmp_path, Status(), LabStatus) == STATUS


async def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    """A file of that name that is no socket is named, not removed."""
    (tmp_path / SOCKET_NAME).write_text("mine")
    with pytest.raises(LabError, match="no socket; remove it"):
        async with control_server(tmp_path, Desk()):
            pytest.fail("served over a file")
    assert (tmp_path / SOCKET_NAME).read_text() == "mine"


def test_the_socket_goes_with_the_fleet(tmp_path: Path) -> None:
    """When the fleet ends its socket is gone, and a client is told so."""

    async def serve() -> None:
        async with control_server(tmp_path, Desk()):
            assert stat.S_ISSOCK((tmp_path / SOCKET_NAME).lstat().st_mode)

    asyncio.run(serve())
    assert not (tmp_path / SOCKET_NAME).exists()


async def test_long_folders_work(tmp_path: Path) -> None:
    """A folder whose path is longer than a socket's may be is served all the same."""
    folder = tmp_path / ("d" * 90) / ("e" * 90)
    folder.mkdir(parents=True)
    async with control_server(folder, Desk()):
        assert await asked(folder, Status(), LabStatus) == STATUS


def test_answers_survive_the_wire() -> None:
    """Faults read back as they were written, absent figures absent."""
    fault = ShownFault(scope="meerut", effect=Effect(direction="up", loss_ratio=0.05), since_ns=5)
    assert msgspec.json.decode(msgspec.json.encode(fault), type=ShownFault) == fault
