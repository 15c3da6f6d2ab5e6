"""A line that falls silent, and one that answers again: changes of the line, whatever its level.

The level detectors carry the last value over missing samples, so a silence moves no level. A reader of a trace sees it all
the same, and labels its edges (decision 157). The product tells loss and outages of an office by themselves: this is for
traces that hold nothing but round trips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.cuts import AFTER
from analytics.changes.offline import APART
from analytics.changes.online import once

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = AFTER
"""Missing samples from which on a line is silent: as many as are looked at before a new level is believed."""


def edges(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rising indices of the first missing and of the first measured sample of each silence in (T,) values, NaN missing.

    A silence that the values begin or end with has no edge there.
    """
    missing = np.isnan(values).astype(np.int8)
    turns = np.flatnonzero(np.diff(missing, prepend=0, append=0))
    spans = turns.reshape(-1, 2)
    both = spans[spans[:, 1] - spans[:, 0] >= LEAST].ravel()
    return np.asarray(both[(both > 0) & (both < len(values))], dtype=np.int64)


def with_edges(levels: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The changes of level (C,) in a whole past of (T,) values, and the edges of its silences; of neighbours the edge."""
    sure = edges(values)
    beside = (np.abs(levels[:, None] - sure[None, :]) <= APART).any(axis=-1)
    return np.union1d(levels[~beside], sure)


def with_edges_decided(decided: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The samples at which a moved level (C,) was decided, and those at which an edge of a silence would be.

    An edge is decided as a level is, at the sixth sample since, and is quiet after another decision like one. A silence is
    known as one only then; that it ended waits as long, for the level after it is the same event.
    """
    asked = edges(values) + AFTER - 1
    return once(np.union1d(decided, asked[asked < len(values)]))
