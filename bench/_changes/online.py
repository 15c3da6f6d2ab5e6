"""The weights of the on-line detector: fitted on labelled traces, judged on those that it did not see."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped,unused-ignore]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped,unused-ignore]

from analytics.changes.cuts import AFTER, figures
from analytics.changes.online import LIKELY, once, windows, worth_weighing
from analytics.changes.series import FLOORS
from analytics.changes.weighing import terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemetry.traces import Trace

FOLDS: Final = 8
SHRINKAGE: Final = 0.01
"""`C` of the regression: with 170 terms on some 800 labelled cuts, strong."""
NEAR: Final = 1
"""A cut at most so many samples from a label is a change."""
DIGITS: Final = 4


class Cut:
    """One trace's cuts: the sample at which each would be decided, its figures, whether a label is near."""

    def __init__(self, trace: Trace) -> None:
        those, worth = worth_weighing(windows(trace.rtt_ms), "rtt")
        self.at = np.flatnonzero(worth)
        self.figures = figures(those, FLOORS["rtt"])
        labels = np.flatnonzero(trace.changes)
        off = np.abs((self.at - AFTER + 1)[:, None] - labels[None, :])
        self.change = (off <= NEAR).any(axis=-1)


class Weights:
    """What `analytics/changes/weights.py` holds."""

    def __init__(self, learned: Sequence[Cut]) -> None:
        values = np.concatenate([cut.figures for cut in learned])
        self.centres, self.scales = values.mean(axis=0), values.std(axis=0)
        products = terms(values, self.centres, self.scales)
        level = StandardScaler().fit(products)
        model = LogisticRegression(C=SHRINKAGE, max_iter=1000)
        model.fit(level.transform(products), np.concatenate([cut.change for cut in learned]))
        self.weights = model.coef_[0] / level.scale_
        self.intercept = float(model.intercept_[0] - self.weights @ level.mean_)

    def decisions(self, cut: Cut) -> NDArray[np.int64]:
        """As `analytics.changes.online.decisions`, with these weights."""
        odds = terms(cut.figures, self.centres, self.scales) @ self.weights + self.intercept
        return once(cut.at[odds >= np.log(LIKELY / (1.0 - LIKELY))])

    def written(self) -> str:
        """The module's text."""
        blocks = (("CENTRES", self.centres), ("SCALES", self.scales), ("WEIGHTS", self.weights))
        return "\n".join(
            [
                '"""Written by `python -m bench changes --fit`, which fits them on the labelled traces; see `weighing`."""',
                "",
                "from typing import Final",
                "",
                f"INTERCEPT: Final = {self.intercept:.{DIGITS}g}",
                *(f'{name}: Final = """\n{_block(values)}\n"""' for name, values in blocks),
                "",
            ]
        )


def out_of_fold(traces: Sequence[Trace], seed: int = 0) -> list[NDArray[np.int64]]:
    """The decisions on each trace with weights from the traces of the other folds."""
    learned = [Cut(trace) for trace in traces]
    found: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)] * len(traces)
    order = np.random.default_rng(seed).permutation(len(traces))
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS].tolist())
        weights = Weights([cut for i, cut in enumerate(learned) if i not in held])
        for i in held:
            found[i] = weights.decisions(learned[i])
    return found


def _block(values: NDArray[np.float64]) -> str:
    return textwrap.fill(" ".join(f"{value:.{DIGITS}g}" for value in values), 110)
