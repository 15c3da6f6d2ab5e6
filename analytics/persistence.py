"""How long a fault lasts: the chance that what is broken now is still broken later.

Faults are heavy-tailed: most are over in minutes, some last for days, and one that has lasted long will go
on longer. The Lomax law says so with two numbers: P(T > t) = (1 + t / SCALE) ** -SHAPE, and of a fault that
has lasted `age`, P(T > age + t | T > age) = ((SCALE + age) / (SCALE + age + t)) ** SHAPE.

Two of them, one after the other. For half an hour faults end as slowly as 15 min and 0.4 say; what is still there then
ends sooner, by 45 min and 0.9 (decision 196 says on which pasts that was learnt). But no fault is given less than a fresh one gets by the
first law alone, which is still there after 30 min with 0.64, after 2 h with 0.42, after 10 h with 0.23, after 24 h with 0.16:
what is broken two hours before a meeting is *not ready* (decision 052), unless the line's own faults prove it otherwise
(`as_its_own`, decision 206). So a fault of an hour is there after 2 h with 0.55, one of six hours with 0.82.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Law = tuple[float, float]
    """Scale in seconds and shape."""

FIRST: Final = (900.0, 0.4)
THEN: Final = (2700.0, 0.9)
FIRST_S: Final = 1800.0
"""For so long the first law holds."""

LAW_CASES: Final = 6.0
"""The law weighs as much as so many earlier faults of the line itself."""
AT_LEAST: Final = 0.12
"""So much is left of the law however good the record is: what is broken now is not *ready*."""


def still_broken(lead_ns: int | NDArray[np.int64], age_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Chance (shape of `age_ns`) that a fault of that age is there `lead_ns` from now; 1 for a lead of 0."""
    lead_s = np.maximum(lead_ns, 0) / SECOND_NS
    age_s = np.maximum(age_ns, 0) / SECOND_NS
    soon_s = np.minimum(lead_s, FIRST_S)
    learnt = _lasts(FIRST, soon_s, age_s) * _lasts(THEN, lead_s - soon_s, age_s + soon_s)
    return np.asarray(np.maximum(learnt, _lasts(FIRST, lead_s, np.zeros_like(age_s))))


def as_its_own(
    lasts: NDArray[np.float64], reached: NDArray[np.int64], stayed: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The chance that a fault lasts by the law, `lasts`, less where the line's own record says less; all of one shape.

    Of `reached` earlier faults of the line that had lasted as long, `stayed` were there (or back) at such a lead. The law is
    worth `LAW_CASES` of them: the mean of a Beta posterior. A record that is worse than the law adds nothing: the model's to say.
    """
    own = np.maximum((LAW_CASES * lasts + stayed) / (LAW_CASES + reached), AT_LEAST)
    return np.asarray(np.minimum(lasts, own))


def _lasts(law: Law, lead_s: float | NDArray[np.float64], age_s: NDArray[np.float64]) -> NDArray[np.float64]:
    scale_s, shape = law
    past_s = scale_s + age_s
    return np.asarray((past_s / (past_s + lead_s)) ** shape)
