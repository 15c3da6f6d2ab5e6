"""Tables laid out on the time grid: one plane a column, sites by paths by windows, NaN where nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from telemetry.windows import SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemetry.store.tables import RollupTable, StreamTable


def window_grid(  # noqa: PLR0913, PLR0917 -- the six say where, when and what
    table: StreamTable,
    sites: Sequence[str],
    paths: Sequence[str],
    start_ns: int,
    end_ns: int,
    columns: Sequence[str],
) -> dict[str, NDArray[np.float64]]:
    """Columns of stream windows on the 15 s grid.

    Args:
        table: windows; those elsewhere or at other times are left out.
        sites: S sites, in the order wanted; those unknown to the table stay NaN.
        paths: P paths.
        start_ns: start of the first window.
        end_ns: end of the last; `W = ceil((end_ns - start_ns) / 15 s)`.
        columns: names of value columns, or `received_ns`.

    Returns:
        By column, (S, P, W) float64. Where a window is there twice, as after a restart of the probe within it,
        the later one in the table counts.
    """
    return _grid(table, table.columns["start_ns"], sites, paths, (start_ns, end_ns, WINDOW_NS), columns)


def slot_grid(  # noqa: PLR0913, PLR0917
    table: RollupTable,
    sites: Sequence[str],
    paths: Sequence[str],
    start_ns: int,
    end_ns: int,
    columns: Sequence[str],
) -> dict[str, NDArray[np.float64]]:
    """Columns of roll-ups on the five-minute grid: as `window_grid`, (S, P, slots) float64."""
    return _grid(table, table.columns["slot_ns"], sites, paths, (start_ns, end_ns, SLOT_NS), columns)


def slot_window_grid(  # noqa: PLR0913, PLR0917
    table: RollupTable,
    sites: Sequence[str],
    paths: Sequence[str],
    start_ns: int,
    end_ns: int,
    columns: Sequence[str],
) -> dict[str, NDArray[np.float32]]:
    """The window values that roll-ups keep, on the 15 s grid.

    Args:
        table: roll-ups with the wanted `window_values`.
        sites: S sites.
        paths: P paths.
        start_ns: start of the first slot.
        end_ns: end of the last.
        columns: of `columns.WINDOW_VALUE_COLUMNS`.

    Returns:
        By column, (S, P, 20 * slots) float32: the same grid as `window_grid` when `start_ns` starts a slot.
    """
    place, rows, shape = _placed(table, table.columns["slot_ns"], sites, paths, (start_ns, end_ns, SLOT_NS))
    out: dict[str, NDArray[np.float32]] = {}
    for name in columns:
        plane = np.full((shape[0] * shape[1] * shape[2], WINDOWS_PER_SLOT), np.nan, np.float32)
        plane[place] = table.window_values[name][rows]
        out[name] = plane.reshape(shape[0], shape[1], shape[2] * WINDOWS_PER_SLOT)
    return out


Span = tuple[int, int, int]
"""Start, end and step, in ns."""


def _grid(  # noqa: PLR0913, PLR0917
    table: StreamTable | RollupTable,
    times: NDArray[Any],
    sites: Sequence[str],
    paths: Sequence[str],
    span: Span,
    columns: Sequence[str],
) -> dict[str, NDArray[np.float64]]:
    place, rows, shape = _placed(table, times, sites, paths, span)
    out: dict[str, NDArray[np.float64]] = {}
    for name in columns:
        plane = np.full(shape, np.nan)
        plane.reshape(-1)[place] = table.columns[name][rows]
        out[name] = plane
    return out


def _placed(
    table: StreamTable | RollupTable,
    times: NDArray[Any],
    sites: Sequence[str],
    paths: Sequence[str],
    span: Span,
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[int, int, int]]:
    """Flat position of each row that lies on the grid, those rows, and the grid's shape."""
    start_ns, end_ns, step_ns = span
    shape = (len(sites), len(paths), max(-((start_ns - end_ns) // step_ns), 0))
    site = _positions(table.sites, sites)[table.columns["site"]]
    path = _positions(table.paths, paths)[table.columns["path"]]
    step = (times - start_ns) // step_ns
    rows = np.flatnonzero((site >= 0) & (path >= 0) & (step >= 0) & (step < shape[2]))
    place = (site[rows] * shape[1] + path[rows]) * shape[2] + step[rows]
    return place, rows, shape


def _positions(names: Sequence[str], wanted: Sequence[str]) -> NDArray[np.int64]:
    """Where each of the table's names stands among the wanted ones; -1 for nowhere."""
    position = {name: i for i, name in enumerate(wanted)}
    return np.array([position.get(name, -1) for name in names], np.int64)
