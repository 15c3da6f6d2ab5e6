"""Run as a program: appends batches to a store for ever, and says after each how far it has got.

Usage: python writing_process.py FILE SITES BATCH
"""

from __future__ import annotations

import sys
from pathlib import Path

from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS
from tests.reported import envelope_of, quiet_stream

T0 = 20_000 * DAY_NS


def report(site: str, seq: int) -> Received:
    streams = (quiet_stream(path, packets=10, rate_pps=1) for path in ("main.national", "main.state"))
    start_ns = T0 + seq * WINDOW_NS
    envelope = envelope_of(site, seq, start_ns, *streams, epoch="0" * 16)
    return Received(envelope, start_ns + 19 * SECOND_NS)


def main(file: str, sites: str, batch: str) -> None:
    store = SqliteStore(Path(file))
    names = [f"site-{n}" for n in range(int(sites))]
    first = max((last for _, last in store.received(names[0], "p1").get("0" * 16, ())), default=0) + 1
    while True:
        store.append([report(site, seq) for seq in range(first, first + int(batch)) for site in names])
        first += int(batch)
        sys.stdout.write(f"{first - 1}\n")
        sys.stdout.flush()
        if first % (8 * int(batch)) == 1:
            store.maintain(T0 + first * WINDOW_NS)


if __name__ == "__main__":
    main(*sys.argv[1:])
