"""The raw reports behind a point of a chart: what is in the store, as it is there.

While a report is kept whole it is shown as it came. Later its windows stand in packed rows, and are shown with all their
columns and histograms; windows past their retention remain as five-minute roll-ups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Raw, Struct

from dashboards.wall.picture.times import ms
from telemetry import codec
from telemetry.store.columns import KEY_COLUMNS
from telemetry.store.protocol import Selection
from telemetry.windows import SLOT_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import RollupTable, StreamTable

MOST: Final = 60
"""Of each sort, the first ones of the span."""
_KINDS: Final = ("ping", "reach", "link", "call", "rehearsal")


class Row(Struct, frozen=True, kw_only=True):
    """One stored row of one path; absent figures are left out, histograms are flat pairs of bin and count."""

    path: str
    probe: str
    start_ms: int
    values: dict[str, float | int]
    histograms: dict[str, list[int]]


class Report(Struct, frozen=True, kw_only=True):
    """A report that is kept whole: the envelope as on the wire."""

    start_ms: int
    report: Raw


class Other(Struct, frozen=True, kw_only=True):
    """An item that is no stream, of a report that is not kept whole any more."""

    probe: str
    start_ms: int
    item: Raw


class Reports(Struct, frozen=True, kw_only=True):
    """What the store holds of a span, at most 60 of each sort."""

    reports: list[Report]
    windows: list[Row]
    """Of windows of which no report is kept whole."""
    items: list[Other]
    rollups: list[Row]
    """Of five minutes of which no window is kept."""
    left_out: int
    """How many more there are."""


def site_reports(reader: StoreReader, site: str, start_ns: int, end_ns: int) -> Reports:
    """Everything stored of a site's reports that begin in `[start_ns, end_ns)`."""
    envelopes = reader.envelopes(site, start_ns, end_ns)
    whole = {(each.probe, each.start_ns) for each in envelopes}
    span = Selection(start_ns, end_ns, sites=(site,))
    windows = [row for row in _windows(reader.streams(span)) if _key(row) not in _keys(whole)]
    items = [
        Other(probe=each.probe, start_ms=ms(each.start_ns), item=Raw(codec.encode_item(each.item)))
        for kind in _KINDS
        for each in reader.items(kind, span)
        if (each.probe, each.start_ns) not in whole
    ]
    rollups = [] if envelopes or windows else _rollups(reader, site, start_ns, end_ns)
    left_out = sum(max(len(found) - MOST, 0) for found in (envelopes, windows, items, rollups))
    return Reports(
        reports=[
            Report(start_ms=ms(each.start_ns), report=Raw(codec.encode(each))) for each in envelopes[:MOST]
        ],
        windows=windows[:MOST],
        items=items[:MOST],
        rollups=rollups[:MOST],
        left_out=left_out,
    )


def _key(row: Row) -> tuple[str, int]:
    return row.probe, row.start_ms


def _keys(whole: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    return {(probe, ms(start_ns)) for probe, start_ns in whole}


def _rollups(reader: StoreReader, site: str, start_ns: int, end_ns: int) -> list[Row]:
    span = Selection(slot_start(start_ns), max(end_ns, slot_start(start_ns) + SLOT_NS), sites=(site,))
    return _rows(reader.rollups(span, window_values=()), "slot_ns")


def _windows(table: StreamTable) -> list[Row]:
    return _rows(table, "start_ns")


def _rows(table: StreamTable | RollupTable, time: str) -> list[Row]:
    """By time, then path."""
    columns = {name: np.asarray(values) for name, values in table.columns.items()}
    figures = [name for name in columns if name not in {*KEY_COLUMNS, time}]
    order = np.lexsort((columns["path"], columns[time]))
    return [
        Row(
            path=table.paths[int(columns["path"][i])],
            probe=table.probes[int(columns["probe"][i])],
            start_ms=ms(int(columns[time][i])),
            values={name: value for name in figures if (value := _value(columns[name][i])) is not None},
            histograms={name: pairs for name in table.histograms if (pairs := _pairs(table, name, i))},
        )
        for i in order.tolist()
    ]


def _value(value: np.generic) -> float | int | None:
    plain: float | int = value.item()
    return None if plain != plain else plain  # noqa: PLR0124 - NaN


def _pairs(table: StreamTable | RollupTable, name: str, row: int) -> list[int]:
    ragged = table.histograms[name]
    low, high = int(ragged.offsets[row]), int(ragged.offsets[row + 1])
    return np.stack((ragged.bins[low:high], ragged.counts[low:high]), axis=1).ravel().tolist()
