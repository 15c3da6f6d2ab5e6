"""Two probes on one line: of a window that both measured one counts, whoever came first.

Within an office a path belongs to one probe, but for a while two may measure it: one that takes another's place, or one that was started again
within a window. The fuller window counts, which sent more; of as full ones that of the probe whose name comes first in the alphabet, and of
one probe's the one that lost more. So the order in which they came says nothing, and who looks later sees what was seen then (decision 218).
"""

from __future__ import annotations

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
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.any([axis[order][1:] != axis[order][:-1] for axis in window], axis=0)
    return np.asarray(rows[np.sort(order[first])])


def counted_once(table: RollupTable, values: Values, rows: NDArray[np.int64]) -> Values:
    """Window values (n, 20) of some rows of a table, ordered by line and slot: without the windows that another row of the same slot has fuller.

    Returns:
        The same object where no two rows are of one slot.
    """
    slot = [np.asarray(table.columns[name])[rows] for name in ("site", "path", "slot_ns")]
    again = np.logical_and.reduce([axis[1:] == axis[:-1] for axis in slot])
    if not again.any():
        return values
    group = np.concatenate(([0], np.cumsum(~again)))
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


def counts_beside(mine: Sequence[NDArray[Any]], there: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """Which of some windows (n,) count, of each of which another one is there; of two that are the same it is the new one.

    Args:
        mine: each (n,): packets sent, the rank of the probe, packets lost.
        there: the same of the other ones.
    """
    counts = np.ones(len(mine[0]), dtype=bool)
    for new, old in zip(_worst_last(*mine)[::-1], _worst_last(*there)[::-1], strict=True):
        counts = (new < old) | ((new == old) & counts)
    return counts


def ranks(names: Sequence[str]) -> NDArray[np.int64]:
    """(n,): the place of each name in the alphabet."""
    place = {name: index for index, name in enumerate(sorted(names))}
    return np.array([place[name] for name in names], dtype=np.int64)


def _worst_last(
    sent: NDArray[Any], rank: NDArray[np.int64], lost: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The rule itself: what windows are told apart by, what says most first; of each the least counts."""
    return -sent, rank, -lost
