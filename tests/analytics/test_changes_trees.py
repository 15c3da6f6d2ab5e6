"""The trees off line and on line: what scikit-learn grew is what numpy reads, and the same traces grow the same bytes."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier  # type: ignore[import-untyped,unused-ignore]

from analytics.changes import boundaries, cuts
from analytics.changes.offline import APART, LIKELY, chosen
from analytics.changes.online import decisions, windows
from analytics.changes.series import carried
from analytics.changes.trees import BLOCK, OFFLINE, ONLINE
from bench._changes import offline, online
from bench._changes.growing import write
from bench._changes.offline import GROWTH, Past, grown, past_of
from bench.changes import TRACES
from tatpar.shipped.level_trees import shipped_online_trees, shipped_trees, trees_file
from telemetry.traces import read_trace

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from telemetry.traces import Trace


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    """Two real traces, 1500 samples of each."""
    return [
        replace(trace, rtt_ms=trace.rtt_ms[:1500], changes=trace.changes[:1500], time_ns=trace.time_ns[:1500])
        for trace in (read_trace(TRACES / name) for name in ("11171.csv", "11815.csv"))
    ]


@pytest.fixture(scope="module")
def learned(traces: list[Trace]) -> list[Past]:
    """What is learned off line of them."""
    return [past_of(trace) for trace in traces]


def test_numpy_reads_what_was_grown(learned: list[Past]) -> None:
    """On every row the arrays say what scikit-learn says, within what float32 leaves."""
    figures = np.concatenate([past.figures for past in learned])
    change = np.concatenate([past.change for past in learned])
    model = ExtraTreesClassifier(
        GROWTH.trees, min_samples_leaf=GROWTH.least_leaf, max_features=GROWTH.asked, random_state=0
    )
    expected = model.fit(figures, change).predict_proba(figures)[:, 1]
    assert 0 < change.sum() < len(change)
    trees = grown(learned)
    np.testing.assert_allclose(trees.mean(figures), expected, atol=1e-6)
    often = BLOCK // len(figures) + 2
    assert (trees.mean(np.tile(figures, (often, 1))) == np.tile(trees.mean(figures), often)).all()
    assert trees.mean(figures[:0]).shape == (0,)


def test_the_same_traces_make_the_same_bytes(learned: list[Past], tmp_path: Path) -> None:
    """Grown and written twice: not a byte differs."""
    for name in ("one.npz", "other.npz"):
        write(grown(learned), tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


@pytest.mark.parametrize(
    ("name", "figures"), [(OFFLINE, boundaries.FIGURES), (ONLINE, cuts.FIGURES)], ids=["offline", "online"]
)
def test_the_shipped_trees_ask_for_figures_that_there_are(name: str, figures: tuple[str, ...]) -> None:
    """Every shipped node asks for one of the figures, every row arrives, and leaves say chances."""
    trees = shipped_trees() if name == OFFLINE else shipped_online_trees()
    assert int(trees.figure.max()) < len(figures) == len(set(figures))
    leaf = trees.left == np.arange(len(trees.left))
    assert (trees.right[leaf] == trees.left[leaf]).all()
    assert ((trees.chance >= 0) & (trees.chance <= 1)).all()
    growth = offline.GROWTH if name == OFFLINE else online.GROWTH
    assert len(trees.roots) == growth.trees
    with np.load(io.BytesIO(trees_file(name).read_bytes()), allow_pickle=False) as arrays:
        assert set(arrays) == {"roots", "figure", "at_most", "left", "right", "chance", "depth"}


def test_of_neighbours_the_likelier_counts() -> None:
    """Likely ones only, none within four samples of a likelier one."""
    at = np.array([10, 10 + APART, 10 + 2 * APART + 1, 50])
    assert chosen(at, np.array([0.5, 0.9, 0.6, LIKELY - 0.01])).tolist() == [10 + APART, 10 + 2 * APART + 1]


def test_on_line_the_replay_out_of_fold_is_the_detector(traces: list[Trace]) -> None:
    """With the same trees, what is scored out of fold decides as what is shipped does; backwards doubles what is learned."""
    cut = online.cut_of(traces[0])
    trees = online.grown([online.cut_of(traces[1])])
    found = cut.decisions(trees)
    assert len(found) > 0
    assert decisions(traces[0].rtt_ms, trees).tolist() == found.tolist()
    assert len(cut.learned_change) > 1.5 * len(cut.at)
    assert 0 < cut.learned_change[: len(cut.at)].sum() < len(cut.at)


@pytest.mark.parametrize("factor", [8.0, -1.0, -0.125])
def test_figures_of_a_cut_have_neither_unit_nor_direction(traces: list[Trace], factor: float) -> None:
    """In another unit or upside down, with the floor in the same unit, a line's cuts are told in the same figures."""
    floor = 0.05
    rows = windows(carried(traces[0].rtt_ms))[200:700]

    def told(values: NDArray[np.float64], least: float) -> NDArray[np.float64]:
        return cuts.figures(cuts.cuts(values, least), least)

    plain = told(rows, floor)
    stepped = cuts.cuts(rows, floor).step > floor
    assert plain.shape == (500, len(cuts.FIGURES))
    assert stepped.sum() > 150
    other = told(rows * factor, floor * abs(factor))
    np.testing.assert_allclose(other[stepped], plain[stepped], atol=1e-6)
