"""The shared faults of one moment: the best explanation first, then what is left without what it explains.

Every explanation is held against chance: that offices fail each for itself, or that something unknown hit some of them at
once. Two faults may begin at one time, so a factor is held against it together with the best that explains what it leaves. Where no
factor explains why just these offices suffer there is no incident: their flags stand alone. Only many that fell silent at one moment
are told as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.at_once import at_once, silenced_at_once
from analytics.shared.onsets import EARLIER_NS
from analytics.shared.weigh import weigh
from telemetry.decisions import Factor, FactorKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from analytics.shared.sighting import Sighting
    from analytics.shared.weigh import Weights

SURE: Final = 3.0
"""Log-odds from which a shared fault is told: 20 to 1."""
MOST_AT_ONCE: Final = 8
MOST_TRIED: Final = 2
"""So many factors are held against chance, the likeliest first, before nothing is told."""
MOST_BESIDE: Final = 1
"""So many other faults may explain what a factor leaves."""


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
    """The shared faults that explain what is seen, the surest first; empty when nothing in common explains it."""
    out: list[Found] = []
    left, rest = candidates, sighting
    while len(out) < MOST_AT_ONCE and (step := _surest(left, rest)) is not None:
        found, left, rest = step
        out.append(found)
    return [*out, *_silenced(candidates, rest, out)]


def _silenced(candidates: Factors, sighting: Sighting, found: list[Found]) -> list[Found]:
    """Those that fell silent at one moment, of whom nothing explains why just these.

    Of a factor that is at fault all offices are left out: who had trouble before is silent for the same cause.
    """
    for each in found:
        sighting = sighting.without(candidates.members[candidates.names.index(each.factor)])
    if not (sighting.silent.any() and candidates.names):
        return []
    silenced = silenced_at_once(candidates, sighting)
    if silenced.log_odds < SURE:
        return []
    return [
        Found(
            factor=Factor(FactorKind.AT_ONCE),
            since_ns=silenced.onset_ns,
            sites=silenced.hit,
            members=silenced.members,
            suffer=int(silenced.hit.sum()),
            others=0,
            others_suffer=0,
            log_odds=silenced.log_odds,
        )
    ]


def _surest(candidates: Factors, sighting: Sighting) -> tuple[Found, Factors, Sighting] | None:
    """The likeliest factor that beats chance together with what explains the rest; what is left of factors and of what is seen."""
    if not _open(candidates, sighting):
        return None
    weights, chance = weigh(candidates, sighting), _chance(candidates, sighting)
    for number in np.argsort(-weights.log_odds, kind="stable")[:MOST_TRIED]:
        log_odds = float(weights.log_odds[number])
        if log_odds < SURE:
            break
        left, rest = _without(candidates, weights, sighting, int(number))
        beats = log_odds - chance + _explained(left, rest, chance, MOST_BESIDE)
        if beats >= SURE:
            return _found(candidates, weights, int(number), min(log_odds, beats)), left, rest
    return None


def _explained(candidates: Factors, sighting: Sighting, enough: float, most: int) -> float:
    """Best log-odds of what is left, by at most `most` more shared faults or by coincidence; stops at `enough`."""
    if enough <= 0.0 or not _open(candidates, sighting):
        return 0.0
    chance = _chance(candidates, sighting)
    if chance >= enough or not most:
        return chance
    weights = weigh(candidates, sighting)
    best = int(weights.log_odds.argmax())
    log_odds = float(weights.log_odds[best])
    if log_odds < SURE:
        return chance
    left, rest = _without(candidates, weights, sighting, best)
    return max(chance, log_odds + _explained(left, rest, enough - log_odds, most - 1))


def _chance(candidates: Factors, sighting: Sighting) -> float:
    """Log-odds of one or more unexplained coincidences (`at_once`) against independent faults."""
    total = 0.0
    for _ in range(MOST_AT_ONCE):
        said = at_once(candidates, sighting)
        if said.log_odds <= 0.0:
            break
        total, sighting = total + said.log_odds, sighting.without(said.lines)
    return total


def _open(candidates: Factors, sighting: Sighting) -> bool:
    return bool(sighting.troubled.any()) and len(candidates.names) > 0


def _without(
    candidates: Factors, weights: Weights, sighting: Sighting, number: int
) -> tuple[Factors, Sighting]:
    """What is left when one fault is found: a factor has one fault at a time, and what that explains is not asked again."""
    hit, onset_ns = weights.hit[number], weights.onset_ns[number]
    explained = candidates.members[number] & hit[:, None] & (sighting.since_ns >= onset_ns - EARLIER_NS)
    return candidates.without(number), sighting.without(explained)


def _found(candidates: Factors, weights: Weights, number: int, log_odds: float) -> Found:
    return Found(
        factor=candidates.names[number],
        since_ns=int(weights.onset_ns[number]),
        sites=weights.hit[number],
        members=int(weights.members[number]),
        suffer=int(weights.suffer[number]),
        others=int(weights.others[number]),
        others_suffer=int(weights.others_suffer[number]),
        log_odds=log_odds,
    )
