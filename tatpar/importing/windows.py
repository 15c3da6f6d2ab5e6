"""Samples into our 15 s windows: counted, sorted, and nothing made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tatpar.importing.mapping import ROUND_TRIPS
from tatpar.importing.samples import PING, known_ns
from telemetry.histogram import bin_of
from telemetry.store.imported import completed
from telemetry.store.tables import Ragged, StreamTable
from telemetry.store.told import Told
from telemetry.windows import MS_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tatpar.importing.samples import Samples

    Columns = dict[str, NDArray[Any]]

_P: Final = {"rtt_p50_ms": 0.5, "rtt_p95_ms": 0.95, "rtt_p99_ms": 0.99}
_BINS: Final = 1 << 12
"""More than a histogram has."""
MAX_OF_FEW: Final = 19
"""Of so many packets at most the 95th percentile is the greatest (nearest rank: ceil(0.95 n) = n)."""


def windows_of(samples: Samples, site: str, probe: str, paths: Sequence[str]) -> StreamTable:
    """The windows of one office's samples, which come by path and time; ordered by (path, start).

    A window is dated as known with its own end, or when the last of its samples arrived where the file says that it was later.
    Figures of a span longer than a window stand in its last window alone. Loss without a direction stays without one.
    """
    window = samples["time_ns"] // WINDOW_NS
    starts = _edges(samples["path"], window)
    start_ns = window[starts] * WINDOW_NS
    columns: Columns = {
        "site": np.zeros(len(starts), np.int32),
        "probe": np.zeros(len(starts), np.int32),
        "path": samples["path"][starts].astype(np.int32),
        "start_ns": start_ns,
        "received_ns": np.maximum.reduceat(known_ns(samples), starts) if len(starts) else start_ns,
        "emulated": np.ones(len(starts), np.int64),
    }
    if samples.dtype == PING:
        columns |= _of_pings(samples, starts)
        histograms = {"rtt_hist": _histograms(samples, starts)}
    else:
        columns |= _of_summaries(samples, starts)
        histograms = {}
    return completed(StreamTable((site,), (probe,), tuple(paths), columns, histograms))


def late(samples: Samples) -> NDArray[np.bool_]:
    """(n,): which samples of one office came after their slot had been told to a replay."""
    return ~Told.of(samples["path"], samples["time_ns"], known_ns(samples)).had


def _edges(path: NDArray[np.int16], window: NDArray[np.int64]) -> NDArray[np.int64]:
    first = np.ones(len(path), np.bool_)
    first[1:] = (path[1:] != path[:-1]) | (window[1:] != window[:-1])
    return np.flatnonzero(first)


def _of_pings(samples: Samples, starts: NDArray[np.int64]) -> Columns:
    rtt, ends = samples["rtt_ms"], np.append(starts[1:], len(samples))
    sent = ends - starts
    lost = _sum(np.isnan(rtt).astype(np.int64), starts)
    received = sent - lost
    ordered = rtt[np.lexsort((rtt, np.repeat(np.arange(len(starts)), sent)))]  # NaN last in each window
    with np.errstate(invalid="ignore"):
        mean = np.divide(
            _sum(np.nan_to_num(rtt), starts), received, where=received > 0, out=np.full(len(starts), np.nan)
        )
    out: Columns = {
        "sent": sent,
        "lost": lost,
        "lost_unattributed": lost,
        "received": received,
        "longest_loss_run": _longest_run(np.isnan(rtt), starts, sent),
        "rtt_mean_ms": mean,
        "rtt_min_ms": _ranked(ordered, starts, received, np.ones(len(starts), np.int64)),
        "rtt_max_ms": _ranked(ordered, starts, received, received),
    }
    for name, p in _P.items():
        rank = np.maximum(np.ceil(p * received - 1e-9).astype(np.int64), 1)
        out[name] = _ranked(ordered, starts, received, rank)
    return out


def _ranked(
    ordered: NDArray[np.float64],
    starts: NDArray[np.int64],
    received: NDArray[np.int64],
    rank: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The figure of a rank (from 1) of each window; NaN where nothing came back."""
    at = starts + np.maximum(rank, 1) - 1
    return (
        np.where(received > 0, ordered[np.minimum(at, max(len(ordered) - 1, 0))], np.nan)
        if len(starts)
        else ordered
    )


def _longest_run(
    lost: NDArray[np.bool_], starts: NDArray[np.int64], sent: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Most packets in a row that were lost, within each window."""
    place = np.arange(len(lost))
    kept = np.where(~lost, place, -1)
    before = np.repeat(starts - 1, sent)  # what lies before the window ends a run too
    run = place - np.maximum(np.maximum.accumulate(kept), before) if len(lost) else place
    return np.asarray(np.maximum.reduceat(run, starts) if len(starts) else run, np.int64)


def _histograms(samples: Samples, starts: NDArray[np.int64]) -> Ragged:
    there = ~np.isnan(samples["rtt_ms"])
    row = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(samples))))[there]
    key, counts = np.unique(row * _BINS + bin_of(samples["rtt_ms"][there] * MS_NS), return_counts=True)
    offsets = np.searchsorted(key, np.arange(len(starts) + 1) * _BINS)
    return Ragged(offsets.astype(np.int64), (key % _BINS).astype(np.int32), counts.astype(np.int64))


def _of_summaries(samples: Samples, starts: NDArray[np.int64]) -> Columns:
    """Several rows of one window are put together by the store's own rules: sums, means by packets, the worst."""
    whole = {
        name: _sum(np.nan_to_num(samples[name]), starts).astype(np.int64)
        for name in ("sent", "lost", "up_lost", "down_lost")
    }
    known = ~np.isnan(samples["up_lost"]) | ~np.isnan(samples["down_lost"])
    received = np.maximum(whole["sent"] - whole["lost"], 0)
    out: Columns = {
        **whole,
        "received": received,
        "lost_unattributed": np.maximum(whole["lost"] - whole["up_lost"] - whole["down_lost"], 0),
        "stateful": _sum(known.astype(np.int64), starts).clip(0, 1),
    }
    for name in ROUND_TRIPS:
        out[f"{name}_ms"] = _together(name, samples, starts)
    few = (received > 0) & (received <= MAX_OF_FEW) & np.isnan(out["rtt_p95_ms"])
    out["rtt_p95_ms"] = np.where(few, out["rtt_max_ms"], out["rtt_p95_ms"])
    for way in ("up", "down"):
        out[f"{way}_jitter_ms"] = _together(f"jitter_{way}", samples, starts)
    return out


def _together(name: str, samples: Samples, starts: NDArray[np.int64]) -> NDArray[np.float64]:
    values = samples[name]
    if not len(starts):
        return np.asarray(values, np.float64)
    if name == "rtt_min":
        return np.asarray(np.fmin.reduceat(values, starts))
    if not (name == "rtt_mean" or name.startswith("jitter")):
        return np.asarray(np.fmax.reduceat(values, starts))
    weight = np.where(np.isnan(values), 0.0, np.maximum(samples["sent"], 1.0))
    total = _sum(weight, starts)
    summed = _sum(np.nan_to_num(values) * weight, starts)
    mean: NDArray[np.float64] = np.divide(summed, total, out=np.full(len(starts), np.nan), where=total > 0)
    return mean


def _sum(values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    return np.add.reduceat(values, starts) if len(starts) else values[:0]
