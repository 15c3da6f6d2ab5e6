"""A collector's storing half as a process: appends a site's reports, then goes on shipping until it is killed.

Usage: python shipping_process.py SETTINGS-JSON FOLDER SITE REPORTS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec

from config.settings import Store
from telemetry.store.open import open_writer
from telemetry.store.protocol import Received
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS
from tests.reported import envelope_of, quiet_stream

T0 = 20_000 * DAY_NS


def report(site: str, seq: int) -> Received:
    start_ns = T0 + seq * WINDOW_NS
    envelope = envelope_of(site, seq, start_ns, quiet_stream(packets=10, rate_pps=1))
    return Received(envelope, start_ns + 19 * SECOND_NS)


def main(settings: str, folder: str, site: str, reports: str) -> None:
    store = open_writer(msgspec.json.decode(settings, type=Store), Path(folder))
    for seq in range(1, int(reports) + 1, 5):
        store.append([report(site, n) for n in range(seq, seq + 5)])
        sys.stdout.write(f"{seq + 4}\n")
        sys.stdout.flush()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
