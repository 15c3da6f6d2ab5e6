"""A collector's storing half as a process: appends a site's reports, then goes on shipping until it is killed.

Usage: python shipping_process.py SETTINGS-JSON FOLDER SITE REPORTS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec

from config.settings import Store
from telemetry.messages import Clock, Direction, Envelope, SelfReport, Stamps, Stream
from telemetry.store.open import open_writer
from telemetry.store.protocol import Received
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS

T0 = 20_000 * DAY_NS


def report(site: str, seq: int) -> Received:
    quiet = Direction(sent=10, received=10, lost=0)
    stream = Stream(
        path="main.state", stamps=Stamps(), rate_pps=1, sent=10, received=10, lost=0, up=quiet, down=quiet
    )
    start_ns = T0 + seq * WINDOW_NS
    envelope = Envelope(
        site=site,
        probe="p1",
        epoch="0" * 16,
        seq=seq,
        boot="b",
        mono_ns=seq,
        start_ns=start_ns,
        clock=Clock(),
        self_report=SelfReport(),
        items=(stream,),
    )
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
