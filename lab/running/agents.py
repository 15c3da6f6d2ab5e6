"""The process that runs every emulated office: one agent each, all on one measuring process.

Started by `lab.running.fleet` as `python -m lab.running.agents FD`. The first line over FD says which offices; when FD closes,
however its owner died, the agents stop.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path
from typing import Final

import msgspec

from lab.running.agents_message import Offices
from probes.measuring.measurer import Measurer
from probes.publishing.agent import run_offices
from probes.publishing.office_settings import OfficeSettings

_LONGEST: Final = 1 << 24


def _settings(message: Offices) -> list[OfficeSettings]:
    return [
        OfficeSettings(
            site=office.site,
            probe=office.probe,
            broker_host="127.0.0.1",
            broker_port=office.broker_port,
            user=message.user,
            password=message.password,
            root=message.root,
            spool=Path(office.spool),
            ends=office.ends,
            ssid=office.ssid,
            secret=bytes.fromhex(office.secret),
            ping_targets=(),  # the gateway and the ends would be this machine itself
            interface="",
            reach_room=(office.room,) if office.room else (),
        )
        for office in message.offices
    ]


async def _run(sock: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=sock, limit=_LONGEST)
    line = await reader.readline()
    if not line:
        return
    offices = msgspec.json.decode(line, type=Offices)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
        owner = group.create_task(_watch(reader, stop), name="the lab's owner")
        writer.write(b"{}\n")
        try:
            await run_offices(_settings(offices), Measurer(), stop=stop)
        finally:
            owner.cancel()
    writer.close()


async def _watch(reader: asyncio.StreamReader, stop: asyncio.Event) -> None:
    """Stop when the owner closes the channel, or dies."""
    await reader.read(1)
    stop.set()


def main() -> None:
    """Run until the channel closes or SIGTERM comes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_run(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
