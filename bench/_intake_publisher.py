"""Publishes prepared reports as fast as the broker takes them, or at a rate; a process of its own.

`python -m bench._intake_publisher PORT COUNT RATE`: 0 for as fast as possible. Each report carries the time of
its sending in `mono_ns`, so that the receiver can say how long it took.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final

import msgspec
import numpy as np

from collector.broker.embedded import replies, wire
from collector.broker.embedded.packets import V5, Publish
from config.live import LiveConfig
from telemetry.codec import encode
from telemetry.histogram import sparse
from telemetry.messages import Clock, Direction, Envelope, RoundTrip, SelfReport, Stamps, StampSource, Stream
from telemetry.windows import WINDOW_NS, window_start

WINDOW: Final = 1000
"""Publications not acknowledged at most."""


def stream(path: str, draw: np.random.Generator) -> Stream:
    """A stream item as ten packets a second give it."""
    rtt = np.sort(draw.lognormal(3.0, 0.2, 150))
    delays = rtt * 1e6
    k = StampSource.KERNEL
    up, down = (
        Direction(
            sent=150,
            received=150,
            lost=0,
            bitrate_bps=13_600.0,
            jitter_ms=0.61,
            jitter_max_ms=1.4,
            ipdv_p50_ms=0.4,
            ipdv_p99_ms=2.2,
            pdv_p50_ms=1.1,
            pdv_p99_ms=6.2,
            pdv_p999_ms=7.0,
            ipdv_hist=sparse(draw.exponential(6e5, 149)),
            pdv_hist=sparse(delays - delays.min()),
        )
        for _ in range(2)
    )
    summary = dict(
        zip(
            ("min_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"),
            rtt[[0, 75, 142, 148, 149]].tolist(),
            strict=True,
        )
    )
    return Stream(
        path=path,
        stamps=Stamps(t1=k, t2=k, t3=k, t4=k),
        rate_pps=10.0,
        sent=150,
        received=150,
        lost=0,
        up=up,
        down=down,
        rtt=RoundTrip(**summary, mean_ms=float(rtt.mean()), hist=sparse(delays)),
        stateful=True,
    )


def reports(count: int, epoch: str) -> list[Envelope]:
    """Reports of the 56 linked offices, two streams each, in the order of time."""
    draw = np.random.default_rng(1)
    sites = [site.id for site in LiveConfig().current.registry.linked()]
    shapes = [(stream("main.state", draw), stream("main.national", draw)) for _ in range(50)]
    first_ns = window_start(time.time_ns()) - (count // len(sites) + 2) * WINDOW_NS
    return [
        Envelope(
            site=sites[i % len(sites)],
            probe="p1",
            epoch=epoch,
            seq=i // len(sites) + 1,
            boot="bench",
            mono_ns=0,
            start_ns=first_ns + i // len(sites) * WINDOW_NS,
            clock=Clock(offset_ms=0.1, error_ms=1.2),
            self_report=SelfReport(cpu_ratio=0.02),
            items=shapes[i % len(shapes)],
        )
        for i in range(count)
    ]


async def publish(port: int, count: int, rate: float) -> None:
    """Publish at QoS 1, with a bounded number not acknowledged."""
    made = reports(count, f"{time.time_ns() & (2**64 - 1):016x}")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = wire.text("MQTT") + b"\x05\x02" + wire.u16(60) + b"\x00" + wire.text("")
    writer.write(b"\x10" + wire.varint(len(body)) + body)
    await reader.readexactly(1)
    await reader.readexactly((await reader.readexactly(1))[0])
    room = asyncio.Semaphore(WINDOW)
    acknowledging = asyncio.create_task(count_acknowledgements(reader, room, count))
    began = time.perf_counter()
    for i, report in enumerate(made):
        await room.acquire()
        if rate:
            await asyncio.sleep(max(0.0, began + i / rate - time.perf_counter()))
        stamped = encode(msgspec.structs.replace(report, mono_ns=time.time_ns()))
        topic = f"tatpar/1/{report.site}/p1/report"
        writer.write(replies.publish(V5, Publish(topic, stamped, 1, mid=i % 65_535 + 1)))
        if i % 50 == 0:
            await writer.drain()
    await acknowledging
    writer.write(b"\xe0\x00")
    writer.close()


async def count_acknowledgements(reader: asyncio.StreamReader, room: asyncio.Semaphore, count: int) -> None:
    """One PUBACK frees one place."""
    for _ in range(count):
        await reader.readexactly(1)
        await reader.readexactly((await reader.readexactly(1))[0])
        room.release()


if __name__ == "__main__":
    asyncio.run(publish(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
