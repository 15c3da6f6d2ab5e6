"""The lines and times that asks are made from: what is known of a line at a time is one, whatever spans are asked of it then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks


@dataclass(frozen=True, slots=True)
class Standpoints:
    """The U different lines and times of M asks.

    Attributes:
        line, now_ns: (U,) each.
        of: (M,) which of them each ask is made from.
    """

    line: NDArray[np.int64]
    now_ns: NDArray[np.int64]
    of: NDArray[np.int64]


def standpoints(asks: Asks) -> Standpoints:
    """Each line and time of some asks once."""
    times, time = np.unique(asks.now_ns, return_inverse=True)
    _, first, of = np.unique(asks.line * len(times) + time, return_index=True, return_inverse=True)
    return Standpoints(asks.line[first], asks.now_ns[first], of)
