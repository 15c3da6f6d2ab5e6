"""How much better a shared fault explains what is seen than offices that fail each for itself.

Of a factor with n members, of which k suffer, and n' other offices, of which k' do, two stories are compared:

* each for itself: all are broken with one and the same rate b, b ~ Beta(1, 30), about 3 % of lines at any time;
* shared: the members are broken with a share q ~ Beta(2, 1), which leans towards all of them, the others with b.

Both integrals are beta functions, so the logarithm of the Bayes factor is four `betaln`. To it comes what the onsets
say: faults that share a cause begin together (Laplace, `TOGETHER_NS`, with a tail), independent ones that are seen now began
at any time of the last half hour. The log-odds of a factor are the sum and its prior.

An office whose other lines are all down too says nothing of one end or one uplink: its trouble is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import betaln

from telemetry.decisions import FactorKind
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from analytics.shared.sighting import Sighting

BACKGROUND: Final = (1.0, 30.0)
SHARE: Final = (2.0, 1.0)
SHARE_OF_ALL: Final = (8.0, 1.0)
"""What is wrong at headquarters hits nearly every line: nine offices of twenty-four are two faults rather than that one."""
TOGETHER_NS: Final = 30 * SECOND_NS
AGE_NS: Final = 1800 * SECOND_NS
TAIL: Final = 0.3
"""Of the members of a shared fault, so many are noticed any time later: a mild fault takes its time to be proved."""
EARLIER_NS: Final = 120 * SECOND_NS
"""What was broken so long before the onset would be broken anyway, and says nothing."""
MOST_ONSETS: Final = 24
_HIT: Final = 0.5
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """Office by office: the share of its lines that suffer (F, S), inside the factor and beside it; NaN where unknown."""

    inside: NDArray[np.float64]
    beside: NDArray[np.float64]
    onset_ns: NDArray[np.int64]


def weigh(candidates: Factors, sighting: Sighting) -> Weights:
    """Weigh every factor against independent faults; vectorised over factors and offices."""
    seen = _see(candidates, sighting)
    stories = [_story(candidates, seen, onset) for onset in _onsets(sighting)]
    if not stories:
        return _none(seen)
    best = np.stack([story.log_odds for story in stories]).argmax(axis=0)  # (F,)
    index = np.arange(len(best))

    def chosen(name: str) -> NDArray[np.generic]:
        return np.asarray(np.stack([getattr(story, name) for story in stories])[best, index])

    return Weights(**{name: chosen(name) for name in Weights.__slots__})  # type: ignore[arg-type]


def _see(candidates: Factors, sighting: Sighting) -> _Seen:
    kinds = [name.kind for name in candidates.names]
    hub = np.array([kind is FactorKind.HUB for kind in kinds], dtype=bool)
    part = np.array([kind in _PARTS for kind in kinds], dtype=bool)
    members = candidates.members
    troubled = np.where(hub[:, None, None], sighting.silent, sighting.troubled)
    # Whoever is silent while others are heard has no trouble of headquarters' lines: that would be measured.
    silence_says = np.array([kind is not FactorKind.HEADQUARTERS for kind in kinds], dtype=bool)
    known = sighting.known & (silence_says[:, None, None] | ~sighting.silent)
    inside = _share(troubled, members & known)
    beside = _share(troubled, ~members & known)
    own = part[:, None] & (beside == 1.0)
    inside, beside = np.where(own, np.nan, inside), np.where(own, np.nan, beside)
    never = np.iinfo(np.int64).max
    since = np.where(members & troubled & known, sighting.since_ns, never).min(axis=-1, initial=never)
    return _Seen(inside, beside, since)


def _share(troubled: NDArray[np.bool_], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    count = among.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray((troubled & among).sum(axis=-1) / np.where(count, count, np.nan))


def _onsets(sighting: Sighting) -> NDArray[np.int64]:
    """When it may have begun: the moments at which most lines fell ill."""
    at, count = np.unique(sighting.since_ns[sighting.troubled] // WINDOW_NS, return_counts=True)
    return np.asarray(at[np.argsort(-count, kind="stable")][:MOST_ONSETS] * WINDOW_NS)


def _story(candidates: Factors, seen: _Seen, onset_ns: np.int64) -> Weights:
    """The weights if all began at one moment."""
    hit = np.nan_to_num(seen.inside) > _HIT
    earlier = (np.nan_to_num(seen.inside) > 0.0) & (seen.onset_ns < onset_ns - EARLIER_NS)
    inside = np.where(earlier, np.nan, seen.inside)
    hit &= ~earlier
    n, k = np.isfinite(inside).sum(axis=1), np.nansum(inside, axis=1)
    n_beside, k_beside = np.isfinite(seen.beside).sum(axis=1), np.nansum(seen.beside, axis=1)
    suffer = hit.sum(axis=1)
    everything = np.array([name.kind is FactorKind.HEADQUARTERS for name in candidates.names])
    among = np.where(everything, _log_chance(k, n, SHARE_OF_ALL), _log_chance(k, n, SHARE))
    shared = among + _log_chance(k_beside, n_beside, BACKGROUND)
    alone = _log_chance(k + k_beside, n + n_beside, BACKGROUND)
    log_odds = shared - alone + _coincidence(hit, seen.onset_ns, onset_ns) + candidates.log_prior
    everybody = np.array([name.kind is not FactorKind.HUB for name in candidates.names]) | (suffer == n)
    log_odds = np.where(
        (suffer > 1) & everybody, log_odds, _NOTHING
    )  # one voice that is heard, and it is not the hub
    return Weights(
        log_odds=log_odds,
        onset_ns=np.full(len(n), onset_ns, dtype=np.int64),
        members=n.astype(np.int64),
        suffer=suffer.astype(np.int64),
        others=n_beside.astype(np.int64),
        others_suffer=(np.nan_to_num(seen.beside) > _HIT).sum(axis=1).astype(np.int64),
        hit=hit,
    )


def _log_chance(
    k: NDArray[np.float64], n: NDArray[np.int64], prior: tuple[float, float]
) -> NDArray[np.float64]:
    """Logarithm of the beta-binomial chance of k among n, in one given order."""
    a, b = prior
    return np.asarray(betaln(k + a, n - k + b) - betaln(a, b))


def _coincidence(
    hit: NDArray[np.bool_], since_ns: NDArray[np.int64], onset_ns: np.int64
) -> NDArray[np.float64]:
    """Logarithm of how much likelier the onsets are when they have one cause; the first of them is free."""
    apart = np.abs(np.where(hit, since_ns - onset_ns, 0)) / TOGETHER_NS
    density = (1.0 - TAIL) * AGE_NS / (2.0 * TOGETHER_NS) * np.exp(-apart) + TAIL
    said = np.where(hit, np.log(density), 0.0)
    return np.asarray(said.sum(axis=1) - said.max(axis=1, initial=0.0))


def _none(seen: _Seen) -> Weights:
    count, sites = seen.inside.shape
    zero = np.zeros(count, dtype=np.int64)
    nothing = np.full(count, _NOTHING)
    return Weights(nothing, zero, zero, zero, zero, zero, np.zeros((count, sites), dtype=bool))
