"""Hours with an outage in them: an hour's loss is told by the outage or by the time the line was up, never by both.

An outage that fills half of an hour leaves as many five minutes that lost everything as others. Their median is the
middle between both, a loss that the line never had. Nor do the five minutes in which an outage began or ended count
with the others: they lost a part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOSSES: Final = frozenset({"up_loss_ratio", "down_loss_ratio", "loss_ratio"})
NOTHING_CAME: Final = 0.95
"""From this share of all packets lost on, five minutes or an hour were an outage."""


def says_of_loss(lost: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of the slots of (..., 12) lost shares, NaN where none was measured, say what the loss of their hour was.

    Where nothing came in at least half of the measured ones, those; otherwise those in which something came, and of these
    the ones beside an outage only if there are no others.
    """
    dead = lost >= NOTHING_CAME
    up = lost < NOTHING_CAME
    beside = np.zeros_like(dead)
    beside[..., 1:] |= dead[..., :-1]
    beside[..., :-1] |= dead[..., 1:]
    clear = up & ~beside
    live = np.where(clear.any(axis=-1, keepdims=True), clear, up)
    return np.where(dead.sum(axis=-1, keepdims=True) >= up.sum(axis=-1, keepdims=True), dead, live)
