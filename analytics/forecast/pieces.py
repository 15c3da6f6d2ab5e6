"""Tracks of more lines than are held at once: a piece of consecutive offices is laid out, asked all that is asked, and let go of.

Of all lines only the last day is held, into which the newest windows are written, and the sums behind the usual: that is what
peers are told by, so an answer is the same bits whatever the pieces are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from analytics.forecast.answers import Answer, Asked, answers, asks_of_span, by_limit_set
from analytics.forecast.earlier_faults import EarlierFaults
from analytics.forecast.peers import Among, Peers
from analytics.forecast.same_weekday import SpanRecord
from analytics.forecast.track import Chances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.forecast.answers import Span
    from analytics.forecast.features import Digest
    from analytics.forecast.model import Model
    from analytics.forecast.seen import Past
    from analytics.forecast.track import Track

_IN_THE_TAIL: Final = ("broke", "strain", "measured", "silent_until_ns", "arrived_ns")


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
        times, under = np.array([now_ns]), by_limit_set(spans)
        peers = {each: Peers(self.tails[each], self.sums[each], times) for each in under}
        parts: list[list[Answer]] = [[] for _ in spans]
        for number, (first, last) in enumerate(self.pieces.bounds()):
            piece = self.pieces.lay_out(number)
            lines = slice(first * paths, last * paths)
            for of, tail in zip(piece.tracks, self.tails, strict=True):
                _lay_over(of, tail, lines)
            for each, numbers in under.items():
                asked = Asked(piece.tracks[each], piece.digests[each], Among(peers[each], first * paths))
                asks = [asks_of_span(last - first, paths, now_ns, spans[at]) for at in numbers]
                for at, said in zip(numbers, answers(model, asked, asks), strict=True):
                    parts[at].append(said)
        return [_joined(said) for said in parts]


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
