"""The shared faults of one moment: the best explanation first, then what is left without what it explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analytics.shared.weigh import EARLIER_NS, weigh

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from analytics.shared.sighting import Sighting
    from telemetry.decisions import Factor

SURE: Final = 3.0
"""Log-odds from which a shared fault is told: 20 to 1."""
MOST_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Found:
    """One shared fault. `sites` (S,): the offices that it explains; the counts as in `Weights`."""

    factor: Factor
    since_ns: int
    sites: NDArray[np.bool_]
    members: int
    suffer: int
    others: int
    others_suffer: int
    log_odds: float


def shared_faults(candidates: Factors, sighting: Sighting) -> list[Found]:
    """The shared faults that explain what is seen, the surest first; empty when each office suffers for itself."""
    out: list[Found] = []
    rest = sighting
    while len(out) < MOST_AT_ONCE and rest.troubled.any() and len(candidates.names):
        weights = weigh(candidates, rest)
        best = int(weights.log_odds.argmax())
        if weights.log_odds[best] < SURE:
            break
        hit = weights.hit[best]
        out.append(
            Found(
                factor=candidates.names[best],
                since_ns=int(weights.onset_ns[best]),
                sites=hit,
                members=int(weights.members[best]),
                suffer=int(weights.suffer[best]),
                others=int(weights.others[best]),
                others_suffer=int(weights.others_suffer[best]),
                log_odds=float(weights.log_odds[best]),
            )
        )
        onset_ns = int(weights.onset_ns[best])
        explained = candidates.members[best] & hit[:, None] & (rest.since_ns >= onset_ns - EARLIER_NS)
        rest = rest.without(explained)
    return out
