"""The shared faults of one moment: the best explanation first, then what is left without what it explains.

Every explanation is held against chance: that offices fail each for itself, or that something unknown hit some of them at
once. Two faults may begin at one time, so a factor is held against it together with the best that explains what it leaves. Where no
factor explains why just these offices suffer there is no incident: their flags stand alone. Only many that fell silent at one moment
are told as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.at_once import at_once, silenced_at_once
from analytics.shared.onsets import EARLIER_NS
from analytics.shared.weigh import parts_of_offices, weigh
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
MOST_BESIDE: Final = MOST_AT_ONCE - 1
"""So many other faults may explain what a factor leaves: each has a prior of its own to pay."""
_HALF: Final = 0.5


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
    left = _Left(candidates, sighting)
    while len(out) < MOST_AT_ONCE and (step := _surest(left)) is not None:
        found, left = step
        out.append(found)
    return [*out, *_silenced(candidates, left.sighting, out)]


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


@dataclass(frozen=True)
class _Left:
    """What is not explained yet. Several ask the same of it, which is weighed once."""

    candidates: Factors
    sighting: Sighting

    @property
    def is_open(self) -> bool:
        """Whether there is anything to explain, and anything to explain it by."""
        return bool(self.sighting.troubled.any()) and len(self.candidates.names) > 0

    @cached_property
    def weights(self) -> Weights:
        """Every factor against independent faults."""
        return weigh(self.candidates, self.sighting)

    @cached_property
    def ranked(self) -> list[int]:
        """The factors that are sure against independent faults, the likeliest first."""
        order = np.argsort(-self.weights.log_odds, kind="stable").tolist()
        return [number for number in order if self.weights.log_odds[number] >= SURE]

    @cached_property
    def chance(self) -> float:
        """How much better than independent faults it explains what is seen that something unknown hit some offices at once, now and again."""
        total, sighting = 0.0, self.sighting
        for _ in range(MOST_AT_ONCE):
            said = at_once(self.candidates, sighting)
            if said.log_odds <= 0.0:
                break
            total, sighting = total + said.log_odds, sighting.without(said.lines)
        return total

    def may_be_several(self, number: int) -> bool:
        """Whether the likeliest factor but this one is hit much more wholly: then this one may only seem so, as it covers several that are."""
        other = next((each for each in self.ranked if each != number), None)
        return other is not None and self._spared(other) < self._spared(number) * _HALF

    def _spared(self, number: int) -> float:
        """Of the offices that depend on a factor, the share that is well."""
        return 1.0 - float(self.weights.suffer[number]) / float(self.weights.members[number])

    @cached_property
    def _without(self) -> dict[int, _Left]:
        return {}

    def without(self, number: int) -> _Left:
        """What is left when one fault is found: a factor has one fault at a time, and what that explains is not asked again."""
        if number not in self._without:
            explained = _explained_by(self, number)
            rest = self.candidates.without(number, int(self.weights.onset_ns[number]))
            self._without[number] = _Left(rest, self.sighting.without(explained))
        return self._without[number]


def _surest(left: _Left) -> tuple[Found, _Left] | None:
    """The likeliest factor that beats chance together with what explains the rest; what is left then."""
    if not left.is_open:
        return None
    for number in left.ranked[:MOST_TRIED]:
        log_odds = float(left.weights.log_odds[number])
        beats = log_odds - left.chance + _explained(left.without(number), left.chance, MOST_BESIDE)
        if beats >= SURE and not _is_bettered(left, number):
            return _found(left, number, min(log_odds, beats)), _told(left, number)
    return None


def _is_bettered(left: _Left, number: int) -> bool:
    """Whether others explain more than a factor with what it leaves: three providers, not headquarters that spares the fourth."""
    if not left.may_be_several(number):
        return False
    whole = float(left.weights.log_odds[number]) + _explained(left.without(number), np.inf, MOST_BESIDE)
    return _explained(left, whole, MOST_AT_ONCE, left.candidates.names[number]) > whole


def _explained(left: _Left, enough: float, most: int, ignored: Factor | None = None) -> float:
    """How much better than independent faults shared ones, at most so many, or chance explain what is seen, as far as it is asked.

    Without one factor that is `ignored`: the likeliest, where several others may be behind it and explain more.
    """
    if enough <= 0.0 or not left.is_open:
        return 0.0
    names = left.candidates.names
    best = next((number for number in left.ranked if names[number] != ignored), None)
    if left.chance >= enough or not most or best is None:
        return left.chance
    log_odds = float(left.weights.log_odds[best])
    said = log_odds + _explained(left.without(best), enough - log_odds, most - 1, ignored)
    if said < enough and ignored is None and left.may_be_several(best):
        said = max(said, _explained(left, enough, most, names[best]))
    return max(left.chance, said)


def _explained_by(left: _Left, number: int) -> NDArray[np.bool_]:
    """(S, P): the lines that a factor's fault explains, of the offices that it hits."""
    return np.asarray(_began_with(left, number) & left.weights.hit[number][:, None])


def _began_with(left: _Left, number: int) -> NDArray[np.bool_]:
    """(S, P): the lines that depend on a factor and fell ill in its fault's time."""
    began = left.sighting.since_ns >= left.weights.onset_ns[number] - EARLIER_NS
    return np.asarray(left.candidates.members[number] & left.sighting.troubled & began)


def _told(left: _Left, number: int) -> _Left:
    """What may be told beside a fault that is.

    An office of which only some lines have shown it yet counts for it in part. Against chance, of which the same holds, the rest counts for
    others; but it is nobody else's fault: of headquarters' mild loss a line to one end is the first to show.
    """
    rest = left.without(number)
    if parts_of_offices(left.candidates)[number]:
        return rest
    partly = _began_with(left, number) & rest.sighting.troubled
    return _Left(rest.candidates, rest.sighting.without(partly)) if partly.any() else rest


def _found(left: _Left, number: int, log_odds: float) -> Found:
    weights = left.weights
    return Found(
        factor=left.candidates.names[number],
        since_ns=int(weights.onset_ns[number]),
        sites=weights.hit[number],
        members=int(weights.members[number]),
        suffer=int(weights.suffer[number]),
        others=int(weights.others[number]),
        others_suffer=int(weights.others_suffer[number]),
        log_odds=log_odds,
    )
