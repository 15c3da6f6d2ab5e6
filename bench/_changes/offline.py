"""The trees of the off-line detector: grown on labelled traces, judged on those that they did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.boundaries import Boundaries, boundaries
from analytics.changes.offline import chosen
from analytics.changes.series import carried
from analytics.changes.silences import with_edges
from bench._changes import growing
from bench._changes.quiet import quiet_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analytics.changes.trees import Trees
    from telemetry.traces import Trace

GROWTH: Final = growing.Growth(trees=240, least_leaf=6, asked=0.3)
NEAR: Final = 2
"""A boundary at most so many samples from a label is a change."""


@dataclass(frozen=True, slots=True)
class Past:
    """One trace's boundaries and which are changes, read forwards and backwards: as good as a second trace.

    `values` (T,): its samples in ms; `forwards`: the boundaries as they are found; `figures` (C, F) and `change` (C,) of both ways.
    """

    values: NDArray[np.float64]
    forwards: Boundaries
    figures: NDArray[np.float64]
    change: NDArray[np.bool_]


def past_of(trace: Trace) -> Past:
    """Find the boundaries of a trace, forwards and backwards."""
    labels = np.flatnonzero(trace.changes)
    forwards, backwards = (boundaries(carried(rtt_ms)) for rtt_ms in (trace.rtt_ms, trace.rtt_ms[::-1]))
    at = np.concatenate([forwards.at, len(trace.rtt_ms) - backwards.at])
    return Past(
        values=trace.rtt_ms,
        forwards=forwards,
        figures=np.concatenate([forwards.figures, backwards.figures]),
        change=np.asarray((np.abs(at[:, None] - labels[None, :]) <= NEAR).any(axis=-1)),
    )


def grown(learned: Sequence[Past]) -> Trees:
    """The trees of these traces."""
    return growing.grown(
        np.concatenate([past.figures for past in learned]),
        np.concatenate([past.change for past in learned]),
        GROWTH,
    )


def quiet_pasts() -> list[Past]:
    """What is learned of the made lines, whatever the traces."""
    return [past_of(line) for line in quiet_lines()]


def out_of_fold(
    learned: Sequence[Past], folds: Sequence[Sequence[int]], progress: Callable[[str], None]
) -> list[NDArray[np.int64]]:
    """The changes of each trace by trees from the traces of the other folds."""
    found: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)] * len(learned)
    quiet = quiet_pasts()
    for fold, held in enumerate(folds):
        progress(f"offline, fold {fold + 1} of {len(folds)}")
        trees = grown([*(one for i, one in enumerate(learned) if i not in held), *quiet])
        for i in held:
            found[i] = with_edges(_found(learned[i].forwards, trees), learned[i].values)
    return found


def _found(those: Boundaries, trees: Trees) -> NDArray[np.int64]:
    return chosen(those.at, trees.mean(those.figures))
