"""Trees as they are grown by scikit-learn, turned into plain arrays, and read and written as those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier  # type: ignore[import-untyped,unused-ignore]

from analytics.changes.trees import Trees, trees_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown: how many, the fewest rows of a leaf, the share of the figures that a split may choose from."""

    trees: int
    least_leaf: int
    asked: float


def grown(figures: NDArray[np.float64], change: NDArray[np.bool_], growth: Growth) -> Trees:
    """Extremely randomised trees on rows (R, F) and which of them are changes (R,); the same rows grow the same trees."""
    model = ExtraTreesClassifier(
        growth.trees, min_samples_leaf=growth.least_leaf, max_features=growth.asked, random_state=0
    )
    model.fit(figures, change)
    trees = [tree.tree_ for tree in model.estimators_]
    sizes = np.array([tree.node_count for tree in trees])
    roots = np.cumsum(sizes) - sizes
    own = [np.arange(size) for size in sizes]
    leaf = np.concatenate([tree.children_left < 0 for tree in trees])

    def joined(children: Sequence[NDArray[np.int64]]) -> NDArray[np.int32]:
        moved = [np.where(c < 0, i, c) + root for c, i, root in zip(children, own, roots, strict=True)]
        return np.concatenate(moved).astype(np.int32)

    return Trees(
        roots=roots.astype(np.int32),
        figure=np.where(leaf, 0, np.concatenate([tree.feature for tree in trees])).astype(np.uint8),
        at_most=np.where(leaf, 0.0, _below(np.concatenate([tree.threshold for tree in trees]))).astype(
            np.float32
        ),
        left=joined([tree.children_left for tree in trees]),
        right=joined([tree.children_right for tree in trees]),
        chance=np.where(leaf, np.concatenate([_share(tree.value) for tree in trees]), 0.0).astype(np.float32),
        depth=int(max(tree.max_depth for tree in trees)),
    )


def _share(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(value[:, 0, 1] / value[:, 0].sum(axis=-1))


def _below(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that is not above each threshold: figures are float32, so every row goes as it went."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


def read(file: Path) -> Trees:
    """The trees in a file that `write` wrote."""
    with np.load(file, allow_pickle=False) as arrays:
        return trees_of(arrays)


def write(trees: Trees, file: Path) -> None:
    """Write them as `tatpar.shipped.level_trees` reads them; the same trees make the same bytes."""
    np.savez_compressed(
        file,
        roots=trees.roots,
        figure=trees.figure,
        at_most=trees.at_most,
        left=trees.left,
        right=trees.right,
        chance=trees.chance,
        depth=np.int32(trees.depth),
    )
