"""When a fault may have begun, and what it says that several fell ill about then.

Faults that share a cause begin together (Laplace, `TOGETHER_NS`, with a tail); independent ones that are seen now began at
any time of the last half hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.shared.sighting import Sighting

TOGETHER_NS: Final = 30 * SECOND_NS
AGE_NS: Final = 1800 * SECOND_NS
TAIL: Final = 0.3
"""Of the members of a shared fault, so many are noticed any time later: a mild fault takes its time to be proved."""
EARLIER_NS: Final = 120 * SECOND_NS
"""What was broken so long before the onset would be broken anyway, and says nothing of what began then."""
MOST_ONSETS: Final = 24


def onsets(sighting: Sighting) -> NDArray[np.int64]:
    """When it may have begun: the moments at which most lines fell ill, or fell silent, which ill ones may have done later."""
    ill_ns = sighting.since_ns[sighting.troubled]
    silent_ns = sighting.fell_silent_ns[sighting.silent]
    at, count = np.unique(np.concatenate([ill_ns, silent_ns]) // WINDOW_NS, return_counts=True)
    return np.asarray(at[np.argsort(-count, kind="stable")][:MOST_ONSETS] * WINDOW_NS)


def coincidence(
    hit: NDArray[np.bool_],
    since_ns: NDArray[np.int64],
    onset_ns: np.int64 | NDArray[np.int64],
    within_ns: int = TOGETHER_NS,
) -> NDArray[np.float64]:
    """(F,): logarithm of how much likelier the onsets `since_ns` (F, S) of those `hit` (F, S) are when they have one cause, which began at `onset_ns`.

    Of one set (1, S) also at many moments, (F, 1).

    The first of them is free: it is what says when that was.
    """
    apart = np.abs(np.where(hit, since_ns - onset_ns, 0)) / within_ns
    density = (1.0 - TAIL) * AGE_NS / (2.0 * within_ns) * np.exp(-apart) + TAIL
    said = np.where(hit, np.log(density), 0.0)
    return np.asarray(said.sum(axis=1) - said.max(axis=1, initial=0.0))
