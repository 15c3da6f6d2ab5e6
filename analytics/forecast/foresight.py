"""The fitted model at work: the tracks as of now, the model in force, and the chances of all lines for any span."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit, logit

from analytics.forecast.answers import Asked, Span, answers, asks_of_span, by_limit_set
from analytics.forecast.earlier_faults import EarlierFaults
from analytics.forecast.peers import Peers
from analytics.forecast.same_weekday import SpanRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.forecast.answers import Answer
    from analytics.forecast.features import Digest
    from analytics.forecast.model import Model
    from analytics.forecast.pieces import InPieces
    from analytics.forecast.track import Track

EDGE: Final = 1e-6
"""A chance is taken for no surer than this before its terms are told apart: they are differences of log-odds."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the model says of the lines (S, K) of a meeting.

    Attributes:
        holds: (S, K) probability that the line holds; NaN without ground.
        costs: (S, K, terms) probability that each term takes away: what the chance would be more without it. Negative
            where the term speaks for the line.
        names: the terms.
        before: (S, K) each: what became of the earlier faults of lines that are broken now.
        record: (S, K) each: what the asked span did on the same weekday of the weeks before.
    """

    holds: NDArray[np.float64]
    costs: NDArray[np.float64]
    names: tuple[str, ...]
    before: EarlierFaults
    record: SpanRecord

    def cost(self, *names: str) -> NDArray[np.float64]:
        """(S, K): what some terms take away together; 0 for terms that this model does not have."""
        which = [self.names.index(name) for name in names if name in self.names]
        return np.asarray(np.maximum(self.costs[..., which].sum(axis=-1), 0.0))

    def over(self, room: float) -> Foreseen:
        """The same for what is left of a meeting (`analytics.underway.room_left`); the same object for the whole."""
        if room >= 1.0:
            return self
        without = np.clip(self.holds[..., None] + self.costs, 0.0, 1.0) ** room
        holds = np.where(np.isnan(self.holds), np.nan, self.holds**room)
        return replace(self, holds=holds, costs=without - holds[..., None])


@dataclass(frozen=True, slots=True)
class Foresight:
    """The model in force and what it is asked of; it is asked once of each span, for as long as the tracks stay as they are.

    Attributes:
        model: the fitted model.
        name: what verdicts call it.
        tracks: by limit set, lines in the order site, path; of a fleet in pieces their last day, what is announced beyond it.
        digests: `features.digest` of each track; of a fleet in pieces none.
        now_ns: as of when it is asked: the end of the slot that runs, whose cells hold the newest windows.
    """

    model: Model
    name: str
    tracks: tuple[Track, ...]
    digests: tuple[Digest, ...]
    now_ns: int
    in_pieces: InPieces | None = None
    """A fleet that is too large to be held whole."""
    just_back: NDArray[np.bool_] | None = None
    """(L, S, P) lines that have only just come back (`returned`); None: of none that is known."""
    _said: dict[Span, Foreseen] = field(default_factory=dict, repr=False, compare=False)
    _peers: dict[int, Peers] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of_span(
        self, limit_set: int, shape: tuple[int, int], paths: NDArray[np.int64], span_ns: tuple[int, int]
    ) -> Foreseen:
        """The chances of S sites on K paths over `[start, end)`; `shape` is (S, P) of the tracks' lines."""
        span = Span(limit_set, tuple(paths.tolist()), span_ns)
        if span not in self._said:
            self.foresee(shape, [span])
        return self._said[span]

    def peers(self, limit_set: int) -> Peers:
        """What the lines tell of each other as of now, under a limit set: what the model's term `peers` is drawn from."""
        if limit_set not in self._peers:
            sums = self.digests[limit_set].past if self.in_pieces is None else self.in_pieces.sums[limit_set]
            self._peers[limit_set] = Peers(self.tracks[limit_set], sums, np.array([self.now_ns]))
        return self._peers[limit_set]

    def foresee(self, shape: tuple[int, int], spans: Iterable[Span]) -> None:
        """Have the answers to spans that will be asked for: each line, or piece of the fleet, is looked at once for all of them."""
        new = [span for span in dict.fromkeys(spans) if span not in self._said]
        if not new:
            return
        for span, said in zip(new, self._answers(shape, new), strict=True):
            self._said[span] = _foreseen(said, (shape[0], len(span.paths)))

    def _answers(self, shape: tuple[int, int], spans: list[Span]) -> list[Answer]:
        if self.in_pieces is not None:
            return self.in_pieces.answers(self.model, self.now_ns, shape[1], spans)
        said: dict[int, Answer] = {}
        for each, numbers in by_limit_set(spans).items():
            asks = [asks_of_span(*shape, self.now_ns, spans[number]) for number in numbers]
            asked = Asked(self.tracks[each], self.digests[each])
            said |= dict(zip(numbers, answers(self.model, asked, asks), strict=True))
        return [said[number] for number in range(len(spans))]


def _foreseen(answer: Answer, cells: tuple[int, int]) -> Foreseen:
    said = answer.chances
    odds = logit(np.clip(1.0 - said.holds, EDGE, 1.0 - EDGE))
    costs = expit(odds)[:, None] - expit(odds[:, None] - said.terms)
    before = EarlierFaults(*(each.reshape(cells) for each in answer.before))
    record = SpanRecord(*(each.reshape(cells) for each in answer.record))
    return Foreseen(said.holds.reshape(cells), costs.reshape(*cells, -1), said.names, before, record)
