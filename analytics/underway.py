"""A meeting that has begun: from then on its verdict is about what is left of it (decision 207).

The model was taught whole meetings. What may yet break one that is half over has less time for it, but a shorter fault does: 5 %
of the rest are fewer windows. Of faults that come at a steady rate and last as `persistence` says, that leaves
P(rest holds) = P(whole holds) ** share ** `THINS`. What is broken now is not thinned out so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from telemetry.windows import slot_start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.meetings import Occurrence

THINS: Final = 0.5
"""How the room for a fault shrinks with the share of the meeting that is left; measured on the lab's worlds (decision 207).

With 1 faults would need the same length however short the rest is; a tail of shape 0.4 by itself would give 0.6."""


def rest_of(occurrence: Occurrence, now_ns: int) -> Occurrence:
    """What is left of an occurrence, from the slot that runs on; the same object while it has not begun."""
    if now_ns <= occurrence.starts_ns or now_ns >= occurrence.ends_ns:
        return occurrence
    begins_ns = max(slot_start(now_ns), occurrence.starts_ns)
    return msgspec.structs.replace(occurrence, starts_ns=begins_ns)


def room_left(occurrence: Occurrence, now_ns: int) -> float:
    """How much of a whole meeting's room for faults is left: 1 before it begins, 0 when it is over."""
    whole_ns = max(occurrence.ends_ns - occurrence.starts_ns, 1)
    return float(np.clip((occurrence.ends_ns - now_ns) / whole_ns, 0.0, 1.0) ** THINS)


def thinned(chance: NDArray[np.float64], room: float) -> NDArray[np.float64]:
    """The chance (any shape) of a trouble of the whole meeting, for the `room_left` of it; NaN stays."""
    return np.where(np.isnan(chance), np.nan, 1.0 - (1.0 - chance) ** room)
