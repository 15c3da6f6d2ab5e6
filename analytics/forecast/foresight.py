"""The fitted model at work: the tracks as of now, the model in force, and the chances of all lines for any span."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from analytics.forecast.track import Asks

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from analytics.forecast.features import Digest
    from analytics.forecast.model import Model
    from analytics.forecast.track import Track

EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the model says of the lines (S, K) of a meeting.

    Attributes:
        holds: (S, K) probability that the line holds; NaN without ground.
        costs: (S, K, terms) probability that each term takes away: what the chance would be more without it. Negative
            where the term speaks for the line.
        names: the terms.
    """

    holds: NDArray[np.float64]
    costs: NDArray[np.float64]
    names: tuple[str, ...]

    def cost(self, *names: str) -> NDArray[np.float64]:
        """(S, K): what some terms take away together; 0 for terms that this model does not have."""
        which = [self.names.index(name) for name in names if name in self.names]
        return np.asarray(np.maximum(self.costs[..., which].sum(axis=-1), 0.0))


@dataclass(frozen=True, slots=True)
class Foresight:
    """The model in force and what it is asked of; it is asked once of each span, for as long as the tracks stay as they are.

    Attributes:
        model: the fitted model.
        name: what verdicts call it.
        tracks: by limit set, lines in the order site, path.
        digests: `features.digest` of each track.
        now_ns: as of when it is asked: the end of the slot that runs, whose cells hold the newest windows.
    """

    model: Model
    name: str
    tracks: tuple[Track, ...]
    digests: tuple[Digest, ...]
    now_ns: int
    _said: dict[Hashable, Foreseen] = field(default_factory=dict, repr=False, compare=False)

    def of_span(
        self, limit_set: int, shape: tuple[int, int], paths: NDArray[np.int64], span_ns: tuple[int, int]
    ) -> Foreseen:
        """The chances of S sites on K paths over `[start, end)`; `shape` is (S, P) of the tracks' lines."""
        key = limit_set, shape, tuple(paths.tolist()), span_ns
        if key not in self._said:
            self._said[key] = self._ask(limit_set, shape, paths, span_ns)
        return self._said[key]

    def _ask(
        self, limit_set: int, shape: tuple[int, int], paths: NDArray[np.int64], span_ns: tuple[int, int]
    ) -> Foreseen:
        sites, all_paths = shape
        line = (np.arange(sites)[:, None] * all_paths + paths).ravel()
        asks = Asks(
            line=line,
            now_ns=np.full(len(line), self.now_ns),
            start_ns=np.full(len(line), span_ns[0]),
            end_ns=np.full(len(line), span_ns[1]),
        )
        said = self.model.chances(self.tracks[limit_set], asks, self.digests[limit_set])
        cells = (sites, len(paths))
        odds = logit(np.clip(1.0 - said.holds, EDGE, 1.0 - EDGE))
        costs = expit(odds)[:, None] - expit(odds[:, None] - said.terms)
        return Foreseen(said.holds.reshape(cells), costs.reshape(*cells, -1), said.names)
