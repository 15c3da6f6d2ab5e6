"""The trees of the off-line detector: grown on labelled traces, judged on those that they did not see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier  # type: ignore[import-untyped,unused-ignore]

from analytics.changes.boundaries import Boundaries, boundaries
from analytics.changes.offline import chosen
from analytics.changes.series import carried
from analytics.changes.trees import Trees, trees_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from telemetry.traces import Trace

FOLDS: Final = 8
TREES: Final = 60
LEAST_LEAF: Final = 8
ASKED: Final = 0.4
"""Share of the figures that a split may choose from."""
NEAR: Final = 2
"""A boundary at most so many samples from a label is a change."""


class Past:
    """One trace's boundaries and which are changes, read forwards and backwards: as good as a second trace."""

    def __init__(self, trace: Trace) -> None:
        labels = np.flatnonzero(trace.changes)
        total = len(trace.rtt_ms)
        self.forwards = boundaries(carried(trace.rtt_ms))
        backwards = boundaries(carried(trace.rtt_ms[::-1]))
        self.figures = np.concatenate([self.forwards.figures, backwards.figures])
        at = np.concatenate([self.forwards.at, total - backwards.at])
        self.change = (np.abs(at[:, None] - labels[None, :]) <= NEAR).any(axis=-1)


def grown(learned: Sequence[Past]) -> Trees:
    """Extremely randomised trees; the same traces grow the same trees."""
    model = ExtraTreesClassifier(TREES, min_samples_leaf=LEAST_LEAF, max_features=ASKED, random_state=0)
    model.fit(
        np.concatenate([past.figures for past in learned]), np.concatenate([past.change for past in learned])
    )
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


def out_of_fold(
    learned: Sequence[Past], progress: Callable[[str], None], seed: int = 0
) -> list[NDArray[np.int64]]:
    """The changes of each trace by trees from the traces of the other folds."""
    found: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)] * len(learned)
    order = np.random.default_rng(seed).permutation(len(learned))
    for fold in range(FOLDS):
        progress(f"offline, fold {fold + 1} of {FOLDS}")
        held = set(order[fold::FOLDS].tolist())
        trees = grown([past for i, past in enumerate(learned) if i not in held])
        for i in held:
            found[i] = _found(learned[i].forwards, trees)
    return found


def _found(those: Boundaries, trees: Trees) -> NDArray[np.int64]:
    return chosen(those.at, trees.mean(those.figures))


def read(file: Path) -> Trees:
    """The trees in a file that `write` wrote."""
    with np.load(file, allow_pickle=False) as arrays:
        return trees_of(arrays)


def write(trees: Trees, file: Path) -> None:
    """Write them as `tatpar.level_trees` reads them; the same trees make the same bytes."""
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
