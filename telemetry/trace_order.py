"""The rows of a trace by time, each measurement once: a logger that starts anew appends what it has written before.

A row that says again what another says of the same time was measured once. One that says something else of it contradicts
it: the first is taken, and somebody should know. But where times are written to the minute, two may have been measured in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Order:
    """Which of N rows, counted from 0 in the order of the file, are the samples of a trace, and what of the others.

    `rows` (T,) the samples, oldest first; `late` how many of them stood after one of a later time; `repeated` how many
    rows said again what an earlier one says; `contradicting` (C, 2) the others, each behind the row that it contradicts.
    """

    rows: NDArray[np.int64]
    late: int
    repeated: int
    contradicting: NDArray[np.int64]


def order_of(time_ns: NDArray[np.int64], rtt_ms: NDArray[np.float64], exact: NDArray[np.bool_]) -> Order:
    """The order of (N,) rows; a round trip is in ms, NaN of a lost packet. `exact`: the time is written to the second."""
    written = pd.DataFrame({"time": time_ns, "rtt": rtt_ms})
    repeated = written.duplicated().to_numpy()
    contradicts = ~repeated & exact & written["time"].duplicated().to_numpy()
    stay = np.flatnonzero(~repeated & ~contradicts)
    rows = stay[np.argsort(time_ns[stay], kind="stable")]
    others = np.flatnonzero(contradicts)
    return Order(
        rows=rows,
        late=int(np.count_nonzero(time_ns[stay] < np.maximum.accumulate(time_ns[stay]))),
        repeated=int(np.count_nonzero(repeated)),
        contradicting=np.stack([rows[_at(time_ns, rows, others)], others], axis=-1),
    )


def labels_of(order: Order, time_ns: NDArray[np.int64], labelled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(T,) which samples are labelled, of (N,) rows; a label on a row that is left out is the label of its time's first."""
    out = labelled[order.rows]
    gone = np.setdiff1d(np.flatnonzero(labelled), order.rows)
    out[_at(time_ns, order.rows, gone)] = True
    return out


def _at(time_ns: NDArray[np.int64], rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where in `rows`, which are by time, the first stands that is of the time of each of `others`."""
    return np.searchsorted(time_ns[rows], time_ns[others])
