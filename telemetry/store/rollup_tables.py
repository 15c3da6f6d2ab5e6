"""Roll-up tables in the shape of stream tables, so that one set of functions puts both together.

The inner form names the slot `start_ns` and carries the values of windows as (n, 20) columns `window:<name>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, KEY_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.tables import RollupTable, StreamTable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

ROLLUP_COLUMNS: Final = ("windows", *COUNT_COLUMNS, *FLOAT_COLUMNS)
_ALWAYS: Final = ("windows", "emulated")
_WINDOW: Final = "window:"


def wanted_rollups(columns: Collection[str] | None, window_values: Collection[str] | None) -> tuple[str, ...]:
    """The inner names of the columns that a read wants, in their fixed order.

    Raises:
        KeyError: a name is no column.
    """
    base = set(ROLLUP_COLUMNS if columns is None else columns) | set(_ALWAYS)
    values = set(WINDOW_VALUE_COLUMNS if window_values is None else window_values)
    strange = (base - set(ROLLUP_COLUMNS) - set(KEY_COLUMNS) - {"slot_ns"}) | (
        values - set(WINDOW_VALUE_COLUMNS)
    )
    if strange:
        raise KeyError(f"no such column: {', '.join(sorted(strange))}")
    return (
        *(name for name in ROLLUP_COLUMNS if name in base),
        *(_WINDOW + name for name in WINDOW_VALUE_COLUMNS if name in values),
    )


def as_windows(
    table: RollupTable, names: Sequence[str] | None = None, *, histograms: bool = True
) -> StreamTable:
    """A roll-up table in the inner form, with these columns (all for None)."""
    names = wanted_rollups(None, None) if names is None else names
    columns: dict[str, NDArray[Any]] = {
        key: table.columns["slot_ns" if key == "start_ns" else key] for key in KEY_COLUMNS
    }
    for name in names:
        columns[name] = (
            table.window_values[name.removeprefix(_WINDOW)]
            if name.startswith(_WINDOW)
            else table.columns[name]
        )
    return StreamTable(
        table.sites, table.probes, table.paths, columns, table.histograms if histograms else {}
    )


def as_rollups(table: StreamTable) -> RollupTable:
    """A roll-up table out of its inner form."""
    columns: dict[str, NDArray[Any]] = {}
    values: Mapping[str, NDArray[np.float32]] = {
        name.removeprefix(_WINDOW): column
        for name, column in table.columns.items()
        if name.startswith(_WINDOW)
    }
    for name, column in table.columns.items():
        if not name.startswith(_WINDOW):
            columns["slot_ns" if name == "start_ns" else name] = column
    return RollupTable(table.sites, table.probes, table.paths, columns, values, table.histograms)
