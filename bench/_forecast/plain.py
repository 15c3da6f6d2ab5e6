"""The yardstick: a plain logistic regression on seven obvious features, one for each lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped,unused-ignore]

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.facts import Facts

SEVEN: Final = ("quarter", "hour", "six", "day", "usual", "same_hour_rate", "strain_hour")
"""Broken share over the last 15 min, 1 h, 6 h, 24 h and all time; of the same clock hours; mean strain of the last hour."""


def plain_chances(learned: Facts, held: NDArray[np.bool_], asked: Facts) -> NDArray[np.float64]:
    """The chance of holding of `asked`, fitted to `learned` and what came true of it, lead by lead."""
    out = np.full(len(asked.lead_ns), np.nan)
    ours, theirs = (each.of(SEVEN) for each in (learned, asked))
    centre, spread = ours.mean(axis=0), ours.std(axis=0) + 1e-9
    for lead in np.unique(asked.lead_ns):
        of, to = learned.lead_ns == lead, asked.lead_ns == lead
        model = LogisticRegression(max_iter=1000).fit((ours[of] - centre) / spread, held[of])
        out[to] = model.predict_proba((theirs[to] - centre) / spread)[:, 1]
    return out
