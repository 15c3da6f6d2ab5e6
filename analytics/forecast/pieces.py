"""Tracks of more lines than are held at once: a piece of consecutive offices is laid out, asked all that is asked, and let go of.

Of all lines only the last day is held, into which the newest windows are written, and the sums behind the usual: that is what
peers are told by, so an answer is the same bits whatever the pieces are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from analytics.forecast.earlier_faults import EarlierFaults, earlier_faults
from analytics.forecast.features import facts
from analytics.forecast.peers import Among, Peers
from analytics.forecast.same_weekday import SpanRecord, span_record
from analytics.forecast.seen import newest_slot
from analytics.forecast.track import Asks, Chances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.forecast.features import Digest
    from analytics.forecast.model import Model
    from analytics.forecast.seen import Past
    from analytics.forecast.track import Track

_IN_THE_TAIL: Final = ("broke", "strain", "measured", "silent_until_ns", "arrived_ns")


class Span(NamedTuple):
    """One question about all lines of some paths: will they hold over `[start, end)` under a limit set?"""

    limit_set: int
    paths: tuple[int, ...]
    span_ns: tuple[int, int]


class Answer(NamedTuple):
    """What is said of a span's asks, what became of the earlier faults of those that are broken now, and what the span did in other weeks."""

    chances: Chances
    before: EarlierFaults
    record: SpanRecord


@dataclass(frozen=True, slots=True)
class Piece:
    """Some consecutive offices, by limit set: their tracks, in memory of its own, and digests."""

    tracks: tuple[Track, ...]
    digests: tuple[Digest, ...]


class Pieces(Protocol):
    """The long past of consecutive offices."""

    def bounds(self) -> Sequence[tuple[int, int]]:
        """(first, last) office of each piece; together they are all."""
        ...

    def lay_out(self, number: int) -> Piece:
        """One piece as the past left it, without the newest windows."""
        ...


@dataclass(frozen=True, slots=True)
class InPieces:
    """What a model is asked of, by limit set.

    Attributes:
        tails: (N, a day) of all lines, into which the newest windows are written.
        sums: of all lines.
        pieces: the rest.
    """

    tails: tuple[Track, ...]
    sums: tuple[Past, ...]
    pieces: Pieces

    def answers(self, model: Model, now_ns: int, paths: int, spans: Sequence[Span]) -> list[Answer]:
        """The answers to all spans, of S offices on the K paths of each, S x K asks in the order site, path."""
        times = np.array([now_ns])
        peers = {
            each: Peers(self.tails[each], self.sums[each], times) for each in {s.limit_set for s in spans}
        }
        parts: list[list[Answer]] = [[] for _ in spans]
        for number, (first, last) in enumerate(self.pieces.bounds()):
            piece = self.pieces.lay_out(number)
            lines = slice(first * paths, last * paths)
            for of, tail in zip(piece.tracks, self.tails, strict=True):
                _lay_over(of, tail, lines)
            for span, said in zip(spans, parts, strict=True):
                among = Among(peers[span.limit_set], first * paths)
                asks = asks_of_span(last - first, paths, now_ns, span)
                track, digest = piece.tracks[span.limit_set], piece.digests[span.limit_set]
                chances = model.of_facts(facts(track, asks, digest, among))
                said.append(Answer(chances, faults_before(track, asks), span_record(track, asks)))
        return [_joined(said) for said in parts]


def asks_of_span(sites: int, paths: int, now_ns: int, span: Span) -> Asks:
    """Asks of the first `sites` offices, which have so many paths each."""
    line = (np.arange(sites)[:, None] * paths + np.asarray(span.paths, dtype=np.int64)).ravel()
    return Asks(
        line=line,
        now_ns=np.full(len(line), now_ns),
        start_ns=np.full(len(line), span.span_ns[0]),
        end_ns=np.full(len(line), span.span_ns[1]),
    )


def faults_before(track: Track, asks: Asks) -> EarlierFaults:
    """The earlier faults of lines that are broken in the slot that ends with each ask's `now_ns`."""
    return earlier_faults(track, asks, newest_slot(track, asks.now_ns))


def _lay_over(track: Track, tail: Track, lines: slice) -> None:
    """Put some lines' last day in the place where it belongs."""
    first = tail.first_slot - track.first_slot
    width = min(tail.broke.shape[1], track.broke.shape[1] - first)
    for name in _IN_THE_TAIL:
        whole: NDArray[np.generic] = getattr(track, name)
        whole[:, first : first + width] = getattr(tail, name)[lines, :width]


def _joined(parts: Sequence[Answer]) -> Answer:
    said, before, record = zip(*parts, strict=True)
    return Answer(
        Chances(
            np.concatenate([part.holds for part in said]),
            np.concatenate([part.terms for part in said]),
            said[0].names,
        ),
        EarlierFaults(*(np.concatenate(each) for each in zip(*before, strict=True))),
        SpanRecord(*(np.concatenate(each) for each in zip(*record, strict=True))),
    )
