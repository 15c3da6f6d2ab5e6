"""Reads the floors of lines out of a store: from the five-minute round trips of the 7 days before each hour."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.floor import FLOOR_HOURS, asks_floor, floors, with_floor
from analytics.history import METRICS
from analytics.lines import Lines
from analytics.own_trouble import TROUBLE_COLUMNS, rolled_without_own_trouble
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.protocol import Selection
from telemetry.store.rollup import CLOSED_AFTER_NS
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS, SLOTS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from config.profiles import Limits
    from telemetry.store.protocol import RollupReader
    from telemetry.store.tables import RollupTable

SITES_PER_READ = 8
_MIDDLE = ("rtt_p50_ms", "rtt_mean_ms", "rtt_min_ms")
"""What a slot's round trip is for a floor: its median, or else the next best that was measured. Tools write what they have."""


def floors_of(reader: RollupReader, lines: Lines, first_hour: int, hours: int) -> NDArray[np.float32]:
    """The floors (S, P, H) of UTC hours `first_hour ..` (since the epoch); NaN where there is none.

    Only slots that ended before an hour count for it, and had come by the time at which the first slot of that hour closed.
    """
    out = np.full((*lines.shape, hours), np.nan, dtype=np.float32)
    first_slot = (first_hour - FLOOR_HOURS) * SLOTS_PER_HOUR
    slots = (FLOOR_HOURS + hours) * SLOTS_PER_HOUR
    for at in range(0, len(lines.sites), SITES_PER_READ):
        sites = lines.sites[at : at + SITES_PER_READ]
        span = Selection(first_slot * SLOT_NS, (first_slot + slots) * SLOT_NS, sites=sites)
        table = reader.rollups(span, histograms=False, columns=_MIDDLE, window_values=())
        middle = np.full((len(sites), len(lines.paths), slots), np.nan, dtype=np.float32)
        late_h = np.zeros(middle.shape, dtype=np.int64)
        row, column = Lines(sites, lines.paths).places(table)
        known = (row >= 0) & (column >= 0)
        slot = np.asarray(table.columns["slot_ns"], np.int64) // SLOT_NS - first_slot
        cell = (row[known], column[known], slot[known])
        np.fmin.at(middle, cell, _middle(table)[known].astype(np.float32))  # of two probes in a slot
        np.maximum.at(late_h, cell, _late_hours(table)[known])
        found = floors(middle.reshape(-1, slots), late_h.reshape(-1, slots))
        out[at : at + len(sites)] = found.reshape(len(sites), len(lines.paths), hours)
    return out


def _late_hours(table: RollupTable) -> NDArray[np.int64]:
    """(R,) for how many of the hours after its own each slot had not come when the first slot of that hour closed."""
    slot_ns, received_ns = (np.asarray(table.columns[name], np.int64) for name in ("slot_ns", "received_ns"))
    first_hour = -(-(received_ns - SLOT_NS - CLOSED_AFTER_NS) // HOUR_NS)
    return np.asarray(np.maximum(first_hour - slot_ns // HOUR_NS - 1, 0))


def _middle(table: RollupTable) -> NDArray[np.float64]:
    """(R,) what each slot's round trip is, in ms; NaN where it has none."""
    out, *others = (np.asarray(table.columns[name], np.float64) for name in _MIDDLE)
    for other in others:
        out = np.where(np.isnan(out), other, out)
    return out


def floors_at(
    reader: RollupReader, lines: Lines, limits: Sequence[Limits], time_ns: int
) -> NDArray[np.float32] | None:
    """The floors (S, P) of the hour of a moment; None where no limit asks."""
    if not asks_floor(limits):
        return None
    return floors_of(reader, lines, time_ns // HOUR_NS, 1)[..., 0]


def without_trouble(table: RollupTable) -> RollupTable:
    """The same table when no probe was in trouble; else what is left of its windows, and such means of delays as it has made of those."""
    trouble = {name: np.asarray(table.columns[name], np.float64) for name in TROUBLE_COLUMNS}
    keys = [np.asarray(table.columns[name], np.int64) for name in ("site", "probe", "slot_ns")]
    troubled = np.flatnonzero(np.any([column > 0 for column in trouble.values()], axis=0))
    if not len(troubled):
        return table
    _, probe = np.unique(np.stack(keys), axis=1, return_inverse=True)
    known_ns = np.maximum(
        np.asarray(table.columns["received_ns"], np.int64), keys[2] + SLOT_NS + CLOSED_AFTER_NS
    )
    values = rolled_without_own_trouble(
        table.window_values, trouble, probe.ravel(), _line_days(table, keys), known_ns
    )
    columns = {name: np.array(column) for name, column in table.columns.items()}
    for name in columns.keys() & set(METRICS[3:]):
        left, before = values[name][troubled], table.window_values[name][troubled]
        changed = (np.isnan(left) & ~np.isnan(before)).any(axis=1)
        there = ~np.isnan(left[changed])
        total = np.where(there, left[changed], 0.0).sum(axis=1, dtype=np.float64)
        count = there.sum(axis=1)
        columns[name][troubled[changed]] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return replace(table, columns=columns, window_values=values)


def tells_of_trouble(table: RollupTable) -> bool:
    """Whether a probe says of any of these that it was in trouble: then what is believed of it depends on the whole day."""
    return any(bool((np.asarray(table.columns[name]) > 0).any()) for name in TROUBLE_COLUMNS)


def _line_days(table: RollupTable, keys: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """(R,): a number for each site, probe, path and day (UTC)."""
    site, probe, slot_ns = keys
    lines = np.stack([site, probe, np.asarray(table.columns["path"], np.int64), slot_ns // DAY_NS])
    return np.asarray(np.unique(lines, axis=1, return_inverse=True)[1].ravel(), np.int64)


def rollups_to_judge(
    reader: RollupReader, lines: Lines, limits: Sequence[Limits], selection: Selection
) -> RollupTable:
    """Roll-ups of a selection with what judging them takes, without what the probes' own trouble could explain.

    Where a limit asks for it, with the distance to the floor.
    """
    table = without_trouble(
        reader.rollups(
            selection,
            histograms=False,
            columns=(*METRICS[3:], *TROUBLE_COLUMNS),
            window_values=WINDOW_VALUE_COLUMNS,
        )
    )
    if not len(table) or not asks_floor(limits):
        return table
    hour = np.asarray(table.columns["slot_ns"], np.int64) // HOUR_NS
    first = int(hour.min())
    floor = floors_of(reader, lines, first, int(hour.max()) - first + 1)
    site, path = lines.places(table)
    mine = np.where((site >= 0) & (path >= 0), floor[site, path, hour - first], np.nan)
    return replace(table, window_values=with_floor(table.window_values, mine))
