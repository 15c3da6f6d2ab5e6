"""Trouble that comes at this hour anyhow: the nightly backup is no fault that lasts until tomorrow's meeting.

Such trouble ends with its hours. What the hours of a meeting usually bring is the term `usual` of the model,
so only trouble that is worse than usual, or comes at another hour, weighs on a later meeting as a fault does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.causes import CAUSES, DELAY_CAUSES, USUAL_METRIC
from analytics.condition import SUSPECT
from analytics.flags import USUAL_TIMES, VALUE_WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.baseline import UsualNow
    from analytics.causes import Cause
    from analytics.condition import Condition
    from analytics.recent import Recent

_OF_ALL_LOST: Final = "loss_ratio"


def usual_chance(
    condition: Condition, recent: Recent, usual: UsualNow | None, fails: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(L, S, P): the chance that what is broken now is the usual trouble of this hour; 0 where it is worse than that.

    It is the chance that this hour of the week fails on this line, `fails` (L, S, P), where every suspected figure is at most
    `USUAL_TIMES` the line's own usual one; `usual` is None where nothing is known. Losses, bursts and outages are compared by
    the share of all packets lost, outages among them.
    """
    suspects = condition.by_cause >= SUSPECT
    if usual is None or not suspects.any():
        return np.zeros(suspects.shape[:-1])
    surprise = np.zeros(suspects.shape[:-1], dtype=bool)
    now = recent.last(VALUE_WINDOWS + 1)
    for index, cause in enumerate(CAUSES):
        if not suspects[..., index].any():
            continue
        metric = USUAL_METRIC[cause] if cause & DELAY_CAUSES else _OF_ALL_LOST
        with np.errstate(invalid="ignore"):
            as_usual = _figure(now, cause, metric) <= USUAL_TIMES * usual.own(metric, outages=True)
        surprise |= suspects[..., index] & ~as_usual
    return np.where(surprise, 0.0, fails)


def _figure(now: Recent, cause: Cause, metric: str) -> NDArray[np.floating]:
    """(S, P): the figure over the newest windows, NaN where there is none."""
    if cause & DELAY_CAUSES:
        return np.asarray(np.fmax.reduce(now.values[metric], axis=-1))
    sent = now.counts.sent.sum(axis=-1)
    return np.where(sent > 0, now.counts.lost.sum(axis=-1) / np.maximum(sent, 1), np.nan)
