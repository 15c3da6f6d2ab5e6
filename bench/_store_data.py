"""Made-up reports and tables for the store's benchmark; the shapes and spreads of a ten-a-second measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from telemetry import histogram
from telemetry.messages import Clock, Direction, Envelope, RoundTrip, SelfReport, Stamps, StampSource, Stream
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.protocol import Received
from telemetry.store.tables import Ragged, RollupTable, StreamTable
from telemetry.windows import DAY_NS, SECOND_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

T0 = 20_000 * DAY_NS
PATHS = ("main.national", "main.state")


def reports(sites: Sequence[str], windows: int, seed: int = 1) -> list[Received]:
    """Reports of two streams with all histograms; a hundred different ones, repeated."""
    rng = np.random.default_rng(seed)
    streams = [tuple(_stream(rng, path) for path in PATHS) for _ in range(100)]
    out = []
    for window in range(windows):
        start_ns = T0 + window * WINDOW_NS
        for n, site in enumerate(sites):
            envelope = Envelope(
                site=site,
                probe="p1",
                epoch="0123456789abcdef",
                seq=window + 1,
                boot="boot",
                mono_ns=start_ns - T0,
                start_ns=start_ns,
                clock=Clock(),
                self_report=SelfReport(),
                items=streams[(window * 7 + n) % len(streams)],
            )
            out.append(Received(envelope, start_ns + 19 * SECOND_NS))
    return out


def _stream(rng: np.random.Generator, path: str) -> Stream:
    rtt = rng.lognormal(np.log(2e7), 0.15, 149)
    ms = np.sort(rtt) / 1e6
    return Stream(
        path=path,
        stamps=Stamps(t1=StampSource.KERNEL, t4=StampSource.KERNEL),
        rate_pps=10.0,
        sent=150,
        received=149,
        lost=1,
        up=_direction(rng, 150, 1),
        down=_direction(rng, 149, 0),
        rtt=RoundTrip(
            min_ms=float(ms[0]),
            mean_ms=float(ms.mean()),
            p50_ms=float(ms[74]),
            p95_ms=float(ms[141]),
            p99_ms=float(ms[147]),
            max_ms=float(ms[-1]),
            hist=histogram.sparse(rtt),
        ),
    )


def _direction(rng: np.random.Generator, sent: int, lost: int) -> Direction:
    pdv = rng.lognormal(np.log(1.5e6), 0.6, sent - lost).round()
    p50, p99, p999 = (float(x) for x in np.round(np.quantile(pdv, (0.5, 0.99, 0.999)) / 1e6, 6))
    return Direction(
        sent=sent,
        received=sent - lost,
        lost=lost,
        bitrate_bps=float(rng.integers(9_000, 12_000)),
        jitter_ms=round(float(rng.lognormal(-0.5, 0.3)), 6),
        jitter_max_ms=round(float(rng.lognormal(0.5, 0.3)), 6),
        pdv_p50_ms=p50,
        pdv_p99_ms=p99,
        pdv_p999_ms=p999,
        ipdv_p50_ms=p50 / 2,
        ipdv_p99_ms=p99 / 2,
        ipdv_hist=histogram.sparse(np.abs(np.diff(pdv))),
        pdv_hist=histogram.sparse(pdv),
    )


def _codes(sites: int, times: int) -> dict[str, NDArray[Any]]:
    lines = sites * len(PATHS)
    return {
        "site": np.repeat(np.arange(sites, dtype=np.int32), times * len(PATHS)),
        "probe": np.zeros(lines * times, np.int32),
        "path": np.tile(np.repeat(np.arange(len(PATHS), dtype=np.int32), times), sites),
    }


def _values(rng: np.random.Generator, rows: int) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for name in COUNT_COLUMNS:
        columns[name] = np.full(rows, 150) if "sent" in name else rng.poisson(0.2, rows).astype(np.int64)
    for name in FLOAT_COLUMNS:
        columns[name] = np.round(rng.lognormal(2.0, 0.4, rows), 6)
    columns["emulated"] = np.ones(rows, np.int64)
    return columns


def _histograms(rng: np.random.Generator, rows: int, bins: int) -> dict[str, Ragged]:
    out = {}
    for name in HISTOGRAM_COLUMNS:
        first = rng.integers(350, 500, rows)
        index = (first[:, None] + np.arange(bins) * 2).astype(np.int32)
        counts = rng.integers(1, 12, rows * bins)
        out[name] = Ragged(np.arange(rows + 1) * bins, index.ravel(), counts)
    return out


def windows(sites: Sequence[str], days: int, *, bins: int = 30, seed: int = 2) -> StreamTable:
    """Windows of whole days for two paths of each site."""
    rng = np.random.default_rng(seed)
    times = days * DAY_NS // WINDOW_NS
    rows = len(sites) * len(PATHS) * times
    start = np.tile(T0 + np.arange(times) * WINDOW_NS, len(sites) * len(PATHS))
    columns = _codes(len(sites), times) | {"start_ns": start, "received_ns": start + 19 * SECOND_NS}
    return StreamTable(
        tuple(sites), ("p1",), PATHS, columns | _values(rng, rows), _histograms(rng, rows, bins)
    )


def rollups(sites: Sequence[str], days: int, *, bins: int = 40, seed: int = 3) -> RollupTable:
    """Roll-ups of whole days for two paths of each site."""
    rng = np.random.default_rng(seed)
    times = days * DAY_NS // SLOT_NS
    rows = len(sites) * len(PATHS) * times
    slot = np.tile(T0 + np.arange(times) * SLOT_NS, len(sites) * len(PATHS))
    columns = _codes(len(sites), times) | {"slot_ns": slot, "received_ns": slot + SLOT_NS}
    columns["windows"] = np.full(rows, WINDOWS_PER_SLOT)
    values = {}
    for name in WINDOW_VALUE_COLUMNS:
        shape = (rows, WINDOWS_PER_SLOT)
        drawn = rng.lognormal(1.0, 0.3, shape).round(3) if name.endswith("_ms") else rng.poisson(0.2, shape)
        values[name] = drawn.astype(np.float32)
    return RollupTable(
        tuple(sites), ("p1",), PATHS, columns | _values(rng, rows), values, _histograms(rng, rows, bins)
    )
