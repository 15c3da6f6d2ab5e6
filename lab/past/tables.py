"""Drawn windows as the report store takes them: rows of stream windows, and five-minute roll-ups.

The roll-ups follow the store's own rules (`telemetry.store.rollup`): sums of counts, the worst of bursts and runs, means of
jitter, extremes of extremes; a test holds the two against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lab.past.folding import Folder
from lab.past.histograms import EXPONENTIAL, GAMMA2, drawn
from lab.past.windows import PACKET_BYTES
from telemetry.messages import ClockState, StampSource
from telemetry.store.columns import COUNT_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.tables import RollupTable, StreamTable
from telemetry.windows import SECOND_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lab.past.windows import DirectionWindows, Windows
    from telemetry.store.tables import Ragged

    Columns = dict[str, NDArray[Any]]

_DECIMALS: Final = 3
"""Of drawn times in ms; the store packs what has few decimals tightly."""
_WINDOW_S: Final = WINDOW_NS / SECOND_NS
_KERNEL: Final = sum(int(StampSource.KERNEL) << shift for shift in (0, 4, 8, 12))
_CLOCK_ERROR_MS: Final = 0.5
_DIRECTION_COUNTS: Final = (
    "sent", "received", "lost", "longest_loss_run", "worst_200ms_lost", "worst_200ms_sent",
)  # fmt: skip
_EXPONENTIAL_P: Final = {"p50": 0.6931, "p99": 4.6052, "p999": 6.9078}
"""Quantiles of an exponential law of mean 1."""


def columns_of(windows: Windows) -> Columns:
    """Every value column of the windows, each (P, n)."""
    shape = windows.sent.shape
    zero = np.zeros(shape, dtype=np.int64)
    columns: Columns = dict.fromkeys(COUNT_COLUMNS, zero)
    answered = windows.received > 0
    columns |= {
        "sent": windows.sent,
        "received": windows.received,
        "lost": windows.sent - windows.received,
        "lost_unattributed": windows.lost_unattributed,
        "stateful": zero + 1,
        "stamps": zero + _KERNEL,
        "clock_state": zero + int(ClockState.SYNCHRONISED),
        "emulated": zero + 1,
        "rate_pps": np.broadcast_to(windows.rate_pps, shape),
        "clock_error_ms": np.full(shape, _CLOCK_ERROR_MS),
        **{f"rtt_{name}_ms": _rounded(values) for name, values in windows.rtt_ms.items()},
    }
    for way, direction in (("up", windows.up), ("down", windows.down)):
        columns |= _direction_columns(way, direction, answered)
    silent = windows.lost_unattributed > 0
    up, down = windows.up, windows.down
    columns["longest_loss_run"] = np.where(
        silent, windows.sent, np.maximum(up.longest_loss_run, down.longest_loss_run)
    )
    columns["worst_200ms_lost"] = np.where(
        silent, up.worst_200ms_sent, np.maximum(up.worst_200ms_lost, down.worst_200ms_lost)
    )
    columns["worst_200ms_sent"] = up.worst_200ms_sent
    return columns


def _direction_columns(way: str, direction: DirectionWindows, answered: NDArray[np.bool_]) -> Columns:
    out: Columns = {f"{way}_{name}": getattr(direction, name) for name in _DIRECTION_COUNTS}
    out[f"{way}_jitter_ms"] = _rounded(direction.jitter_ms)
    out[f"{way}_jitter_max_ms"] = _rounded(direction.jitter_max_ms)
    out[f"{way}_bitrate_bps"] = np.rint(direction.received * (PACKET_BYTES * 8 / _WINDOW_S))
    scale = np.where(answered, direction.scale_ms, np.nan)
    for name, factor in _EXPONENTIAL_P.items():
        out[f"{way}_pdv_{name}_ms"] = _rounded(scale * factor)
        if name != "p999":
            out[f"{way}_ipdv_{name}_ms"] = _rounded(scale * factor)
    return out


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(values, _DECIMALS)


def stream_table(windows: Windows, site: str, probe: str, paths: Sequence[str]) -> StreamTable:
    """The windows that are there, as rows by (path, start)."""
    keep = _index(windows.there)
    start_ns = windows.start_ns[keep]
    p, n = len(paths), len(start_ns)
    columns: Columns = {
        "site": np.zeros(p * n, dtype=np.int32),
        "probe": np.zeros(p * n, dtype=np.int32),
        "path": np.repeat(np.arange(p, dtype=np.int32), n),
        "start_ns": np.tile(start_ns, p),
        "received_ns": np.tile(windows.received_ns[keep], p),
    }
    for name, values in columns_of(windows).items():
        columns[name] = np.ascontiguousarray(values[:, keep]).reshape(-1)
    flat = {name: values[:, keep].reshape(-1) for name, values in _laws(windows).items()}
    received = windows.received[:, keep].reshape(-1)
    return StreamTable((site,), (probe,), tuple(paths), columns, _histograms(flat, received))


def _index(keep: NDArray[np.bool_]) -> slice | NDArray[np.int64]:
    """An index that keeps these: a view where that is all of them, as nearly always."""
    return slice(None) if keep.all() else np.flatnonzero(keep)


def _laws(windows: Windows) -> dict[str, NDArray[np.float64]]:
    """What the histograms are drawn from, (P, n)."""
    return {
        "rtt": windows.rtt_scale_ms,
        "base": windows.rtt_base_ms,
        "up": windows.up.scale_ms,
        "down": windows.down.scale_ms,
    }


def _histograms(flat: Mapping[str, NDArray[np.float64]], received: NDArray[np.int64]) -> dict[str, Ragged]:
    """The five histograms of rows: as many counts as replies; one less for differences."""
    out = {"rtt_hist": drawn(flat["base"], flat["rtt"], received, GAMMA2)}
    for way in ("up", "down"):
        out[f"{way}_pdv_hist"] = drawn(0.0, flat[way], received, EXPONENTIAL)
        out[f"{way}_ipdv_hist"] = drawn(0.0, flat[way], np.maximum(received - 1, 0), EXPONENTIAL)
    return out


def rollup_table(windows: Windows, site: str, probe: str, paths: Sequence[str]) -> RollupTable:
    """The roll-ups of windows that fill whole slots (n is a multiple of 20), rows by (path, slot)."""
    p, slots = len(paths), len(windows.start_ns) // WINDOWS_PER_SLOT
    there = windows.there.reshape(slots, WINDOWS_PER_SLOT)
    keep = _index(np.asarray(there.any(axis=1)))
    here = there[keep]
    n = len(here)
    folder = Folder(np.concatenate([here] * p))

    def rows(values: NDArray[Any]) -> NDArray[Any]:
        """(P, all windows) as (P * kept slots, 20)."""
        return values.reshape(p, slots, WINDOWS_PER_SLOT)[:, keep].reshape(p * n, WINDOWS_PER_SLOT)

    cube = {name: rows(values) for name, values in columns_of(windows).items()}
    received = np.where(here, windows.received_ns.reshape(there.shape)[keep], 0).max(axis=1)
    columns: Columns = {
        "site": np.zeros(p * n, dtype=np.int32),
        "probe": np.zeros(p * n, dtype=np.int32),
        "path": np.repeat(np.arange(p, dtype=np.int32), n),
        "slot_ns": np.tile(windows.start_ns[::WINDOWS_PER_SLOT][keep], p),
        "received_ns": np.tile(received, p),
        "windows": folder.windows,
        **folder.counts(cube),
        **folder.floats(cube),
    }
    values = {name: folder.values(cube[name]) for name in WINDOW_VALUE_COLUMNS}
    replies = folder.only(cube["received"])
    flat = {name: folder.weighted(rows(law), replies) for name, law in _laws(windows).items()}
    histograms = _histograms(flat, columns["received"])
    return RollupTable((site,), (probe,), tuple(paths), columns, values, histograms)
