"""Five-minute roll-ups of stream windows: sums, extremes, merged histograms, and the windows' own values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry.histogram import percentiles_ns
from telemetry.store import ragged
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.tables import RollupTable
from telemetry.windows import MS_NS, SECOND_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemetry.store.tables import Ragged, StreamTable

CLOSED_AFTER_NS: Final = 60 * SECOND_NS
"""A slot is rolled up so long after its end: its last window has come by then from whoever is on line."""

_MAXIMA: Final = ("longest_loss_run", "up_longest_loss_run", "down_longest_loss_run", "emulated")
_MINIMA: Final = ("stateful", "clock_state")
_BURSTS: Final = ("worst_200ms", "up_worst_200ms", "down_worst_200ms")
_PERCENTILES: Final = {
    "rtt_p50_ms": ("rtt_hist", 0.5),
    "rtt_p95_ms": ("rtt_hist", 0.95),
    "rtt_p99_ms": ("rtt_hist", 0.99),
    **{
        f"{way}_{kind}_p{digits}_ms": (f"{way}_{kind}_hist", p)
        for way in ("up", "down")
        for kind, digits, p in (
            ("ipdv", "50", 0.5),
            ("ipdv", "99", 0.99),
            ("pdv", "50", 0.5),
            ("pdv", "99", 0.99),
            ("pdv", "999", 0.999),
        )
    },
}
_LEAST: Final = ("rtt_min_ms",)
_GREATEST: Final = (
    "rtt_max_ms", "up_jitter_max_ms", "down_jitter_max_ms", "clock_error_ms", *_PERCENTILES
)  # fmt: skip
_DECIMALS: Final = 6
"""Of means and percentiles, in the unit of the column: a nanosecond where that is a millisecond."""
_VALUE_DECIMALS: Final = 3
"""Of window values in milliseconds: a microsecond."""
_DENSE_ROWS: Final = 2048  # of 900 bins each, so that percentiles need some tens of MB at most


def roll_up(table: StreamTable) -> RollupTable:
    """The roll-ups of all windows of a table (with histograms), ordered by (site, path, slot_ns).

    Sums for counts of packets; the least for `stateful`, `clock_state` and each of `stamps`; the worst of the
    windows for loss runs and for 200 ms; means of rates, jitter and the mean round trip (weighted by its samples);
    extremes for minima, maxima and clock error; percentiles from the merged histograms, and the worst of the windows
    where there is none.
    """
    order, starts = _groups(table)
    columns = {name: column[order] for name, column in table.columns.items()}
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(order))))
    histograms = {
        name: ragged.merge_groups(ragged.take(part, order), group, len(starts))
        for name, part in table.histograms.items()
    }
    return RollupTable(
        table.sites,
        table.probes,
        table.paths,
        {
            **_keys(columns, starts, group),
            **_counts(columns, starts, group),
            **_floats(columns, starts, histograms),
        },
        _window_values(columns, len(starts), group),
        histograms,
    )


def _groups(table: StreamTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row order by (site, path, slot, probe, start), and where each group begins in it."""
    c = table.columns
    slot = c["start_ns"] // SLOT_NS
    order = np.lexsort((c["received_ns"], c["start_ns"], c["probe"], slot, c["path"], c["site"]))
    first = np.ones(len(order), np.bool_)
    same = np.ones(max(len(order) - 1, 0), np.bool_)
    for key in (c["site"], c["path"], slot, c["probe"]):
        sorted_key = key[order]
        same &= sorted_key[1:] == sorted_key[:-1]
    first[1:] = ~same
    return order, np.flatnonzero(first)


def _keys(
    columns: dict[str, NDArray[Any]], starts: NDArray[np.int64], group: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    window = columns["start_ns"] % SLOT_NS // WINDOW_NS
    distinct = np.unique(group * WINDOWS_PER_SLOT + window)
    return {
        "site": columns["site"][starts],
        "probe": columns["probe"][starts],
        "path": columns["path"][starts],
        "slot_ns": columns["start_ns"][starts] // SLOT_NS * SLOT_NS,
        "received_ns": _reduced(np.maximum, columns["received_ns"], starts),
        "windows": np.bincount(distinct // WINDOWS_PER_SLOT, minlength=len(starts)).astype(np.int64),
    }


def _reduced(how: np.ufunc, values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    return how.reduceat(values, starts) if len(starts) else values[:0]


def _counts(
    columns: dict[str, NDArray[Any]], starts: NDArray[np.int64], group: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {}
    for name in COUNT_COLUMNS:
        how = np.maximum if name in _MAXIMA else np.minimum if name in _MINIMA else np.add
        out[name] = _reduced(how, columns[name], starts)
    out["stamps"] = sum(
        (_reduced(np.minimum, columns["stamps"] >> shift & 15, starts) << shift for shift in (0, 4, 8, 12)),
        start=np.zeros(len(starts), np.int64),
    )
    for burst in _BURSTS:
        lost, sent = columns[f"{burst}_lost"], columns[f"{burst}_sent"]
        ratio = lost / np.maximum(sent, 1)
        worst = (
            np.lexsort((lost, ratio, group))[np.append(starts[1:], len(group)) - 1] if len(starts) else starts
        )
        out[f"{burst}_lost"], out[f"{burst}_sent"] = lost[worst], sent[worst]
    return out


def _floats(
    columns: dict[str, NDArray[Any]], starts: NDArray[np.int64], histograms: dict[str, Ragged]
) -> dict[str, NDArray[Any]]:
    percentiles = _percentiles(histograms)
    out: dict[str, NDArray[Any]] = {}
    for name in FLOAT_COLUMNS:
        values = columns[name]
        if name in _GREATEST:
            out[name] = _reduced(np.fmax, values, starts)
        elif name in _LEAST:
            out[name] = _reduced(np.fmin, values, starts)
        else:
            weight = columns["received"] if name == "rtt_mean_ms" else np.ones(len(values), np.int64)
            out[name] = _mean(values, weight, starts)
        if name in percentiles:
            out[name] = np.where(np.isnan(percentiles[name]), out[name], percentiles[name])
        out[name] = np.round(out[name], _DECIMALS)
    return out


def _mean(values: NDArray[Any], weight: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    """Mean of what is there; NaN where nothing is."""
    there = ~np.isnan(values)
    total = _reduced(np.add, np.where(there, weight, 0).astype(np.float64), starts)
    summed = _reduced(np.add, np.where(there, values * weight, 0.0), starts)
    mean: NDArray[np.float64] = np.divide(summed, total, out=np.full(len(starts), np.nan), where=total > 0)
    return mean


def _percentiles(histograms: dict[str, Ragged]) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {}
    for source, part in histograms.items():
        names = [name for name, (which, _) in _PERCENTILES.items() if which == source]
        rows = len(part.offsets) - 1
        values = np.empty((rows, len(names)))
        for first in range(0, rows, _DENSE_ROWS):
            some = np.arange(first, min(first + _DENSE_ROWS, rows))
            dense = ragged.dense_rows(ragged.take(part, some))
            values[some] = percentiles_ns(dense, [_PERCENTILES[name][1] for name in names]) / MS_NS
        out.update(zip(names, values.T, strict=True))
    return out


def _window_values(
    columns: dict[str, NDArray[Any]], groups: int, group: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    window = columns["start_ns"] % SLOT_NS // WINDOW_NS
    out: dict[str, NDArray[np.float32]] = {}
    for name in WINDOW_VALUE_COLUMNS:
        values = np.full((groups, WINDOWS_PER_SLOT), np.nan, np.float32)
        values[group, window] = np.round(columns[name], _VALUE_DECIMALS)
        out[name] = values
    return out
