"""A deployment of any number of linked offices with a past, and the reports that go on arriving."""

from __future__ import annotations

import csv
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from config.load import load_config
from telemetry.histogram import bin_of
from telemetry.messages import Clock, Direction, Envelope, RoundTrip, SelfReport, Stamps, StampSource, Stream
from telemetry.store.protocol import Received
from telemetry.store.tables import Ragged, StreamTable
from telemetry.windows import SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from telemetry.store.sqlite import SqliteStore

PATHS: Final = ("main.state", "main.national")
PAST_WINDOWS: Final = 40
"""Ten minutes of every line before the benchmark begins."""
_SITES_AT_ONCE: Final = 250


def write_deployment(folder: Path, offices: int) -> Path:
    """The built-in offices, all linked; more than those are copies beside them. Path of the settings."""
    source = load_config(None).sources.sites
    with source.open(encoding="utf-8", newline="") as stream:
        known = list(csv.DictReader(stream))
    rng = np.random.default_rng(offices)
    rows = []
    for n in range(offices):
        row = dict(known[n % len(known)], status="linked", parent="")
        if n >= len(known):
            row |= {
                "id": f"{row['id']}-{n}",
                "name_en": f"{row['name_en']} {n}",
                "name_hi": f"{row['name_hi']} {n}",
            }
            row |= {"lat": f"{float(row['lat']) + rng.normal(0, 0.2):.3f}"}
            row |= {"lon": f"{float(row['lon']) + rng.normal(0, 0.2):.3f}"}
        rows.append(row)
    with (folder / "sites.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, known[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    settings = folder / "tatpar.toml"
    settings.write_text("", encoding="utf-8")
    return settings


def give_past(store: SqliteStore, sites: Sequence[str]) -> None:
    """Ten minutes of every line, up to now."""
    until_ns = window_start(time.time_ns() - 20 * SECOND_NS)
    starts = until_ns - WINDOW_NS * np.arange(PAST_WINDOWS, 0, -1, dtype=np.int64)
    for first in range(0, len(sites), _SITES_AT_ONCE):
        store.import_streams(_past(sites[first : first + _SITES_AT_ONCE], starts))


def _past(sites: Sequence[str], starts: np.ndarray) -> StreamTable:
    lines, windows = len(sites) * len(PATHS), len(starts)
    n = lines * windows
    rng = np.random.default_rng(len(sites))
    rtt = np.repeat(rng.uniform(12, 60, lines), windows) * rng.lognormal(0, 0.05, n)
    sent = np.full(n, 150)
    lost = (rng.random(n) < 0.02).astype(np.int64)
    columns: dict[str, Any] = {
        "site": np.repeat(np.arange(len(sites)), len(PATHS) * windows),
        "probe": np.zeros(n, dtype=np.int64),
        "path": np.tile(np.repeat(np.arange(len(PATHS)), windows), len(sites)),
        "start_ns": np.tile(starts, lines),
        "received_ns": np.tile(starts, lines) + WINDOW_NS + 4 * SECOND_NS,
        "rate_pps": np.full(n, 10.0),
        "stateful": np.ones(n),
        "stamps": np.full(n, 0x2222),
        "sent": sent, "received": sent - lost, "lost": lost, "lost_unattributed": np.zeros(n),
        "up_sent": sent, "up_received": sent - lost, "up_lost": lost,
        "down_sent": sent - lost, "down_received": sent - lost, "down_lost": np.zeros(n),
    }  # fmt: skip
    for name, factor in (
        ("min", 0.8),
        ("mean", 1.05),
        ("p50", 1.0),
        ("p95", 1.4),
        ("p99", 1.7),
        ("max", 1.9),
    ):
        columns[f"rtt_{name}_ms"] = rtt * factor
    bins = bin_of(rtt * 1e6).astype(np.int32)
    histogram = Ragged(np.arange(n + 1, dtype=np.int64), bins, np.full(n, 150, dtype=np.int64))
    return StreamTable(tuple(sites), ("p1",), PATHS, columns, {"rtt_hist": histogram})


def reports(sites: Sequence[str], seq: int) -> list[Received]:
    """One live report of each office, of the newest whole window, each with figures of its own."""
    now_ns = time.time_ns()
    start_ns = window_start(now_ns - WINDOW_NS - 3 * SECOND_NS)
    return [
        Received(_envelope(site, seq, start_ns, 15.0 + (hash(site) + seq * 7) % 40), now_ns) for site in sites
    ]


def _envelope(site: str, seq: int, start_ns: int, rtt_ms: float) -> Envelope:
    source = StampSource.KERNEL
    stamps = Stamps(t1=source, t2=source, t3=source, t4=source)
    lost = seq % 3
    rtt = RoundTrip(
        min_ms=rtt_ms * 0.8, mean_ms=rtt_ms, p50_ms=rtt_ms, p95_ms=rtt_ms * 1.4, p99_ms=rtt_ms * 1.7,
        max_ms=rtt_ms * 1.9, hist=(int(bin_of([rtt_ms * 1e6])[0]), 150 - lost),
    )  # fmt: skip
    up = Direction(sent=150, received=150 - lost, lost=lost, bitrate_bps=13_000, jitter_ms=2.0)
    down = Direction(sent=150 - lost, received=150 - lost, lost=0, bitrate_bps=13_000, jitter_ms=2.0)
    streams = tuple(
        Stream(
            path=path, stamps=stamps, rate_pps=10, sent=150, received=150 - lost, lost=lost, up=up, down=down,
            rtt=rtt, stateful=True,
        )
        for path in PATHS
    )  # fmt: skip
    return Envelope(
        site=site, probe="p1", epoch="00000000000000be", seq=seq, boot="b", mono_ns=1, start_ns=start_ns,
        clock=Clock(), self_report=SelfReport(), items=streams,
    )  # fmt: skip
