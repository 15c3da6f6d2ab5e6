"""One connection for each emulated probe, idle but for its keepalive, with a retained will: what it costs the broker."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from bench._fleet.offices import office
from bench._fleet.usage import broker_pid
from collector.broker import bring
from collector.broker.embedded import wire
from config.settings import Broker

if TYPE_CHECKING:
    from collections.abc import Sequence

KEEPALIVE_S: Final = 15
IDLE_S: Final = 20.0
PER_ADDRESS: Final = 20_000
"""Connections from one loopback address: it has some 28,000 ports."""
_SPARE_FILES: Final = 200
_CLEAN: Final = 0x02
_WILL: Final = 0x04 | 0x08 | 0x20
"""A will, at QoS 1, retained."""


async def idle_connections(wanted: int) -> dict[str, object]:
    """Memory and CPU of the broker for each connection; fewer than wanted when the machine gives no more files."""
    _raise_files()
    count = min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_FILES)
    with tempfile.TemporaryDirectory() as name:
        async with bring(Broker(bring="mosquitto"), Path(name)) as broker:
            process = psutil.Process(broker_pid(Path(name)))
            before = process.memory_info().rss
            began = time.monotonic()
            writers = await _connected(broker.host, broker.port, count)
            took_s = time.monotonic() - began
            cpu_s = sum(process.cpu_times()[:2])
            await _pinged(writers, IDLE_S)
            figures: dict[str, object] = {
                "connections": len(writers),
                "connections: made a second": len(writers) / took_s,
                "connections: broker kB each": (process.memory_info().rss - before) / 1e3 / len(writers),
                "connections: broker cores, idle": (sum(process.cpu_times()[:2]) - cpu_s) / IDLE_S,
            }
            for writer in writers:
                writer.transport.abort()
    return figures


def _raise_files() -> None:
    """As many files as this process may have; the broker inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _connected(host: str, port: int, count: int) -> list[asyncio.StreamWriter]:
    together = 200
    writers: list[asyncio.StreamWriter] = []
    for first in range(0, count, together):
        some = range(first, min(first + together, count))
        writers += await asyncio.gather(*(_connect(host, port, index) for index in some))
    return writers


async def _connect(host: str, port: int, index: int) -> asyncio.StreamWriter:
    source = (f"127.0.0.{1 + index // PER_ADDRESS}", 0)
    reader, writer = await asyncio.open_connection(host, port, local_addr=source, limit=1 << 10)
    topic = f"tatpar/1/{office(index)}/p1/presence"
    body = wire.text("MQTT") + bytes([5, _CLEAN | _WILL]) + wire.u16(KEEPALIVE_S) + b"\x00"
    will = b'{"state":"offline"}'
    body += wire.text(f"{office(index)}/p1") + b"\x00" + wire.text(topic) + wire.u16(len(will)) + will
    writer.write(b"\x10" + wire.varint(len(body)) + body)
    answer = await reader.readexactly(2)
    rest = await reader.readexactly(answer[1])
    if answer[0] != 0x20 or rest[1] != 0:
        raise RuntimeError(f"the broker refused connection {index}: reason {rest[1]:#04x}")
    return writer


async def _pinged(writers: Sequence[asyncio.StreamWriter], for_s: float) -> None:
    """Keep them alive, each at half its keepalive, spread over it."""
    steps = int(for_s)
    period = KEEPALIVE_S // 2
    for step in range(steps):
        for writer in writers[step % period :: period]:
            writer.write(b"\xc0\x00")
        await asyncio.sleep(1.0)
