"""How many windows of a meeting may break at the most, whatever comes of those that are still missing: the mirror of `least_broken`.

A missing window may break, and prove by its loss that up to three after it do, which lie above the limit and prove nothing themselves.
Whatever is put down to the probe's own trouble now may be believed less when all have come. A limit above the line's floor is judged by
the floor as it is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.judge import POOL_WINDOWS, judge
from analytics.losses import losses, trailing_sum
from analytics.own_trouble import changed_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.losses import Values
    from config.profiles import Limits


def most_broken(values: Values, cleared: Values, limits: Limits) -> NDArray[np.int64]:
    """How many windows of each line are missing or may break, (S, P); the arguments are those of `least_broken`."""
    alone = [judge(each, limits) for each in (values, cleared)]
    unsure = ~alone[0].present | changed_windows(values, cleared)
    may_turn = trailing_sum(unsure.astype(np.int64), POOL_WINDOWS) > 0
    above = _above_limit(values, limits) | _above_limit(cleared, limits)
    by_pool = np.where(may_turn, above, judge(values, limits, pool_windows=POOL_WINDOWS).breaks)
    may_break = ~alone[0].present | alone[0].breaks | alone[1].breaks | by_pool
    return np.asarray(may_break.sum(axis=-1), dtype=np.int64)


def _above_limit(values: Values, limits: Limits) -> NDArray[np.bool_]:
    """(S, P, W): a loss of any direction lies above the limit, proved or not."""
    counts, limit = losses(values), limits.loss_ratio
    if limit is None:
        return np.zeros(counts.sent.shape, dtype=bool)
    return np.asarray(np.any([lost > limit * sent for lost, sent in counts.directions()], axis=0))
