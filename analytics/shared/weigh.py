"""How much better a shared fault explains what is seen than offices that fail each for itself.

Of a factor with n members, of which k suffer, and n' other offices, of which k' do, two stories are compared:

* each for itself: all are broken with one and the same rate b, b ~ Beta(1, 30), about 3 % of lines at any time;
* shared: the members are broken with a share q that is plausible for the factor's kind, the others with b: q ~ Beta(2, 1), which
  leans towards all of them, and for headquarters Beta(8, 1).

Both integrals are beta functions, so the logarithm of the Bayes factor is four `betaln`. To it comes what the onsets
say: faults that share a cause begin together (Laplace, `TOGETHER_NS`, with a tail), independent ones that are seen now began
at any time of the last half hour. The log-odds of a factor are the sum and its prior.

The onsets speak for one cause, not for which: `at_once` is what they say when no factor has to explain who suffers.

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
SHARE_AT_ONCE: Final = (1.0, 9.0)
"""Of all offices, what hits some at once for a reason that we do not know, such as the power or a core router, hits few."""
LOG_PRIOR_AT_ONCE: Final = -8.5
"""It comes more rarely than what we know of."""
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
class AtOnce:
    """How much better than independent faults something unknown explains what is seen of `lines` (S, P)."""

    log_odds: float
    lines: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Office by office: the share of its lines that suffer (F, S), inside the factor and beside it; NaN where unknown."""

    inside: NDArray[np.float64]
    beside: NDArray[np.float64]
    onset_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Story:
    """What one moment of beginning would say of (F,) sets of lines; `hit` (F, S): the offices that fell ill then.

    `n`, `k`: offices known, and those that suffer, in parts of one, without those that had been broken before.
    """

    hit: NDArray[np.bool_]
    n: NDArray[np.int64]
    k: NDArray[np.float64]
    n_beside: NDArray[np.int64]
    k_beside: NDArray[np.float64]
    together: NDArray[np.float64]

    def log_odds(self, share: tuple[float, float]) -> NDArray[np.float64]:
        """Against offices that fail each for itself, when the fault hits a share ~ Beta of the lines."""
        shared = _log_chance(self.k, self.n, share) + _log_chance(self.k_beside, self.n_beside, BACKGROUND)
        alone = _log_chance(self.k + self.k_beside, self.n + self.n_beside, BACKGROUND)
        return shared - alone + self.together


def weigh(candidates: Factors, sighting: Sighting) -> Weights:
    """Weigh every factor against independent faults; vectorised over factors and offices."""
    seen = _see_factors(candidates, sighting)
    weights = [_weights(candidates, seen, onset) for onset in _onsets(sighting)]
    if not weights:
        return _none(seen)
    best = np.stack([each.log_odds for each in weights]).argmax(axis=0)  # (F,)
    index = np.arange(len(best))

    def chosen(name: str) -> NDArray[np.generic]:
        return np.asarray(np.stack([getattr(each, name) for each in weights])[best, index])

    return Weights(**{name: chosen(name) for name in Weights.__slots__})  # type: ignore[arg-type]


def at_once(candidates: Factors, sighting: Sighting) -> AtOnce:
    """The best story of something unknown that hit some offices at one moment.

    It may hit all their lines, or those to one end or of one uplink: that all suffer there does not say that it is
    the cause.
    """
    everything = np.asarray(candidates.members.any(axis=0))[None]
    lines = np.concatenate([everything, candidates.members[_is_one_of(candidates, _PARTS)]])
    part = np.ones(len(lines), dtype=bool)
    seen = _see(lines, sighting.troubled, sighting.known, part, sighting.since_ns)
    best = AtOnce(_NOTHING, np.zeros_like(sighting.known))
    for onset_ns in _onsets(sighting):
        story = _story(seen, onset_ns)
        said = (
            np.where(story.hit.sum(axis=1) > 1, story.log_odds(SHARE_AT_ONCE), _NOTHING) + LOG_PRIOR_AT_ONCE
        )
        number = int(said.argmax())
        if said[number] > best.log_odds:
            since = sighting.since_ns >= onset_ns - EARLIER_NS
            best = AtOnce(float(said[number]), lines[number] & story.hit[number][:, None] & since)
    return best


def _see_factors(candidates: Factors, sighting: Sighting) -> _Seen:
    hub = _is_one_of(candidates, (FactorKind.HUB,))
    # Whoever is silent while others are heard has no trouble of headquarters' lines: that would be measured.
    headquarters = _is_one_of(candidates, (FactorKind.HEADQUARTERS,))
    known = sighting.known & ~(headquarters[:, None, None] & sighting.silent)
    troubled = np.where(hub[:, None, None], sighting.silent, sighting.troubled)
    return _see(candidates.members, troubled, known, _is_one_of(candidates, _PARTS), sighting.since_ns)


def _see(
    lines: NDArray[np.bool_],
    troubled: NDArray[np.bool_],
    known: NDArray[np.bool_],
    part: NDArray[np.bool_],
    since_ns: NDArray[np.int64],
) -> _Seen:
    """What is seen inside and beside (F, S, P) sets of lines; `part` (F,): where an office is down elsewhere too, it is its own."""
    inside = _share(troubled, lines & known)
    beside = _share(troubled, ~lines & known)
    own = part[:, None] & (beside == 1.0)
    inside, beside = np.where(own, np.nan, inside), np.where(own, np.nan, beside)
    never = np.iinfo(np.int64).max
    since = np.where(lines & troubled & known, since_ns, never).min(axis=-1, initial=never)
    return _Seen(inside, beside, since)


def _is_one_of(candidates: Factors, kinds: tuple[FactorKind, ...]) -> NDArray[np.bool_]:
    return np.fromiter((name.kind in kinds for name in candidates.names), dtype=bool)


def _share(troubled: NDArray[np.bool_], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    count = among.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray((troubled & among).sum(axis=-1) / np.where(count, count, np.nan))


def _onsets(sighting: Sighting) -> NDArray[np.int64]:
    """When it may have begun: the moments at which most lines fell ill."""
    at, count = np.unique(sighting.since_ns[sighting.troubled] // WINDOW_NS, return_counts=True)
    return np.asarray(at[np.argsort(-count, kind="stable")][:MOST_ONSETS] * WINDOW_NS)


def _story(seen: _Seen, onset_ns: np.int64) -> _Story:
    """As if all had begun at one moment."""
    earlier = (np.nan_to_num(seen.inside) > 0.0) & (seen.onset_ns < onset_ns - EARLIER_NS)
    inside = np.where(earlier, np.nan, seen.inside)
    hit = np.nan_to_num(inside) > _HIT
    return _Story(
        hit=hit,
        n=np.isfinite(inside).sum(axis=1),
        k=np.nansum(inside, axis=1),
        n_beside=np.isfinite(seen.beside).sum(axis=1),
        k_beside=np.nansum(seen.beside, axis=1),
        together=_coincidence(hit, seen.onset_ns, onset_ns),
    )


def _weights(candidates: Factors, seen: _Seen, onset_ns: np.int64) -> Weights:
    """The weights if all began at one moment."""
    story = _story(seen, onset_ns)
    everything = _is_one_of(candidates, (FactorKind.HEADQUARTERS,))
    log_odds = (
        np.where(everything, story.log_odds(SHARE_OF_ALL), story.log_odds(SHARE)) + candidates.log_prior
    )
    suffer = story.hit.sum(axis=1)
    # one voice that is heard, and it is not the hub
    everybody = ~_is_one_of(candidates, (FactorKind.HUB,)) | (suffer == story.n)
    return Weights(
        log_odds=np.where((suffer > 1) & everybody, log_odds, _NOTHING),
        onset_ns=np.full(len(suffer), onset_ns, dtype=np.int64),
        members=story.n.astype(np.int64),
        suffer=suffer.astype(np.int64),
        others=story.n_beside.astype(np.int64),
        others_suffer=(np.nan_to_num(seen.beside) > _HIT).sum(axis=1).astype(np.int64),
        hit=story.hit,
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
