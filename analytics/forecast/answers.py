"""The questions of a look and the answers to them: all that is asked of a track is asked at once, so each line is looked at once."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analytics.forecast.earlier_faults import EarlierFaults, earlier_faults
from analytics.forecast.features import facts
from analytics.forecast.same_weekday import SpanRecord, span_record
from analytics.forecast.seen import newest_slot
from analytics.forecast.track import Asks, Chances, joined_asks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analytics.forecast.features import Digest
    from analytics.forecast.model import Model
    from analytics.forecast.peers import Among
    from analytics.forecast.track import Track


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


class Asked(NamedTuple):
    """Who is asked, and what is known of them: as in `features.facts`."""

    track: Track
    digest: Digest
    among: Among | None = None


def answers(model: Model, asked: Asked, spans: Sequence[Asks]) -> list[Answer]:
    """The answers to the asks of some spans, as if each span were asked alone."""
    track, every = asked.track, joined_asks(spans)
    # What is asked of one line stands together, so that however many asks are laid out at a time it is looked at once.
    by_line = np.argsort(every.line, kind="stable")
    where = np.empty_like(by_line)
    where[by_line] = np.arange(len(by_line))
    every = every.rows(by_line)
    chances = model.of_facts(facts(track, every, asked.digest, asked.among))
    before = earlier_faults(track, every, newest_slot(track, every.now_ns))
    record = span_record(track, every)
    return [
        Answer(
            Chances(chances.holds[rows], chances.terms[rows], chances.names),
            EarlierFaults(*(each[rows] for each in before)),
            SpanRecord(*(each[rows] for each in record)),
        )
        for rows in _of_each(spans, where)
    ]


def asks_of_span(sites: int, paths: int, now_ns: int, span: Span) -> Asks:
    """Asks of the first `sites` offices, which have so many paths each."""
    line = (np.arange(sites)[:, None] * paths + np.asarray(span.paths, dtype=np.int64)).ravel()
    return Asks(
        line=line,
        now_ns=np.full(len(line), now_ns),
        start_ns=np.full(len(line), span.span_ns[0]),
        end_ns=np.full(len(line), span.span_ns[1]),
    )


def by_limit_set(spans: Sequence[Span]) -> dict[int, list[int]]:
    """The numbers of the spans that are asked under each limit set."""
    return {
        each: [number for number, span in enumerate(spans) if span.limit_set == each]
        for each in sorted({span.limit_set for span in spans})
    }


def _of_each(spans: Sequence[Asks], where: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    ends = np.cumsum([0, *(len(span.line) for span in spans)])
    return (where[first:last] for first, last in pairwise(ends))
