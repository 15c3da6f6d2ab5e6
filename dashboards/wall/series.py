"""A line over time, for charts: loss, jitter, round-trip quantiles, delay variation and bitrate in at most `POINTS` steps.

Short spans are read as 15 s windows; long ones as five-minute roll-ups, several to a step, with what is too
young to be rolled up taken from the windows. Histograms are merged, so a quantile of a step is the quantile
of its packets, not a mean of means. The estimated audio quality is rated window by window and averaged over a
step: one codec, one scale. A step without data is NaN (a gap), never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from analytics.one_window import fullest
from analytics.quality.line import COLUMNS, SLOT_COLUMNS, SLOT_WINDOW_VALUES
from dashboards.wall.audio import Assumed, assumed, of_rollups, of_windows
from telemetry.histogram import percentiles_ns
from telemetry.histogram_grid import BINS
from telemetry.store.assembly import rows_at
from telemetry.store.protocol import Selection
from telemetry.windows import MS_NS, SLOT_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.quality.line import Endpoints
    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import RollupTable, StreamTable

POINTS: Final = 1500
QUANTILES: Final = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}
_SUMS: Final = ("sent", "lost", "lost_unattributed", "up_sent", "up_lost", "down_sent", "down_lost")
_MEANS: Final = ("up_jitter_ms", "down_jitter_ms", "up_bitrate_bps", "down_bitrate_bps")
_AUDIO: Final = ("mos_up", "mos_down")
_HISTOGRAMS: Final = ("rtt_hist", "up_pdv_hist", "down_pdv_hist")
PDV_QUANTILE: Final = 0.95
"""Of the delay above the least of its window (RFC 5481)."""
_READ: Final = tuple(dict.fromkeys((*_SUMS, *_MEANS, *COLUMNS)))
_READ_ROLLUPS: Final = (*_SUMS, *_MEANS, *SLOT_COLUMNS)
Values = list[float | None]


class Series(Struct, frozen=True, kw_only=True):
    """Arrays of one length; `t_ms` are the starts of the steps. None is a gap."""

    path: str
    step_ms: int
    source: str
    """What is drawn: `windows` of 15 s, or `rollups` of five minutes, several to a step."""
    t_ms: list[int]
    loss_up: Values
    loss_down: Values
    loss_unattributed: Values
    jitter_up_ms: Values
    jitter_down_ms: Values
    pdv_up_ms: Values
    pdv_down_ms: Values
    bitrate_up_bps: Values
    bitrate_down_bps: Values
    mos_up: Values
    mos_down: Values
    assumed: Assumed
    rtt_ms: dict[str, Values]


@dataclass(slots=True)
class _Steps:
    """Sums by step while rows are added."""

    start_ns: int
    step_ns: int
    count: int
    endpoints: Endpoints
    sums: dict[str, NDArray[np.float64]]
    weights: dict[str, NDArray[np.float64]]
    histograms: dict[str, NDArray[np.int64]]


def step_for(start_ns: int, end_ns: int) -> int:
    """The finest step (ns) that draws the span in `POINTS`: one window, or some roll-up slots."""
    if (end_ns - start_ns) // WINDOW_NS <= POINTS:
        return WINDOW_NS
    return -(-(end_ns - start_ns) // (POINTS * SLOT_NS)) * SLOT_NS


def series(  # noqa: PLR0913, PLR0917 - which line, which span, heard how
    reader: StoreReader, site: str, path: str, start_ns: int, end_ns: int, endpoints: Endpoints
) -> Series:
    """Read and bin one line of a site over `[start_ns, end_ns)`; audio quality is that of `endpoints`."""
    step_ns = step_for(start_ns, end_ns)
    start_ns -= start_ns % step_ns
    steps = _empty(start_ns, step_ns, -(-(end_ns - start_ns) // step_ns), endpoints)
    raw_from_ns = start_ns
    if step_ns >= SLOT_NS:
        rollups = reader.rollups(
            Selection(start_ns, end_ns, sites=(site,), paths=(path,)),
            columns=_READ_ROLLUPS,
            window_values=SLOT_WINDOW_VALUES,
        )
        _add_rollups(steps, rollups)
        if len(rollups):
            raw_from_ns = int(np.max(np.asarray(rollups.columns["slot_ns"], dtype=np.int64))) + SLOT_NS
        else:
            raw_from_ns = max(start_ns, end_ns - 24 * SLOT_NS)
    if raw_from_ns < end_ns:
        _add_windows(
            steps, reader.streams(Selection(raw_from_ns, end_ns, sites=(site,), paths=(path,)), columns=_READ)
        )
    return _finished(steps, path)


def _empty(start_ns: int, step_ns: int, count: int, endpoints: Endpoints) -> _Steps:
    return _Steps(
        start_ns,
        step_ns,
        count,
        endpoints,
        {name: np.zeros(count) for name in (*_SUMS, *_MEANS, *_AUDIO)},
        {name: np.zeros(count) for name in (*_MEANS, *_AUDIO)},
        {name: np.zeros((count, BINS), dtype=np.int64) for name in _HISTOGRAMS},
    )


def _add_windows(steps: _Steps, table: StreamTable) -> None:
    table = rows_at(table, fullest(table))
    starts = np.asarray(table.columns["start_ns"], dtype=np.int64)
    _add(steps, starts, table, np.ones(len(starts)))
    quality = of_windows(table, steps.endpoints)
    _add_sound(steps, starts[:, None], quality.up.mos[:, None], quality.down.mos[:, None])


def _add_rollups(steps: _Steps, table: RollupTable) -> None:
    starts = np.asarray(table.columns["slot_ns"], dtype=np.int64)
    _add(steps, starts, table, np.asarray(table.columns["windows"], dtype=np.float64))
    quality = of_rollups(table, steps.endpoints)
    _add_sound(steps, starts[:, None], quality.up.mos, quality.down.mos)


def _add_sound(
    steps: _Steps, starts: NDArray[np.int64], up: NDArray[np.float64], down: NDArray[np.float64]
) -> None:
    """Figures of windows, (n, windows of a row), whose rows begin at `starts`, (n, 1)."""
    at = np.broadcast_to((starts - steps.start_ns) // steps.step_ns, up.shape)
    for name, value in (("mos_up", up), ("mos_down", down)):
        there = np.isfinite(value)
        np.add.at(steps.sums[name], at[there], value[there])
        np.add.at(steps.weights[name], at[there], 1)


def _add(
    steps: _Steps, starts: NDArray[np.int64], table: StreamTable | RollupTable, weight: NDArray[np.float64]
) -> None:
    at = (starts - steps.start_ns) // steps.step_ns
    columns: Mapping[str, NDArray[np.generic]] = table.columns
    for name in _SUMS:
        np.add.at(steps.sums[name], at, np.asarray(columns[name], dtype=np.float64))
    for name in _MEANS:
        value = np.asarray(columns[name], dtype=np.float64)
        there = np.isfinite(value)
        np.add.at(steps.sums[name], at[there], value[there] * weight[there])
        np.add.at(steps.weights[name], at[there], weight[there])
    for name in _HISTOGRAMS:
        ragged = table.histograms[name]
        rows = np.repeat(at, np.diff(ragged.offsets))
        np.add.at(steps.histograms[name], (rows, ragged.bins), ragged.counts)


def _finished(steps: _Steps, path: str) -> Series:
    sums = steps.sums
    rtt = percentiles_ns(steps.histograms["rtt_hist"], tuple(QUANTILES.values())) / MS_NS
    up, down = (
        percentiles_ns(steps.histograms[f"{way}_pdv_hist"], (PDV_QUANTILE,))[:, 0] / MS_NS
        for way in ("up", "down")
    )
    times = steps.start_ns + steps.step_ns * np.arange(steps.count, dtype=np.int64)
    mean = {name: _ratio(sums[name], steps.weights[name]) for name in (*_MEANS, *_AUDIO)}
    return Series(
        path=path,
        step_ms=steps.step_ns // MS_NS,
        source="windows" if steps.step_ns == WINDOW_NS else "rollups",
        t_ms=(times // MS_NS).tolist(),
        loss_up=_listed(_ratio(sums["up_lost"], sums["up_sent"]), 6),
        loss_down=_listed(_ratio(sums["down_lost"], sums["down_sent"]), 6),
        loss_unattributed=_listed(_ratio(sums["lost_unattributed"], sums["sent"]), 6),
        jitter_up_ms=_listed(mean["up_jitter_ms"], 3),
        jitter_down_ms=_listed(mean["down_jitter_ms"], 3),
        pdv_up_ms=_listed(up, 3),
        pdv_down_ms=_listed(down, 3),
        bitrate_up_bps=_listed(mean["up_bitrate_bps"], 0),
        bitrate_down_bps=_listed(mean["down_bitrate_bps"], 0),
        mos_up=_listed(mean["mos_up"], 2),
        mos_down=_listed(mean["mos_down"], 2),
        assumed=assumed(steps.endpoints),
        rtt_ms={name: _listed(rtt[:, i], 3) for i, name in enumerate(QUANTILES)},
    )


def _ratio(total: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.divide(total, of, out=np.full(len(total), np.nan), where=of > 0)
    return ratio


def _listed(values: NDArray[np.float64], decimals: int) -> Values:
    return [None if value != value else value for value in np.round(values, decimals).tolist()]  # noqa: PLR0124 - NaN
