"""What is learned from traces beside their own asks: the same lines judged by other limits, with a shorter past, with gaps, and failing throughout.

One limit and one length of past say little about how a line's failures follow each other: judged at 7 ms or 40 ms over its
floor a trace is a more or a less troubled line with habits of its own, and without its first days it is a line of which
less is known. Decision 158 says what either is worth, decision 193 what gaps are, decision 198 what lines that always fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.facts import joined_facts
from analytics.forecast.features import facts
from bench._forecast.gaps import after_gap, with_gaps
from bench._forecast.steady import steady
from bench._forecast.trace_ground import OVER_MS, ground
from telemetry.traces import Trace
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from analytics.forecast.facts import Facts
    from bench._forecast.trace_ground import Ground

LIMITS_MS: Final = (7.0, 10.0, 12.0, 18.0, 22.0, 30.0, 40.0)
LIMIT_WEIGHT: Final = 0.3
"""Of all asks at one other limit together, against the trace's own."""
WITHOUT_DAYS: Final = (3, 7, 12)
SHORTENED_WEIGHT: Final = 0.5
GAPS_WEIGHT: Final = 0.5
"""Of one ask after a gap. The other asks of a trace with gaps say what the trace itself has said, and are not taken."""
SHARE: Final = 0.5
"""So many of the asks are taken, by lot, and each weighs so much more: neighbouring hours say nearly the same."""
GAPS_LOT: Final = 1
"""Where the gaps of a trace lie is drawn by it and the trace's number, apart from the other lots."""
STEADY_WEIGHT: Final = 0.02
"""Of all asks of one line that fails throughout together, against the trace's own."""
STEADY_SHARE: Final = 0.05
"""So many of its asks are taken: they all say the same."""
STEADY_LOT: Final = 2
LEAST_DAYS: Final = 4
"""Of a shorter rest nothing is learned."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """More asks of several traces to learn from, and how much each counts; `trace` is the trace's number; (M,) each."""

    known: Facts
    held: NDArray[np.bool_]
    trace: NDArray[np.int64]
    weight: NDArray[np.float64]

    def some(self, rows: NDArray[np.bool_]) -> Lessons:
        """The lessons of `rows`."""
        return Lessons(self.known.rows(rows), self.held[rows], self.trace[rows], self.weight[rows])


def lessons(traces: Sequence[Trace], progress: Callable[[str], None]) -> Lessons:
    """The lessons of all traces."""
    lot = np.random.default_rng(1)
    parts, held, of, weight = [], [], [], []
    for number, trace in enumerate(traces):
        progress(
            f"{trace.name}: other limits, shorter pasts, gaps and failing throughout, {number + 1} of {len(traces)}"
        )
        gaps_lot, steady_lot = (np.random.default_rng((each, number)) for each in (GAPS_LOT, STEADY_LOT))
        for one, rows, weighs in chain(_taken(trace, lot, gaps_lot), _throughout(trace, steady_lot)):
            if len(rows):
                parts.append(facts(one.track, one.asks.rows(rows)))
                held.append(one.held[rows])
                of.append(np.full(len(rows), number, dtype=np.int64))
                weight.append(np.full(len(rows), weighs))
    return Lessons(joined_facts(parts), np.concatenate(held), np.concatenate(of), np.concatenate(weight))


def _taken(
    trace: Trace, lot: np.random.Generator, gaps_lot: np.random.Generator
) -> Iterator[tuple[Ground, NDArray[np.int64], float]]:
    """Grounds of a trace, the asks of each that teach, taken by lot, and what one of them weighs."""
    for part, over_ms, weighs in _variants(trace):
        one = ground(part, over_ms)
        yield one, np.flatnonzero(lot.random(len(one.held)) < SHARE), weighs / SHARE
    one = ground(with_gaps(trace, gaps_lot))
    some = gaps_lot.random(len(one.held)) < SHARE
    yield one, np.flatnonzero(some & after_gap(one.track, one.asks)), GAPS_WEIGHT / SHARE


def _throughout(trace: Trace, lot: np.random.Generator) -> Iterator[tuple[Ground, NDArray[np.int64], float]]:
    """The same of the trace as a line that fails throughout."""
    for part in steady(trace, lot):
        one = ground(part)
        yield one, np.flatnonzero(lot.random(len(one.held)) < STEADY_SHARE), STEADY_WEIGHT / STEADY_SHARE


def _variants(trace: Trace) -> Iterator[tuple[Trace, float, float]]:
    """Traces with the limit over their floor, ms, and the weight of one of their asks."""
    for over_ms in LIMITS_MS:
        yield trace, over_ms, LIMIT_WEIGHT
    for days in WITHOUT_DAYS:
        first = int(np.searchsorted(trace.time_ns, trace.time_ns[0] + days * DAY_NS))
        rest = Trace(trace.name, trace.time_ns[first:], trace.rtt_ms[first:], trace.changes[first:])
        if len(rest.time_ns) and rest.time_ns[-1] - rest.time_ns[0] >= LEAST_DAYS * DAY_NS:
            yield rest, OVER_MS, SHORTENED_WEIGHT
