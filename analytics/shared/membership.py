"""Who belongs to a fault that is open, which is another question than whether there is one.

To decide that offices have something in common, those that had trouble before are left out: they would suffer anyway (decision
174). Once it is decided they count as any other:

* of an end that is cut off, every office whose line there is down belongs to it while its other ends answer, whatever trouble the line had before,
  and of headquarters that is cut off, every office whose lines are all down;
* an office that depends on the factor and falls ill in the same way within half an hour of its beginning joins it; and after that, while most of
  the factor's offices suffer in that way (`late`): else trouble of its own is as likely. Nobody joins a provider, a region or an uplink by lines that fell ill with a
  fault of headquarters or of an end: that explains them;
* an office that has suffered from it and still does, or is still without contact, has not come back: when lines are heard again their
  flags begin anew, so a young flag does not say that the trouble is a new one. Where an end or an uplink has a fault of its own its
  lines say nothing of the fault of a provider, a region or headquarters: an office whose other lines are well has come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.find import Found
from analytics.shared.late import shown_by_most
from analytics.shared.onsets import AGE_NS, EARLIER_NS
from telemetry.decisions import FactorKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from analytics.shared.opened import Open
    from analytics.shared.sighting import Sighting
    from telemetry.decisions import Factor

_HALF: Final = 0.5
_PARTS: Final = (FactorKind.END, FactorKind.UPLINK)
_AT_HEADQUARTERS: Final = (FactorKind.END, FactorKind.HEADQUARTERS)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look sees of lines, and what they may have in common.

    `at_fault` (S, P): the lines of ends and uplinks that have a fault of their own; `of_headquarters` (S, P): of these, the lines of ends whose fault is what is
    left of headquarters'. `explained` (S, P): the lines whose trouble a fault of headquarters or of an end explains.
    """

    sighting: Sighting
    candidates: Factors
    at_fault: NDArray[np.bool_]
    of_headquarters: NDArray[np.bool_]
    explained: NDArray[np.bool_]


def look(
    sighting: Sighting, candidates: Factors, lasting: Iterable[Found | Open], left: Iterable[Factor] = ()
) -> Look:
    """One look, while these faults last; `left`: the ends that are left of a fault of headquarters."""
    faults = [each for each in lasting if each.factor in candidates.names]
    parts = [each.factor for each in faults if each.factor.kind in _PARTS]
    explained = np.zeros_like(sighting.known)
    for each in faults:
        if each.factor.kind in _AT_HEADQUARTERS:
            explained |= _explained(each, _lines([each.factor], candidates), sighting)
    return Look(sighting, candidates, _lines(parts, candidates), _lines(left, candidates), explained)


def belong(factor: Factor, ever: NDArray[np.bool_], since_ns: int, seen: Look) -> NDArray[np.bool_]:
    """(S,): the offices of an open fault that suffer from it now; `ever` (S,): those that have suffered from it since `since_ns`.

    Our own deafness is told by who is heard at all, so nobody belongs to it but whom that says.
    """
    if factor.kind is FactorKind.HUB:
        return np.zeros_like(ever)
    sighting, lines, down = seen.sighting, lines_of(factor, seen), _down(seen.sighting)
    still = ever & ((sighting.troubled | down) & telling(factor, lines, seen)).any(axis=1)
    cut = _is_cut(lines & sighting.known & ~sighting.silent, down)  # of who is silent nothing is measured
    if factor.kind is FactorKind.END or (factor.kind is FactorKind.HEADQUARTERS and _most(still, cut)):
        still |= cut
    beside = ~lines & sighting.known
    if factor in seen.candidates.names:
        # Who suffers elsewhere too has another cause, and of who is silent nothing is measured.
        elsewhere = _all(beside, sighting.troubled) if factor.kind in _PARTS else np.zeros_like(ever)
        silent = sighting.silent.any(axis=1) & (factor.kind is FactorKind.HEADQUARTERS)
        theirs = lines & sighting.known
        if factor.kind not in _AT_HEADQUARTERS:
            theirs &= ~seen.explained
        still |= _fell_ill_later(theirs, still, since_ns, sighting) & ~(elsewhere | silent)
    if factor.kind not in _PARTS:
        return still
    return np.asarray(still & ~_all(beside, down))  # down elsewhere too: its trouble is its own


def known_offices(factor: Factor, seen: Look) -> int:
    """How many offices of a factor anything is known of."""
    return int((lines_of(factor, seen) & seen.sighting.known).any(axis=1).sum())


def lines_of(factor: Factor, seen: Look) -> NDArray[np.bool_]:
    """(S, P): the lines that depend on a factor; all where the configuration names it no more."""
    if factor in seen.candidates.names:
        return np.asarray(seen.candidates.members[seen.candidates.names.index(factor)])
    return np.ones(seen.sighting.troubled.shape, dtype=bool)


def telling(factor: Factor, lines: NDArray[np.bool_], seen: Look) -> NDArray[np.bool_]:
    """(S, P): of a factor's `lines`, (S, P), those that tell whether an office still suffers from it: not those at fault themselves, if it has others."""
    if factor.kind in _PARTS:
        return lines
    own = factor.kind is FactorKind.HEADQUARTERS
    at_fault = seen.at_fault & ~seen.of_headquarters if own else seen.at_fault
    others = np.asarray((lines & seen.sighting.known & ~at_fault).any(axis=1))
    return np.asarray(lines & ~(at_fault & others[:, None]))


def _lines(some: Iterable[Factor], candidates: Factors) -> NDArray[np.bool_]:
    """(S, P): the lines that depend on one of these factors."""
    numbers = [candidates.names.index(factor) for factor in some if factor in candidates.names]
    return np.asarray(candidates.members[numbers].any(axis=0))


def _explained(each: Found | Open, lines: NDArray[np.bool_], sighting: Sighting) -> NDArray[np.bool_]:
    """(S, P): of the `lines`, (S, P), of a fault of headquarters or of an end what fell ill in its time; of who is silent nothing is measured.

    What is down has not the cause of what is lossy.
    """
    ill = lines & sighting.troubled & ~sighting.silent & (sighting.since_ns >= each.since_ns - EARLIER_NS)
    down = _down(sighting)
    suffers = each.sites if isinstance(each, Found) else each.now
    return np.asarray(ill if _most(suffers, _is_cut(lines & sighting.known, down)) else ill & ~down)


def _fell_ill_later(
    lines: NDArray[np.bool_], still: NDArray[np.bool_], since_ns: int, sighting: Sighting
) -> NDArray[np.bool_]:
    """(S,): most of the office's `lines`, (S, P), fell ill in the fault's half hour, or later as most did; of one that cuts off most, they are down."""
    down = _down(sighting)
    began = sighting.troubled & (sighting.since_ns >= since_ns - EARLIER_NS)
    ill = began & ((sighting.since_ns <= since_ns + AGE_NS) | shown_by_most(lines, still, sighting))
    if _most(still, _is_cut(lines, down)):
        ill &= down
    return _is_cut(lines, ill)


def _all(lines: NDArray[np.bool_], ill: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S,): the office has such `lines`, (S, P), and all of them are ill."""
    return np.asarray(lines.any(axis=1) & ~(lines & ~ill).any(axis=1))


def _is_cut(lines: NDArray[np.bool_], down: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S,): most of the office's `lines`, (S, P), are down."""
    return np.asarray((lines & down).sum(axis=1) > _HALF * lines.sum(axis=1))


def _most(still: NDArray[np.bool_], cut: NDArray[np.bool_]) -> bool:
    """Whether it cuts most of those off who suffer: a dead line has not the cause of lossy ones."""
    return bool((still & cut).sum() > _HALF * still.sum())


def _down(sighting: Sighting) -> NDArray[np.bool_]:
    return sighting.silent if sighting.down is None else sighting.down
