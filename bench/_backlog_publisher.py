"""Publishes a backlog of lean reports to a broker whose collector is away; a process of its own.

`python -m bench._backlog_publisher PORT COUNT`: one stream without histograms a report, from the 56 linked offices in
turn, their windows one after another up to an hour ago.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

import msgspec

from bench._intake_publisher import Publisher, reports
from collector.broker.embedded import properties, wire
from collector.broker.embedded.properties import Property
from telemetry.codec import encode
from telemetry.messages import Stream
from telemetry.windows import HOUR_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Iterator

SITES: Final = 56
SEQ: Final = 987_654_321
START_NS: Final = 987_654_321_987_654_321


def lean(epoch: str) -> list[tuple[str, bytes]]:
    """For each office its topic, and its report with places for seq and start."""
    made = []
    bare = msgspec.structs.replace
    for report in reports(SITES, epoch):
        full = report.items[0]
        assert isinstance(full, Stream)
        assert full.rtt is not None
        stream = bare(
            full,
            up=bare(full.up, ipdv_hist=(), pdv_hist=()),
            down=bare(full.down, ipdv_hist=(), pdv_hist=()),
            rtt=bare(full.rtt, hist=()),
        )
        leaner = bare(report, seq=SEQ, start_ns=START_NS, items=(stream,))
        text = encode(leaner).replace(b"%d" % SEQ, b"%d", 1).replace(b"%d" % START_NS, b"%d", 1)
        made.append((f"tatpar/1/{report.site}/p1/backlog", text))
    return made


def packets(count: int) -> Iterator[bytes]:
    """PUBLISH packets."""
    offices = lean(f"{time.time_ns() & (2**64 - 1):016x}")
    said = properties.write([(Property.USER, ("age-ms", "3600000"))])
    last_ns = window_start(time.time_ns() - HOUR_NS)
    rounds = -(-count // SITES)
    for i in range(count):
        topic, text = offices[i % SITES]
        seq = i // SITES + 1
        payload = text % (seq, last_ns - (rounds - seq) * WINDOW_NS)
        body = b"".join((wire.text(topic), wire.u16(i % 65_535 + 1), said, payload))
        yield b"\x32" + wire.varint(len(body)) + body


def main(port: int, count: int) -> None:
    """Publish all and leave when the last is acknowledged."""
    publisher = Publisher(port)
    some: list[tuple[bytearray, int]] = []
    for packet in packets(count):
        some.append((bytearray(packet), 0))
        if len(some) == 10_000:
            publisher.publish(some, 0.0, stamp=False)
            some = []
    publisher.publish(some, 0.0, stamp=False)
    publisher.close()
    print("sent", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
