"""Two probes on one line: of a window that both measured one counts, whoever came first.

Within an office a path belongs to one probe, but for a while two may measure it: one that takes another's place, or one that was started again
within a window. The fuller window counts, which sent more; of as full ones that of the probe whose name comes first in the alphabet, and of
one probe's the one that lost more. So the order in which they came says nothing, and who looks later sees what was seen then (decision 218).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.losses import Values
    from telemetry.store.tables import RollupTable, StreamTable


def fullest(table: StreamTable, rows: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """The rows (n,) of stream windows that count, of all or of some (m,): each window of a line once, in their order."""
    rows = np.arange(len(table)) if rows is None else rows
    columns = {name: np.asarray(table.columns[name])[rows] for name in ("site", "path", "start_ns", "probe")}
    sent, lost = (np.nan_to_num(np.asarray(table.columns[name])[rows]) for name in ("sent", "lost"))
    window = (columns["start_ns"], columns["path"], columns["site"])
    order = np.lexsort((*_worst_last(sent, ranks(table.probes)[columns["probe"]], lost)[::-1], *window))
    return np.asarray(rows[np.sort(order[begins(*(axis[order] for axis in window))])])


def counted_once(table: RollupTable, values: Values, rows: NDArray[np.int64]) -> Values:
    """Window values (n, 20) of some rows of a table, ordered by line and slot: without the windows that another row of the same slot has fuller.

    Returns:
        The same object where no two rows are of one slot.
    """
    first = begins(*(np.asarray(table.columns[name])[rows] for name in ("site", "path", "slot_ns")))
    if first.all():
        return values
    group = np.cumsum(first) - 1
    beside = np.flatnonzero(np.bincount(group)[group] > 1)
    of = group[beside]
    lost, sent = (np.nan_to_num(values[name][beside], nan=-1.0) for name in ("lost", "sent"))
    probe = np.broadcast_to(
        ranks(table.probes)[np.asarray(table.columns["probe"])[rows[beside]]][:, None], sent.shape
    )
    loses = np.zeros(sent.shape, dtype=bool)
    for window in range(sent.shape[1]):
        said = _worst_last(sent[:, window], probe[:, window], lost[:, window])
        order = np.lexsort((*said[::-1], of))
        loses[order[1:], window] = of[order][1:] == of[order][:-1]
    out = {name: column.copy() for name, column in values.items()}
    at = np.nonzero(loses)
    for column in out.values():
        column[beside[at[0]], at[1]] = np.nan
    return out


def each_slot_once(table: RollupTable) -> RollupTable:
    """Roll-ups without histograms, ordered by line and slot, with one row of each slot: for what is drawn or told of a slot.

    Of its windows each is the one that counts, whichever row has it; the figures of the slot as a whole are those of the row with the most of them.

    Args:
        table: with the window values `sent` and `lost`.

    Returns:
        The same object where no two rows are of one slot.
    """
    values = counted_once(table, table.window_values, np.arange(len(table)))
    if values is table.window_values:
        return table
    firsts = np.flatnonzero(
        begins(*(np.asarray(table.columns[name]) for name in ("site", "path", "slot_ns")))
    )
    measured = (values["sent"] > 0).sum(axis=-1)
    kept = fullest_rows(firsts, measured, ranks(table.probes)[table.columns["probe"]])
    return replace(
        table,
        columns={name: column[kept] for name, column in table.columns.items()},
        window_values={name: np.fmax.reduceat(column, firsts) for name, column in values.items()},
    )


def begins(*axes: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,): which rows, ordered by these axes (n,), differ from the one before."""
    first = np.ones(len(axes[0]), dtype=bool)
    first[1:] = np.logical_or.reduce([axis[1:] != axis[:-1] for axis in axes])
    return first


def fullest_rows(
    firsts: NDArray[np.int64], measured: NDArray[np.int64], rank: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Of the rows of each slot, which begin at `firsts`, the one with the most windows; of as full ones that of the least rank."""
    if len(firsts) == len(measured):
        return firsts
    slot = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, len(measured))))
    order = np.lexsort((-rank, measured, slot))
    return np.asarray(order[np.append(firsts[1:], len(measured)) - 1])


def counts_beside(mine: Sequence[NDArray[Any]], there: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """Which of some windows (n,) count beside those that are there; of two that are the same it is the new one.

    Args:
        mine: each (n,): packets sent, the rank of the probe, packets lost.
        there: the same of the other ones; NaN packets sent where none is.
    """
    counts = np.ones(len(mine[0]), dtype=bool)
    for new, old in zip(_worst_last(*mine)[::-1], _worst_last(*there)[::-1], strict=True):
        counts = (new < old) | ((new == old) & counts)
    return np.asarray(np.isnan(there[0]) | counts)


class Probes:
    """Names of probes as they are heard of: each has a place that it keeps, and a rank among all of them."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self.ranks: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """By place; made anew when a name is new."""

    def places(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Where names stand, with those that are new."""
        known = len(self._places)
        places = [self._places.setdefault(name, len(self._places)) for name in names]
        if len(self._places) > known:
            self.ranks = ranks(tuple(self._places))
        return np.array(places, dtype=np.int32)


def ranks(names: Sequence[str]) -> NDArray[np.int64]:
    """(n,): the place of each name in the alphabet."""
    place = {name: index for index, name in enumerate(sorted(names))}
    return np.array([place[name] for name in names], dtype=np.int64)


def _worst_last(
    sent: NDArray[Any], rank: NDArray[np.int64], lost: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The rule itself: what windows are told apart by, what says most first; of each the least counts."""
    return -sent, rank, -lost
