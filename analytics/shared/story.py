"""What is seen of sets of lines, told as a story: they have one fault, which began at one moment; or offices fail each for itself.

Of n offices of the set k fell ill since then, and of the others k'. Offices that fail each for itself all do so at one rate, which the last half
hour of this fleet tells: of N offices that were well, e fell ill before that moment. With the rate ~ Gamma(1, 30), which is one in thirty
before anything is known, each further office that fell ill by itself weighs (1 + e + those so far) / (30 + N).

With one fault the n are hit with a share q ~ Beta, so their chance is a beta-binomial's; the others fall ill at the rate. To it comes
what the onsets say (`onsets`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import betaln, gammaln

from analytics.shared.onsets import AGE_NS, EARLIER_NS, coincidence
from telemetry.line_slots import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE: Final = (1.0, 30.0)
"""Before anything is known of a fleet: offices that fall ill, of so many in half an hour (`AGE_NS`)."""
_HIT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """Office by office: the share of its lines that suffer (F, S), inside the sets of lines and beside them, NaN where unknown; and since when.

    `explained` (F, S): in how many of the two, inside and beside, all that suffers is explained, since `explained_since_ns` (S,).
    """

    inside: NDArray[np.float64]
    beside: NDArray[np.float64]
    since_ns: NDArray[np.int64]
    beside_since_ns: NDArray[np.int64]
    explained: NDArray[np.int64]
    explained_since_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Story:
    """What one moment of beginning would say of (F,) sets of lines; `hit` (F, S): the offices that fell ill then.

    `n`, `k`: offices known, and those that suffer, in parts of one, without those that had been broken before; of these
    `before` fell ill in the half hour before, among `well` offices. `together`: what the onsets say.
    """

    hit: NDArray[np.bool_]
    n: NDArray[np.int64]
    k: NDArray[np.float64]
    k_beside: NDArray[np.float64]
    before: NDArray[np.int64]
    well: NDArray[np.int64]
    together: NDArray[np.float64]

    def log_odds(self, share: tuple[float, float]) -> NDArray[np.float64]:
        """Against offices that fail each for itself, when the fault hits a share ~ Beta of the lines."""
        (a, b), (events, exposure) = share, RATE
        shared = betaln(self.k + a, self.n - self.k + b) - betaln(a, b)
        others = events + self.before + self.k_beside
        alone = gammaln(others + self.k) - gammaln(others) - self.k * np.log(exposure + self.well)
        return np.asarray(shared - alone + self.together)


def see(  # noqa: PLR0913, PLR0917 - what is seen of lines
    lines: NDArray[np.bool_],
    troubled: NDArray[np.bool_],
    known: NDArray[np.bool_],
    since_ns: NDArray[np.int64],
    part: NDArray[np.bool_],
    explained_ns: NDArray[np.int64] | None = None,
) -> Seen:
    """What is seen inside and beside (F, S, P) sets of lines; `part` (F,): where an office is down elsewhere too, it is its own.

    `explained_ns` (S, P): since when what is explained already has suffered, 0 where nothing is.
    """
    inside = _share(troubled, lines & known)
    beside = _share(troubled, ~lines & known)
    own = part[:, None] & (beside == 1.0)
    return Seen(
        np.where(own, np.nan, inside),
        np.where(own, np.nan, beside),
        _first(lines & troubled & known, since_ns),
        _first(~lines & troubled & known, since_ns),
        *_explained(lines, known, explained_ns),
    )


def told(seen: Seen, onset_ns: np.int64) -> Story:
    """As if all had begun at one moment."""
    inside, before, well = _since(seen.inside, seen.since_ns, onset_ns)
    beside, before_beside, well_beside = _since(seen.beside, seen.beside_since_ns, onset_ns)
    hit = suffers(inside)
    return Story(
        hit=hit,
        n=np.isfinite(inside).sum(axis=1),
        k=np.nansum(inside, axis=1),
        k_beside=np.nansum(beside, axis=1),
        before=before + before_beside,
        well=well + well_beside + _well_but_for_it(seen, onset_ns),
        together=coincidence(hit, seen.since_ns, onset_ns),
    )


def suffers(share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether most of an office's lines do."""
    return np.asarray(np.nan_to_num(share) > _HIT)


def _since(
    share: NDArray[np.float64], since_ns: NDArray[np.int64], onset_ns: np.int64
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Shares without what was broken before; how many fell ill in the half hour before, and how many were well at its beginning."""
    start_ns = onset_ns - EARLIER_NS
    ill = np.nan_to_num(share) > 0.0
    earlier = ill & (since_ns < start_ns)
    lately = earlier & (since_ns >= start_ns - AGE_NS)
    known = np.isfinite(share)
    return (
        np.where(earlier, np.nan, share),
        lately.sum(axis=1),
        (known & ~(earlier & ~lately)).sum(axis=1),
    )


def _explained(
    lines: NDArray[np.bool_], known: NDArray[np.bool_], explained_ns: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """As `Seen` has it."""
    if explained_ns is None:
        explained_ns = np.zeros(known.shape[-2:], dtype=np.int64)
    gone = explained_ns > 0
    sets = ((each & gone).any(axis=-1) & ~(each & known).any(axis=-1) for each in (lines, ~lines))
    inside, beside = (each.astype(np.int64) for each in sets)
    return np.asarray(inside + beside), _first(gone, explained_ns)


def _well_but_for_it(seen: Seen, onset_ns: np.int64) -> NDArray[np.int64]:
    """(F,): how many of those that are explained were well when this began, and so tell the rate as all others do."""
    return np.asarray((seen.explained * (seen.explained_since_ns >= onset_ns - EARLIER_NS)).sum(axis=1))


def _first(ill: NDArray[np.bool_], since_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.where(ill, since_ns, NEVER).min(axis=-1, initial=NEVER))


def _share(troubled: NDArray[np.bool_], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    count = among.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray((troubled & among).sum(axis=-1) / np.where(count, count, np.nan))
