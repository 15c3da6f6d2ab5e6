"""Publishes prepared reports as fast as the broker takes them, or at a rate; a process of its own.

`python -m bench._intake_publisher PORT COUNT`: prepares all packets, says `ready`, and publishes for every line
`FIRST LAST RATE` on its input (0 for as fast as possible), which it answers with `sent`. Each report carries the time
of its sending in `mono_ns`, so that the receiver can say how long it took, and the properties that a probe sends.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from typing import Final

import numpy as np

from collector.broker.embedded import replies, wire
from collector.broker.embedded.packets import V5, Publish
from collector.broker.embedded.properties import Property
from config.live import LiveConfig
from telemetry.codec import encode
from telemetry.histogram import sparse
from telemetry.messages import Clock, Direction, Envelope, RoundTrip, SelfReport, Stamps, StampSource, Stream
from telemetry.windows import WINDOW_NS, window_start

WINDOW: Final = 2000
"""Publications not acknowledged at most."""
TOGETHER: Final = 64
"""Packets in one write when there is no rate to keep."""
STAMP: Final = 10**18
"""Stands in `mono_ns` until the time of sending is written over it: as many digits."""
_PROPERTIES: Final = ((Property.CONTENT_TYPE, "application/json"), (Property.USER, ("age-ms", "123")))


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


def reports(count: int, epoch: str, mono_ns: int = 0) -> list[Envelope]:
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
            mono_ns=mono_ns,
            start_ns=first_ns + i // len(sites) * WINDOW_NS,
            clock=Clock(offset_ms=0.1, error_ms=1.2),
            self_report=SelfReport(cpu_ratio=0.02),
            items=shapes[i % len(shapes)],
        )
        for i in range(count)
    ]


def prepared(count: int) -> list[tuple[bytearray, int]]:
    """PUBLISH packets, and where in each the time of sending is to be written."""
    mark = str(STAMP).encode()
    packets: list[tuple[bytearray, int]] = []
    for i, report in enumerate(reports(count, f"{time.time_ns() & (2**64 - 1):016x}", STAMP)):
        message = Publish(
            f"tatpar/1/{report.site}/p1/report",
            encode(report),
            1,
            mid=i % 65_535 + 1,
            properties=_PROPERTIES,
        )
        packet = bytearray(replies.publish(V5, message))
        packets.append((packet, packet.index(mark)))
    return packets


class Publisher:
    """One connection, one thread, bare sockets: it must not be what limits the rate."""

    def __init__(self, port: int, window: int = WINDOW) -> None:
        self._window = window
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = wire.text("MQTT") + b"\x05\x02" + wire.u16(0) + b"\x00" + wire.text("")
        self._sock.sendall(b"\x10" + wire.varint(len(body)) + body)
        head = self._sock.recv(2, socket.MSG_WAITALL)
        self._sock.recv(head[1], socket.MSG_WAITALL)
        self._sock.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sock, selectors.EVENT_READ)
        self._unanswered = 0
        self._rest = b""

    def publish(
        self, packets: list[tuple[bytearray, int]], rate: float, *, stamp: bool = True, wait: bool = True
    ) -> None:
        """Publish all, with a bounded number not acknowledged, and wait for the last acknowledgement if wanted."""
        began, at = time.perf_counter(), 0
        while at < len(packets) or (wait and self._unanswered):
            due = len(packets) - at if not rate else int((time.perf_counter() - began) * rate) + 1 - at
            together = min(due, TOGETHER, self._window - self._unanswered, len(packets) - at)
            if together > 0:
                self._write(packets[at : at + together], stamp=stamp)
                at += together
                self._unanswered += together
            until_s = 0.0 if together > 0 else (at / rate - (time.perf_counter() - began) if rate else 0.1)
            if at == len(packets) and not wait:
                until_s = 0.0
            elif at == len(packets) or self._unanswered >= self._window:
                until_s = 0.1
            self._read(max(0.0, until_s))

    def _write(self, packets: list[tuple[bytearray, int]], *, stamp: bool) -> None:
        now = b"%19d" % time.time_ns()
        for packet, place in packets if stamp else ():
            packet[place : place + 19] = now
        view = memoryview(b"".join([packet for packet, _ in packets]))
        while view:
            try:
                view = view[self._sock.send(view) :]
            except BlockingIOError:
                self._read(0.0)
                self._wait_writable()

    def _wait_writable(self) -> None:
        self._selector.modify(self._sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        self._selector.select(1.0)
        self._selector.modify(self._sock, selectors.EVENT_READ)

    def _read(self, timeout_s: float) -> None:
        """Count acknowledgements: one packet each, of at most 127 bytes."""
        if not self._selector.select(timeout_s):
            return
        try:
            data = self._rest + self._sock.recv(1 << 18)
        except BlockingIOError:
            return
        at = 0
        while len(data) >= at + 2 and len(data) >= at + 2 + data[at + 1]:
            at += 2 + data[at + 1]
            self._unanswered -= 1
        self._rest = data[at:]

    def close(self) -> None:
        """Leave."""
        self._sock.setblocking(True)
        self._sock.sendall(b"\xe0\x00")
        self._sock.close()


def main(port: int, count: int) -> None:
    """Prepare, then do as told."""
    packets = prepared(count)
    publisher = Publisher(port)
    print("ready", flush=True)
    for line in sys.stdin:
        first, last, rate = line.split()
        publisher.publish(packets[int(first) : int(last)], float(rate))
        print("sent", flush=True)
    publisher.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
