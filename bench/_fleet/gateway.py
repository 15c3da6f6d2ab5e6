"""Many emulated probes behind a few MQTT connections: each sends one report every 15 s, at its own moment of the 15 s.

`python -m bench._fleet.gateway PORT FIRST LAST ROUNDS`: prepares, says `ready`; after a line on its input publishes for the
offices FIRST to LAST - 1 so many rounds, open loop (a late broker does not slow the sending down, but for what may be unacknowledged),
then says one line of JSON: sent, how late the last report of each round left, CPU seconds. Ends with its input.

A report is a template into which office, number and times are written: the templates are true reports as the probe's codec
writes them, two streams with their histograms, and the time of sending stands in `mono_ns`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from bench._fleet.offices import office
from bench._intake_publisher import STAMP, Publisher, stream
from collector.broker.embedded import replies
from collector.broker.embedded.packets import V5, Publish
from collector.broker.embedded.properties import Property
from telemetry.codec import encode
from telemetry.messages import Clock, Envelope, SelfReport
from telemetry.windows import SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES: Final = 50
UNANSWERED: Final = 20_000
"""Publications not acknowledged at most; a probe of its own has at most one or two."""
WINDOW_S: Final = WINDOW_NS / SECOND_NS
SLICE_S: Final = 0.02
"""So often a handful of offices send."""
_OFFICE: Final = office(0)
_START: Final = window_start(2 * STAMP)
"""Stands in `start_ns` until the window's time is written over it: nineteen digits, on the grid."""
_PROPERTIES: Final = ((Property.CONTENT_TYPE, "application/json"), (Property.USER, ("age-ms", "123")))


@dataclass(frozen=True, slots=True)
class Template:
    """A PUBLISH packet and where in it things are written over."""

    packet: bytes
    offices: tuple[int, ...]
    seq: int
    start: int
    sent_at: int
    mid: int


def templates() -> list[Template]:
    """A few dozen shapes of reports, so that no store sees the same values from everybody."""
    draw = np.random.default_rng(1)
    epoch = f"{time.time_ns() & (2**64 - 1):016x}"
    return [_template(epoch, draw) for _ in range(SHAPES)]


def _template(epoch: str, draw: np.random.Generator) -> Template:
    report = Envelope(
        site=_OFFICE,
        probe="p1",
        epoch=epoch,
        seq=1,
        boot="bench",
        mono_ns=STAMP,
        start_ns=_START,
        clock=Clock(offset_ms=0.1, error_ms=1.2),
        self_report=SelfReport(cpu_ratio=0.02),
        items=(stream("main.state", draw), stream("main.national", draw)),
    )
    message = Publish(f"tatpar/1/{_OFFICE}/p1/report", encode(report), 1, mid=0x7FFF, properties=_PROPERTIES)
    packet = bytes(replies.publish(V5, message))
    return Template(
        packet=packet,
        offices=tuple(_all(packet, _OFFICE.encode())),
        seq=packet.index(b'"seq":1') + len(b'"seq":'),
        start=packet.index(str(_START).encode()),
        sent_at=packet.index(str(STAMP).encode()),
        mid=packet.index(b"\x7f\xff"),
    )


def _all(packet: bytes, text: bytes) -> Iterator[int]:
    at = packet.find(text)
    while at >= 0:
        yield at
        at = packet.find(text, at + 1)


def filled(template: Template, name: bytes, seq: int, start: bytes, mid: int) -> tuple[bytearray, int]:
    """One office's report of one window; and where the time of sending goes."""
    packet = bytearray(template.packet)
    for at in template.offices:
        packet[at : at + len(name)] = name
    packet[template.seq] = 48 + seq
    packet[template.start : template.start + len(start)] = start
    packet[template.mid : template.mid + 2] = mid.to_bytes(2, "big")
    return packet, template.sent_at


class Gateway:
    """The offices of one process."""

    def __init__(self, port: int, first: int, last: int) -> None:
        self._publisher = Publisher(port, UNANSWERED)
        self._names = [office(index).encode() for index in range(first, last)]
        self._templates = templates()
        self._mid = 0

    def rounds(self, count: int) -> dict[str, object]:
        """Every office once in each window; how late the last slice of each left, in seconds."""
        late_s = []
        sent = 0
        began = time.monotonic()
        for turn in range(count):
            start = _as_start(time.time_ns())
            slices = max(1, round(WINDOW_S / SLICE_S))
            for part in range(slices):
                due = began + turn * WINDOW_S + part * SLICE_S
                if (wait_s := due - time.monotonic()) > 0:
                    time.sleep(wait_s)
                some = self._names[part::slices]
                packets = [self._filled(name, turn + 1, start) for name in some]
                self._publisher.publish(packets, 0.0, wait=False)
                sent += len(some)
            late_s.append(max(0.0, time.monotonic() - began - (turn + 1) * WINDOW_S))
        self._publisher.publish([], 0.0)
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {"sent": sent, "late_s": late_s, "cpu_s": used.ru_utime + used.ru_stime}

    def _filled(self, name: bytes, seq: int, start: bytes) -> tuple[bytearray, int]:
        self._mid = self._mid % 65_535 + 1
        return filled(self._templates[self._mid % SHAPES], name, seq, start, self._mid)


def _as_start(now_ns: int) -> bytes:
    """The window that ended last, as the wire writes it."""
    return str(window_start(now_ns) - WINDOW_NS).encode()


def main(port: int, first: int, last: int, rounds: int) -> None:
    """Prepare, wait for the word, send."""
    gateway = Gateway(port, first, last)
    print("ready", flush=True)
    if sys.stdin.readline():
        print(json.dumps(gateway.rounds(rounds)), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
