"""How much better a shared fault of each factor explains what is seen than offices that fail each for itself (`story`).

A fault hits a share q of a factor's offices that is plausible for its kind: q ~ Beta(2, 1), which leans towards all of them, and for
headquarters Beta(8, 1). The log-odds of a factor are its best story's and its prior.

An office whose other lines are all down too says nothing of one end or one uplink: its trouble is its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.onsets import onsets
from analytics.shared.story import see, suffers, told
from telemetry.decisions import FactorKind
from telemetry.line_slots import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from analytics.shared.sighting import Sighting
    from analytics.shared.story import Seen

SHARE: Final = (2.0, 1.0)
SHARE_OF_ALL: Final = (8.0, 1.0)
"""What is wrong at headquarters hits nearly every line: nine offices of twenty-four are two faults rather than that one."""
_PARTS: Final = (FactorKind.END, FactorKind.UPLINK)
_NOTHING: Final = -np.inf


@dataclass(frozen=True, slots=True)
class Weights:
    """The best story of every factor, (F,) each but `hit` (F, S).

    `log_odds` natural logarithm, `-inf` where there is no story; `onset_ns` when the fault began; `suffer` of `members`
    offices that the factor covers are hit, and so are `others_suffer` of `others`; `hit` which.
    """

    log_odds: NDArray[np.float64]
    onset_ns: NDArray[np.int64]
    members: NDArray[np.int64]
    suffer: NDArray[np.int64]
    others: NDArray[np.int64]
    others_suffer: NDArray[np.int64]
    hit: NDArray[np.bool_]


def weigh(candidates: Factors, sighting: Sighting) -> Weights:
    """Weigh every factor against independent faults; vectorised over factors and offices."""
    seen = _see(candidates, sighting)
    weights = [_weights(candidates, seen, onset) for onset in onsets(sighting)]
    if not weights:
        return _none(seen)
    best = np.stack([each.log_odds for each in weights]).argmax(axis=0)  # (F,)
    index = np.arange(len(best))

    def chosen(name: str) -> NDArray[np.generic]:
        return np.asarray(np.stack([getattr(each, name) for each in weights])[best, index])

    return Weights(**{name: chosen(name) for name in Weights.__slots__})  # type: ignore[arg-type]


def parts_of_offices(candidates: Factors) -> NDArray[np.bool_]:
    """(F,): factors on which only some of an office's lines depend."""
    return is_one_of(candidates, _PARTS)


def is_one_of(candidates: Factors, kinds: tuple[FactorKind, ...]) -> NDArray[np.bool_]:
    """(F,): factors of these kinds."""
    return np.fromiter((name.kind in kinds for name in candidates.names), dtype=bool)


def _see(candidates: Factors, sighting: Sighting) -> Seen:
    hub = is_one_of(candidates, (FactorKind.HUB,))
    # Whoever is silent while others are heard has no trouble of headquarters' lines: that would be measured.
    headquarters = is_one_of(candidates, (FactorKind.HEADQUARTERS,))
    known = sighting.known & ~(headquarters[:, None, None] & sighting.silent)
    troubled = np.where(hub[:, None, None], sighting.silent, sighting.troubled)
    since_ns = np.where(hub[:, None, None], sighting.fell_silent_ns, sighting.since_ns)
    part = parts_of_offices(candidates)
    seen = see(candidates.members, troubled, known, since_ns, part, sighting.explained_ns)
    return _with_the_silent_beside(seen, headquarters, sighting)


def _with_the_silent_beside(seen: Seen, headquarters: NDArray[np.bool_], sighting: Sighting) -> Seen:
    """Who is silent is none of headquarters' offices, and has trouble all the same: it tells the rate as it does for any other factor."""
    silent = sighting.silent.any(axis=1)
    if not silent.any():
        return seen
    theirs = headquarters[:, None] & silent
    since_ns = np.where(sighting.silent, sighting.since_ns, NEVER).min(axis=1)
    return replace(
        seen,
        beside=np.where(theirs, 1.0, seen.beside),
        beside_since_ns=np.where(theirs, since_ns, seen.beside_since_ns),
    )


def _weights(candidates: Factors, seen: Seen, onset_ns: np.int64) -> Weights:
    """The weights if all began at one moment."""
    story = told(seen, onset_ns)
    everything = is_one_of(candidates, (FactorKind.HEADQUARTERS,))
    log_odds = np.where(everything, story.log_odds(SHARE_OF_ALL), story.log_odds(SHARE))
    log_odds += candidates.log_prior_at(int(onset_ns))
    suffer = story.hit.sum(axis=1)
    # Nobody is elsewhere than at headquarters: the silent beside it tell the rate, and are no evidence to be read.
    elsewhere = np.where(everything[:, None], np.nan, seen.beside)
    # one voice that is heard, and it is not the hub
    everybody = ~is_one_of(candidates, (FactorKind.HUB,)) | (suffer == story.n)
    return Weights(
        log_odds=np.where((suffer > 1) & everybody, log_odds, _NOTHING),
        onset_ns=np.full(len(suffer), onset_ns, dtype=np.int64),
        members=story.n.astype(np.int64),
        suffer=suffer.astype(np.int64),
        others=np.isfinite(elsewhere).sum(axis=1),
        others_suffer=suffers(elsewhere).sum(axis=1).astype(np.int64),
        hit=story.hit,
    )


def _none(seen: Seen) -> Weights:
    count, sites = seen.inside.shape
    zero = np.zeros(count, dtype=np.int64)
    nothing = np.full(count, _NOTHING)
    return Weights(nothing, zero, zero, zero, zero, zero, np.zeros((count, sites), dtype=bool))
