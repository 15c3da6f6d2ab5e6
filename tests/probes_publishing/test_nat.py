"""Offices behind address translation: the router forgets the connection to the broker without a word, and reports go on."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from probes.publishing.office_settings import Patience
from tests.probes_publishing.agents import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.server


class Nat:
    """A router for TCP: connections leave from its own address; those of a forgotten mapping go nowhere, in silence."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._host = "127.0.0.1"
        self._mapping = 0
        self.sources: list[str] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._writers:
                writer.transport.abort()

    def rebind(self, host: str) -> None:
        """The mapping is gone, and the line has another address."""
        self._mapping += 1
        self._host = host

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(self._host, 0)
        )
        self.sources.append(self._host)
        self._writers += [writer, far_writer]
        mapping = self._mapping
        for one, other in ((reader, far_writer), (far_reader, writer)):
            self._tasks.append(asyncio.create_task(self._pass(one, other, mapping), name="nat"))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mapping: int) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if mapping == self._mapping:
                    writer.write(data)
                    await writer.drain()
            if mapping == self._mapping:
                writer.close()


async def test_reports_go_on_from_another_address(  # noqa: PLR0917 - fixtures
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, mosquitto: Any, eventually: Any
) -> None:
    """What was under way when the mapping went is sent again on a new connection, and everything is stored once."""
    hub = make_hub()
    nat = Nat(mosquitto.port)
    async with nat.serving() as port:
        patience = Patience(progress_s=1.0, reconnect_s=0.1, resend_s=1.0, settle_s=0.1)
        office = replace(make_office(), broker_port=port, patience=patience)
        async with running([office], fake_measurer) as agent:
            counters = agent.offices[office.key].counters
            for index in range(3):
                fake_measurer.queue.put_nowait(make_window(office.key, index))
            await eventually(lambda: counters.stored == 3)
            nat.rebind("127.0.0.2")
            for index in range(3, 6):
                fake_measurer.queue.put_nowait(make_window(office.key, index))
            await eventually(lambda: counters.stored == 6)
    assert set(hub.seqs()) == {1, 2, 3, 4, 5, 6}
    assert nat.sources[0] == "127.0.0.1"
    assert nat.sources[-1] == "127.0.0.2"
