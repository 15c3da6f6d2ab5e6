"""Runs under an old release's code: makes a store out of its own reports, and says what its own reader reads in it.

Two hours of two offices and a little: the recorded reports again and again under later times, the last minutes still in rows, a hole
in the numbers and a tombstone. Usage: `record_store.py messages.jsonl.zst reports.db spool.db`, with the old code on PYTHONPATH.
"""

from __future__ import annotations

import base64
import json
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
import zstandard

from probes.publishing.spool import Made, Spool
from telemetry import codec
from telemetry.messages import Tombstone
from telemetry.store.protocol import Received, Selection
from telemetry.store.sqlite import SqliteStore

WINDOW_NS = 15 * 10**9
HOUR_NS = 3600 * 10**9
FIRST_NS = 1_795_600_800 * 10**9  # 2026-11-25 10:00 UTC
WINDOWS = 2 * 240 + 20
HOLE = range(100, 104)
BURIED = (300, 303)


def main() -> None:
    """Make, and print what is read."""
    recorded, new = Path(sys.argv[1]), Path(sys.argv[2])
    store = SqliteStore(new)
    for reports in made(recorded):
        store.append(reports)
    for _ in range(50):
        store.maintain(FIRST_NS + 2 * HOUR_NS + 1200 * 10**9)
    everything = Selection(FIRST_NS, FIRST_NS + 4 * HOUR_NS)
    print(json.dumps(read(store, everything), indent=1))  # noqa: T201
    store.close()
    spool_some(recorded, Path(sys.argv[3]))


def spool_some(recorded: Path, path: Path) -> None:
    """A probe's spool with two reports that wait, and a plan."""
    spool = Spool(path, site="agra", probe="p1")
    for received in made(recorded)[0][:2]:
        envelope = received.envelope
        spool.append(
            envelope.start_ns,
            Made("boot-1", 1, envelope.start_ns),
            lambda slot, envelope=envelope: codec.encode(
                msgspec.structs.replace(envelope, epoch=slot.epoch, seq=slot.seq)
            ),
        )
    spool.put_plan(b'{"valid_until_ns":1}')
    spool.close()


def made(recorded: Path) -> list[list[Received]]:
    """The reports of each office, in the order of their coming."""
    messages = zstandard.ZstdDecompressor().decompress(recorded.read_bytes()).splitlines()
    by_site: dict[str, list] = {}
    for message in map(json.loads, messages):
        if not message["topic"].endswith("/report"):
            continue
        envelope = codec.decode(base64.b64decode(message["payload"]))
        by_site.setdefault(envelope.site, []).append(envelope)
    out = []
    for envelopes in by_site.values():
        reports = []
        for number in range(WINDOWS):
            seq = number + 1
            if seq in HOLE or BURIED[0] <= seq <= BURIED[1]:
                continue
            start_ns = FIRST_NS + number * WINDOW_NS
            envelope = msgspec.structs.replace(envelopes[number % len(envelopes)], seq=seq, start_ns=start_ns)
            if seq == BURIED[1] + 1:
                grave = Tombstone(
                    first_seq=BURIED[0],
                    last_seq=BURIED[1],
                    from_ns=FIRST_NS + (BURIED[0] - 1) * WINDOW_NS,
                    until_ns=FIRST_NS + BURIED[1] * WINDOW_NS,
                    reason="spool_full",
                )
                envelope = msgspec.structs.replace(envelope, items=(*envelope.items, grave))
            reports.append(
                Received(envelope, start_ns + 16 * 10**9, emulated=True, payload=codec.encode(envelope))
            )
        out.append(reports)
    return out


def read(store: SqliteStore, everything: Selection) -> dict[str, object]:
    """Digests of all columns, so that a later release can be held to the same bits; and some figures for people."""
    streams, rollups = store.streams(everything), store.rollups(everything)
    gaps = store.gaps(everything)
    return {
        "windows": len(streams),
        "sites": list(streams.sites),
        "sent": int(streams.columns["sent"].sum()),
        "rtt_p50_ms_mean": float(streams.columns["rtt_p50_ms"].mean()),
        "stream_columns": {name: digest(column) for name, column in streams.columns.items()},
        "stream_histograms": {name: histogram(part) for name, part in streams.histograms.items()},
        "slots": len(rollups.columns["slot_ns"]),
        "rollup_columns": {name: digest(column) for name, column in rollups.columns.items()},
        "rollup_histograms": {name: histogram(part) for name, part in rollups.histograms.items()},
        "window_values": {name: digest(values) for name, values in rollups.window_values.items()},
        "items": {
            kind: [
                len(found := store.items(kind, everything)),
                sha256(b"".join(map(as_bytes, found))).hexdigest(),
            ]
            for kind in ("ping", "link", "tombstone")
        },
        "holes": [[hole.site, hole.first_seq, hole.last_seq, hole.tombstone] for hole in gaps.holes],
        "received": {
            site: {e: list(map(list, s)) for e, s in store.received(site, "p1").items()}
            for site in streams.sites
        },
    }


def as_bytes(stored: object) -> bytes:
    """An item with where it came from."""
    return msgspec.json.encode(stored)


def digest(column: object) -> str:
    """Of the bits, whatever the integer's width."""
    import numpy as np

    array = np.asarray(column)
    wide = array.astype("<i8") if array.dtype.kind in "iub" else array
    return sha256(np.ascontiguousarray(wide).tobytes()).hexdigest()


def histogram(part: object) -> str:
    """Of a ragged histogram."""
    return digest(part.offsets) + digest(part.bins) + digest(part.counts)


if __name__ == "__main__":
    main()
