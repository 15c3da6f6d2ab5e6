"""The trees of the on-line detector: grown on labelled traces, judged on those that they did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.cuts import AFTER, figures
from analytics.changes.online import LIKELY, once, windows, worth_weighing
from analytics.changes.series import FLOORS
from analytics.changes.silences import with_edges_decided
from bench._changes import growing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analytics.changes.trees import Trees
    from telemetry.traces import Trace

GROWTH: Final = growing.Growth(trees=60, least_leaf=4, asked=0.4)
NEAR: Final = 1
"""A cut at most so many samples from a label is a change."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One trace's C cuts.

    `values` (T,): its samples in ms; `at` (C,): the sample at which each would be decided; `figures` (C, F) of each.
    `learned_figures` and `learned_change` (whether a label is near) hold those of the trace read backwards, too: as good as a second trace.
    """

    values: NDArray[np.float64]
    at: NDArray[np.int64]
    figures: NDArray[np.float64]
    learned_figures: NDArray[np.float64]
    learned_change: NDArray[np.bool_]

    def decisions(self, trees: Trees) -> NDArray[np.int64]:
        """As `analytics.changes.online.decisions`, without looking for the cuts anew."""
        return once(self.at[trees.mean(self.figures) >= LIKELY])


def cut_of(trace: Trace) -> Cut:
    """Cut a trace wherever something stepped, forwards and backwards."""
    labels = np.flatnonzero(trace.changes)
    at, figures_of, change = _cuts(trace.rtt_ms, labels)
    _, backwards, changed_back = _cuts(trace.rtt_ms[::-1], len(trace.rtt_ms) - labels)
    return Cut(
        values=trace.rtt_ms,
        at=at,
        figures=figures_of,
        learned_figures=np.concatenate([figures_of, backwards]),
        learned_change=np.concatenate([change, changed_back]),
    )


def _cuts(
    rtt_ms: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    those, worth = worth_weighing(windows(rtt_ms), "rtt")
    at = np.flatnonzero(worth)
    off = np.abs((at - AFTER + 1)[:, None] - labels[None, :])
    return at, figures(those, FLOORS["rtt"]), (off <= NEAR).any(axis=-1)


def grown(learned: Sequence[Cut]) -> Trees:
    """The trees of these traces."""
    return growing.grown(
        np.concatenate([cut.learned_figures for cut in learned]),
        np.concatenate([cut.learned_change for cut in learned]),
        GROWTH,
    )


def out_of_fold(
    learned: Sequence[Cut], folds: Sequence[Sequence[int]], progress: Callable[[str], None]
) -> list[NDArray[np.int64]]:
    """The decisions on each trace by trees from the traces of the other folds."""
    found: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)] * len(learned)
    for fold, held in enumerate(folds):
        progress(f"online, fold {fold + 1} of {len(folds)}")
        trees = grown([one for i, one in enumerate(learned) if i not in held])
        for i in held:
            found[i] = with_edges_decided(learned[i].decisions(trees), learned[i].values)
    return found
