"""Silences: told at their edges, on line at the sixth sample, beside the levels and not twice with them."""

from __future__ import annotations

import numpy as np

from analytics.changes.online import decisions
from analytics.changes.silences import LEAST, edges, with_edges, with_edges_decided
from bench.changes import TRACES
from tatpar.shipped.level_trees import shipped_online_trees
from telemetry.traces import read_trace


def silent(*spans: tuple[int, int], total: int = 200) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """So many samples of 40 ms, missing from each first to before each last."""
    values = np.full(total, 40.0)
    for first, end in spans:
        values[first:end] = np.nan
    return values


def test_edges_are_of_silences_inside_the_past() -> None:
    """Six missing samples are a silence, five are not; the ends of the past are no edges; nothing has none."""
    assert edges(silent((50, 50 + LEAST), (100, 100 + LEAST - 1))).tolist() == [50, 50 + LEAST]
    assert edges(silent((0, 10), (190, 200))).tolist() == [10, 190]
    assert not len(edges(silent((0, 200))))
    assert not len(edges(np.zeros(0)))


def test_an_edge_takes_the_place_of_a_level_beside_it() -> None:
    """A level told within four samples of an edge is that edge; others stay, in order."""
    values = silent((50, 80))
    assert with_edges(np.array([20, 46, 54, 85]), values).tolist() == [20, 50, 80, 85]
    assert with_edges(np.array([20, 46]), silent()).tolist() == [20, 46]
    assert with_edges(np.zeros(0, dtype=np.int64), values).tolist() == [50, 80]


def test_on_line_an_edge_is_decided_at_its_sixth_sample_once() -> None:
    """With the level that moved meanwhile it is one decision; a silence that just began is not known yet."""
    values = silent((50, 80))
    none = np.zeros(0, dtype=np.int64)
    assert with_edges_decided(none, values).tolist() == [55, 85]
    assert with_edges_decided(np.array([40, 85]), values).tolist() == [40, 55, 85]
    assert not len(with_edges_decided(none, values[:55]))
    assert not len(with_edges_decided(none, silent((150, 200))[:155]))


def test_on_a_real_line_the_future_changes_no_decision() -> None:
    """A real trace with a silence put into it: what was decided before a sample stays, whatever comes after."""
    values = read_trace(TRACES / "11171.csv").rtt_ms[:1500]
    values[700:760] = np.nan
    trees = shipped_online_trees()
    found = with_edges_decided(decisions(values, trees), values)
    assert {705, 765} & set(found.tolist())
    for end in (703, 706, 730, 763, 768, 1200):
        told = with_edges_decided(decisions(values[:end], trees), values[:end])
        assert told.tolist() == found[found < end].tolist(), end
