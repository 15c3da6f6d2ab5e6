"""Something that we know nothing of hit some offices at one moment: the power, a core router, the way by which reports come in.

That several fell ill within seconds speaks for one cause, not for which. This is what it says when no factor has to explain who suffers.

Among measured offices this story is only a rival explanation; it is never told itself, for their flags say all of it. Many
that fall silent are told of, when no factor explains them: what all of them have in common is how they are heard. It must explain them
better than offices that fail each for itself, and better than a rush: some hour at which many are switched off, within minutes of each
other, two or twenty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.onsets import AGE_NS, EARLIER_NS, TOGETHER_NS, coincidence, onsets
from analytics.shared.story import see, suffers, told
from analytics.shared.weigh import parts_of_offices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from analytics.shared.sighting import Sighting

SHARE: Final = (1.0, 9.0)
"""Of all offices it hits few."""
LOG_PRIOR: Final = -8.5
"""It comes more rarely than what we know of."""
LOG_PRIOR_RUSH: Final = -3.2
"""Two half-hours of a day."""
RUSHES_NS: Final = tuple(EARLIER_NS * times for times in (1, 2, 4, 8))
"""How wide a rush is nobody knows: from what counts as one beginning (`EARLIER_NS`), twice as wide each time, up to the half hour that is looked at."""
_NOTHING: Final = -np.inf


@dataclass(frozen=True, slots=True)
class FellSilent:
    """Offices that fell silent at one moment: `hit` (S,) of `members`."""

    log_odds: float
    onset_ns: int
    hit: NDArray[np.bool_]
    members: int


@dataclass(frozen=True, slots=True)
class AtOnce:
    """How much better than independent faults something unknown explains what is seen of `lines` (S, P)."""

    log_odds: float
    lines: NDArray[np.bool_]


def at_once(candidates: Factors, sighting: Sighting) -> AtOnce:
    """The best story of something unknown that hit some offices at one moment.

    It may hit all their lines, or those to one end or of one uplink: that all suffer there does not say that it is
    the cause.
    """
    everything = np.asarray(candidates.members.any(axis=0))[None]
    lines = np.concatenate([everything, candidates.members[parts_of_offices(candidates)]])
    part = np.ones(len(lines), dtype=bool)
    seen = see(lines, sighting.troubled, sighting.known, sighting.since_ns, part, sighting.explained_ns)
    best = AtOnce(_NOTHING, np.zeros_like(sighting.known))
    for onset_ns in onsets(sighting):
        story = told(seen, onset_ns)
        said = np.where(story.hit.sum(axis=1) > 1, story.log_odds(SHARE), _NOTHING) + LOG_PRIOR
        number = int(said.argmax())
        if said[number] > best.log_odds:
            since = sighting.since_ns >= onset_ns - EARLIER_NS
            best = AtOnce(float(said[number]), lines[number] & story.hit[number][:, None] & since)
    return best


def silenced_at_once(candidates: Factors, sighting: Sighting) -> FellSilent:
    """The best story of offices that fell silent at one moment."""
    silence = sighting.of_silence()
    everything = np.asarray(candidates.members.any(axis=0))[None]
    seen = see(everything, silence.troubled, silence.known, silence.since_ns, np.zeros(1, dtype=bool))
    best = FellSilent(_NOTHING, 0, np.zeros(len(silence.known), dtype=bool), 0)
    moments = onsets(silence)
    lately = suffers(seen.inside) & (seen.since_ns >= silence.since_ns.max(initial=0) - AGE_NS)

    def begun(within_ns: int) -> NDArray[np.float64]:
        """Of each moment."""
        return coincidence(lately, seen.since_ns, moments[:, None], within_ns)

    rushes = [begun(within_ns).max(initial=0.0) for within_ns in RUSHES_NS]
    rush = float(np.logaddexp.reduce(rushes)) - math.log(len(rushes)) + LOG_PRIOR_RUSH
    for onset_ns, together in zip(moments, begun(TOGETHER_NS), strict=True):
        story = told(seen, onset_ns)
        alone = float(story.log_odds(SHARE)[0]) + LOG_PRIOR
        log_odds = min(alone, float(together) + LOG_PRIOR - rush)
        if story.hit.sum() > 1 and log_odds > best.log_odds:
            best = FellSilent(log_odds, int(onset_ns), story.hit[0], int(story.n[0]))
    return best
