"""The rows of a trace by time, each measurement once: a logger that starts anew appends what it has written before.

A row that says again what another says of the same time was measured once. One that says something else of it contradicts
it: the first is taken, and somebody should know. But where times are written to the minute, two may have been measured in it,
or lost; and so may two of one value that follow each other, as in whole milliseconds. A sample or two that was written a few
seconds early is no disorder: real traces have them. Only a row that is later than that is moved to its place: what is
appended to a file leaves the rows before it as they stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray


JUMBLED_NS: Final = 60 * SECOND_NS
"""A row that stands after one which is later by so much is moved to its time; one that is less behind stays where it stands."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which of N rows, counted from 0 in the order of the file, are the samples of a trace, and what of the others.

    `rows` (T,) the samples, oldest first; `late` how many of them were moved, as they stood after one of a later time;
    `repeated` how many rows said again what an earlier one says; `contradicting` (C, 2) the others, each behind the
    row that it contradicts.
    """

    rows: NDArray[np.int64]
    late: int
    repeated: int
    contradicting: NDArray[np.int64]


def order_of(time_ns: NDArray[np.int64], rtt_ms: NDArray[np.float64], exact: NDArray[np.bool_]) -> Order:
    """The order of (N,) rows; a round trip is in ms, NaN of a lost packet. `exact`: the time is written to the second."""
    written = pd.DataFrame(
        {"time": time_ns, "rtt": rtt_ms, "copy": np.where(exact, 0, _copies(time_ns, rtt_ms))}
    )
    repeated = written.duplicated().to_numpy() & (exact | np.isfinite(rtt_ms))
    contradicts = ~repeated & exact & written["time"].duplicated().to_numpy()
    stay = np.flatnonzero(~repeated & ~contradicts)
    order, late = _by_time(time_ns[stay])
    rows = stay[order]
    others = np.flatnonzero(contradicts)
    return Order(
        rows=rows,
        late=late,
        repeated=int(np.count_nonzero(repeated)),
        contradicting=np.stack([rows[_at(time_ns, rows, others)], others], axis=-1),
    )


def _by_time(time_ns: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Where each sample stood (T,), and how many were moved. A file that stands newest first is read from its end."""
    step_ns = np.diff(time_ns)
    if np.count_nonzero(step_ns < 0) > np.count_nonzero(step_ns > 0):
        order, _ = _by_time_of_rows(time_ns[::-1])
        return len(order) - 1 - order, int(np.count_nonzero(_behind_ns(time_ns)))
    return _by_time_of_rows(time_ns)


def _by_time_of_rows(time_ns: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    behind_ns = _behind_ns(time_ns)
    moved = behind_ns >= JUMBLED_NS
    order = np.argsort(time_ns + np.where(moved, 0, behind_ns), kind="stable")
    return order, int(np.count_nonzero(moved))


def _behind_ns(time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """(T,) by how much each stands after the latest before it; 0 of those in order."""
    return np.asarray(np.maximum.accumulate(time_ns) - time_ns)


def _copies(time_ns: NDArray[np.int64], rtt_ms: NDArray[np.float64]) -> NDArray[np.int64]:
    """(N,) how many rows of the same value stand before each among those of its time that follow each other."""
    block = np.cumsum(np.diff(time_ns, prepend=time_ns[:1]) != 0)
    found = pd.DataFrame({"block": block, "rtt": rtt_ms}).groupby(["block", "rtt"], dropna=False).cumcount()
    return np.asarray(found.to_numpy(np.int64))


def labels_of(order: Order, time_ns: NDArray[np.int64], labelled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(T,) which samples are labelled, of (N,) rows; a label on a row that is left out is the label of its time's first."""
    out = labelled[order.rows]
    gone = np.setdiff1d(np.flatnonzero(labelled), order.rows)
    out[_at(time_ns, order.rows, gone)] = True
    return out


def _at(time_ns: NDArray[np.int64], rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where in `rows` the first stands that is of the time of each of `others`."""
    times, first = np.unique(time_ns[rows], return_index=True)
    return first[np.searchsorted(times, time_ns[others])]
