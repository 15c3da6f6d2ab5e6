"""What decision trees say of many rows at once: plain arrays, so that nothing but numpy is needed to read them.

The trees are grown by scikit-learn in `python -m bench changes --fit`, on the labelled traces; `tatpar.shipped.level_trees` reads
the files that this writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OFFLINE: Final = "trees.npz"
ONLINE: Final = "online_trees.npz"
"""The files beside this one, for `offline` and for `online`."""
BLOCK: Final = 4096
"""Rows that go down the trees together: a table of nodes that fits the processor's cache."""


@dataclass(frozen=True, slots=True)
class Trees:
    """K trees as one table of N nodes; a leaf is its own child, so that a row that has arrived stays.

    `roots` (K,) rows of the table; `figure` (N,) column that is asked, `at_most` (N,) float32 the threshold,
    `left` (N,) where a row goes whose figure is at most that, `right` (N,) the others; `chance` (N,) what a leaf says;
    `depth` the most steps from a root to a leaf.
    """

    roots: NDArray[np.int32]
    figure: NDArray[np.uint8]
    at_most: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    chance: NDArray[np.float32]
    depth: int

    def mean(self, figures: NDArray[np.float64]) -> NDArray[np.float64]:
        """(C,) the mean over all trees of what they say of (C, F) figures."""
        rows = np.asarray(figures, dtype=np.float32)
        blocks = [self._mean(rows[first : first + BLOCK]) for first in range(0, len(rows), BLOCK)]
        return np.concatenate([np.zeros(0), *blocks])

    def _mean(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        node = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        for _ in range(self.depth):
            asked = np.take_along_axis(rows, self.figure[node].astype(np.int64), axis=1)
            node = np.where(asked <= self.at_most[node], self.left[node], self.right[node])
        return np.asarray(self.chance[node].mean(axis=1, dtype=np.float64))


def trees_of(arrays: Mapping[str, NDArray[Any]]) -> Trees:
    """The trees in the arrays of a file that `python -m bench changes --fit` wrote."""
    return Trees(
        roots=arrays["roots"],
        figure=arrays["figure"],
        at_most=arrays["at_most"],
        left=arrays["left"],
        right=arrays["right"],
        chance=arrays["chance"],
        depth=int(arrays["depth"]),
    )
