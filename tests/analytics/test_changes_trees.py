"""The trees off line: what scikit-learn grew is what numpy reads, and the same traces grow the same bytes."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier  # type: ignore[import-untyped,unused-ignore]

from analytics.changes.boundaries import FIGURES
from analytics.changes.offline import APART, LIKELY, chosen
from bench._changes.offline import ASKED, LEAST_LEAF, TREES, Past, grown, write
from bench.changes import TRACES
from tatpar.level_trees import shipped_trees, trees_file
from telemetry.traces import read_trace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def learned() -> list[Past]:
    """Two real traces, 1500 samples of each."""
    return [
        Past(
            replace(
                trace, rtt_ms=trace.rtt_ms[:1500], changes=trace.changes[:1500], time_ns=trace.time_ns[:1500]
            )
        )
        for trace in (read_trace(TRACES / name) for name in ("11171.csv", "11815.csv"))
    ]


def test_numpy_reads_what_was_grown(learned: list[Past]) -> None:
    """On every row the arrays say what scikit-learn says, within what float32 leaves."""
    figures = np.concatenate([past.figures for past in learned])
    change = np.concatenate([past.change for past in learned])
    model = ExtraTreesClassifier(TREES, min_samples_leaf=LEAST_LEAF, max_features=ASKED, random_state=0)
    expected = model.fit(figures, change).predict_proba(figures)[:, 1]
    assert 0 < change.sum() < len(change)
    np.testing.assert_allclose(grown(learned).mean(figures), expected, atol=1e-6)


def test_the_same_traces_make_the_same_bytes(learned: list[Past], tmp_path: Path) -> None:
    """Grown and written twice: not a byte differs."""
    for name in ("one.npz", "other.npz"):
        write(grown(learned), tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_the_shipped_trees_ask_for_figures_that_there_are() -> None:
    """Every shipped node asks for one of the figures, every row arrives, and leaves say chances."""
    trees = shipped_trees()
    assert int(trees.figure.max()) < len(FIGURES)
    leaf = trees.left == np.arange(len(trees.left))
    assert (trees.right[leaf] == trees.left[leaf]).all()
    assert ((trees.chance >= 0) & (trees.chance <= 1)).all()
    assert len(trees.roots) == TREES
    with np.load(io.BytesIO(trees_file().read_bytes()), allow_pickle=False) as arrays:
        assert set(arrays) == {"roots", "figure", "at_most", "left", "right", "chance", "depth"}


def test_of_neighbours_the_likelier_counts() -> None:
    """Likely ones only, none within four samples of a likelier one."""
    at = np.array([10, 10 + APART, 10 + 2 * APART + 1, 50])
    assert chosen(at, np.array([0.5, 0.9, 0.6, LIKELY - 0.01])).tolist() == [10 + APART, 10 + 2 * APART + 1]
