"""History replayed strictly causally: at every refit only what had come true and arrived by then is learnt from.

A forecast of the week after a refit is made by the model of that refit; its figures are drawn from what had
arrived by its own time (`seen`). The references are recalibrated at the same refits on the same asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.forecast.facts import joined_facts
from analytics.forecast.features import facts
from analytics.forecast.held import came_true
from analytics.forecast.lots import lots
from analytics.forecast.model import fit_facts
from analytics.forecast.rails import rails
from analytics.forecast.references import CLIMATOLOGY, PERSISTENCE, fit_reference
from analytics.forecast.seen import heard_ns
from analytics.forecast.track import joined_asks
from telemetry.line_slots import NEVER
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray

    from analytics.forecast.facts import Facts
    from analytics.forecast.held import CameTrue
    from analytics.forecast.model import Model
    from analytics.forecast.rails import Rails
    from analytics.forecast.references import Reference
    from analytics.forecast.track import Asks, Track

REFIT_NS: Final = 7 * DAY_NS
LEAST_ASKS: Final = 400
LEAST_FAILED: Final = 20
"""With fewer asks or failures nothing is fitted, neither the model nor a reference."""
MOST_ASKS: Final = 30_000
"""So many hours are learnt from beside the scored asks, drawn by lot, and as large a share of what lines beside the usual ones
were heard in; a fit takes at most about twice as many of all."""
MOST_SCORED: Final = 120_000
"""Of the scored asks so many are learnt from, likewise; and so many have their figures kept, of more they are drawn twice."""


class Doing(NamedTuple):
    """What a replay does at the moment: a name, and its numbers, for whoever has words for it."""

    what: str
    numbers: dict[str, int]


@dataclass(frozen=True, slots=True)
class ReplayBlock:
    """Asks of one track: the M asks that are scored, and H more that are only learnt from.

    `zone` and `weeks`: by whose clock and over how many weeks the guard rails know hours; None: no guard rails.
    `seeds`: (N,) of each line, what the lots of its asks are drawn by (`lots`); None: they are drawn one after the other.
    """

    track: Track
    scored: Asks
    learnt: Asks
    zone: tzinfo | None = None
    weeks: float = 8.0
    seeds: NDArray[np.uint64] | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """Of all blocks together: how many asks are scored, how many more there are to learn from; from when to when it is asked.

    By these numbers the lots go, so they count what is asked in any case. `others`: scored asks of lines that are asked of
    only because they were heard at some time, perhaps the last.
    """

    scored: int
    learnt: int
    first_ns: int
    last_ns: int
    others: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """Of M scored asks, blocks in order; (M,) each.

    Attributes:
        chance: of the model that was in force, within the guard rails (`rails`); NaN where there was no ground or no model.
        model: of the model alone.
        persistence: of recalibrated persistence; NaN before the first refit.
        climatology: of recalibrated climatology; NaN before the first refit.
        held: what came true.
        known: whether it is known.
        heard: the line itself had been measured, and that had arrived by the time of the ask.
        refits: when a model was fitted, and to how many asks.
    """

    chance: NDArray[np.float64]
    model: NDArray[np.float64]
    persistence: NDArray[np.float64]
    climatology: NDArray[np.float64]
    held: NDArray[np.bool_]
    known: NDArray[np.bool_]
    heard: NDArray[np.bool_]
    refits: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Refit:
    """What is in force for a week; `asks` were learnt from."""

    at_ns: int
    asks: int
    model: Model
    persistence: Reference
    climatology: Reference


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is kept of a block when its track has gone.

    Attributes:
        now_ns: (M,) of the scored asks.
        came: what came true of them.
        heard: (M,) whether their lines had been heard.
        rails: their guard rails.
        lesson: figures of what may be learnt from.
        lots: of the lesson's rows, 0 to 1, evenly.
        settled: by refit, rows of the lesson that had come true and arrived by then, and whether they held.
        known: figures of the scored asks, where they are kept.
    """

    now_ns: NDArray[np.int64]
    came: CameTrue
    heard: NDArray[np.bool_]
    rails: Rails | None
    lesson: Facts
    lots: NDArray[np.float64]
    settled: tuple[tuple[NDArray[np.int64], NDArray[np.bool_]], ...]
    known: Facts | None


def replay(
    blocks: Iterable[ReplayBlock],
    prior: Model | None,
    progress: Callable[[Doing], None] = lambda _: None,
    extent: Extent | None = None,
) -> Replay:
    """Make every scored forecast as it would have been made, with weekly refits.

    Args:
        blocks: one for each limit set, or for each limit set of some of the lines; the same model serves all. Gone through
            once to learn and again to score, and no more than one of their tracks is held at a time.
        prior: what a fresh deployment starts with; None: nothing is said before the first refit.
        progress: told what is being done.
        extent: of the blocks; needed where they are not a sequence, which says so itself.
    """
    if extent is None:
        blocks = list(blocks)
        extent = _extent(blocks)
    at_ns = _refit_times(extent)
    lot = np.random.default_rng(1)
    drawn = []
    for each in blocks:
        drawn.append(_draw(each, extent, lot, at_ns))
        done = sum(len(one.now_ns) for one in drawn)
        progress(Doing("drawn", {"done": done, "of": extent.scored + extent.others}))
    refits = _refits(drawn, at_ns, prior, progress)
    said = [_said(one, each, prior, refits) for one, each in _again(drawn, blocks)]
    model, persistence, climatology = (
        np.concatenate([np.empty(0), *(of[index] for of in said)]) for index in range(3)
    )
    within = [
        one.rails.within(of[0]) if one.rails is not None else of[0]
        for one, of in zip(drawn, said, strict=True)
    ]
    return Replay(
        chance=np.concatenate([np.empty(0), *within]),
        model=model,
        persistence=persistence,
        climatology=climatology,
        held=np.concatenate([np.empty(0, dtype=bool), *(one.came.held for one in drawn)]),
        known=np.concatenate([np.empty(0, dtype=bool), *(one.came.known for one in drawn)]),
        heard=np.concatenate([np.empty(0, dtype=bool), *(one.heard for one in drawn)]),
        refits=tuple((each.at_ns, each.asks) for each in refits),
    )


def _extent(blocks: Sequence[ReplayBlock]) -> Extent:
    now_ns = np.concatenate([np.empty(0, dtype=np.int64), *(each.scored.now_ns for each in blocks)])
    learnt = sum(len(each.learnt.line) for each in blocks)
    return Extent(len(now_ns), learnt, int(now_ns.min(initial=2**62)), int(now_ns.max(initial=0)))


def _draw(of: ReplayBlock, extent: Extent, lot: np.random.Generator, at_ns: NDArray[np.int64]) -> _Drawn:
    """All that is needed of a block; some of its hours are learnt from beside the scored asks.

    From the first scored ask on: limits that are asked of for the first time later have taught nothing before.
    """
    known = facts(of.track, of.scored)
    asked_ns = of.scored.now_ns.min(initial=NEVER)
    more, more_lots = _few(of, of.learnt, MOST_ASKS / max(extent.learnt, 1), lot)
    few, few_lots = _few(of, of.scored, MOST_SCORED / max(extent.scored, 1), lot)
    asks = joined_asks([of.scored.rows(few), of.learnt.rows(more)])
    lesson = joined_facts([known.rows(few), facts(of.track, of.learnt.rows(more))])
    return _Drawn(
        now_ns=of.scored.now_ns,
        came=came_true(of.track, of.scored),
        heard=heard_ns(of.track)[of.scored.line] <= of.scored.now_ns,
        rails=rails(of.track, of.scored, of.zone, of.weeks) if of.zone is not None else None,
        lesson=lesson,
        lots=np.concatenate([few_lots, more_lots]),
        settled=tuple(
            _settled(of.track, asks, lesson, int(each)) if asked_ns <= each else _NOTHING for each in at_ns
        ),
        known=known if extent.scored + extent.others <= MOST_SCORED else None,
    )


def _few(
    of: ReplayBlock, asks: Asks, share: float, lot: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Such a share of some asks: their rows; and their lots among themselves, 0 to 1, evenly."""
    drawn = lot.random(len(asks.line)) if of.seeds is None else lots(of.seeds, asks)
    share = min(share, 1.0)
    rows = np.flatnonzero(drawn < share)
    return rows, drawn[rows] / share


_NOTHING: Final = np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)


def _settled(
    track: Track, asks: Asks, lesson: Facts, at_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows of the lesson that had come true by then, as far as had arrived by then, and whether they held."""
    mine = np.flatnonzero((asks.end_ns <= at_ns) & lesson.ground)
    came = came_true(track, asks.rows(mine), as_of_ns=at_ns, works_excuse=False)
    return mine[came.known], came.held[came.known]


def _refits(
    drawn: Sequence[_Drawn], at_ns: NDArray[np.int64], prior: Model | None, progress: Callable[[Doing], None]
) -> list[_Refit]:
    """The model and the references of each week that has a forecast and enough to learn from."""
    refits: list[_Refit] = []
    for index, at in enumerate(at_ns.tolist()):
        week = any(((one.now_ns >= at) & (one.now_ns < at + REFIT_NS)).any() for one in drawn)
        came = np.concatenate([one.settled[index][1] for one in drawn])
        drawn_lots = np.concatenate([one.lots[one.settled[index][0]] for one in drawn])
        few = drawn_lots < 2 * MOST_ASKS / max(len(came), 1)
        if not week or few.sum() < LEAST_ASKS or (~came[few]).sum() < LEAST_FAILED:
            continue
        parts, first = [], 0
        for one in drawn:
            rows = one.settled[index][0]
            parts.append(one.lesson.rows(rows[few[first : first + len(rows)]]))
            first += len(rows)
        lesson, held = joined_facts(parts), came[few]
        refits.append(
            _Refit(
                at_ns=at,
                asks=len(held),
                model=fit_facts(lesson, lesson.ground, held, prior),
                persistence=fit_reference(lesson, held, PERSISTENCE),
                climatology=fit_reference(lesson, held, CLIMATOLOGY),
            )
        )
        progress(Doing("refit", {"times": len(refits), "settled": len(held)}))
    return refits


def _again(
    drawn: Sequence[_Drawn], blocks: Iterable[ReplayBlock]
) -> Iterator[tuple[_Drawn, ReplayBlock | None]]:
    """Each block's leavings once more, with the block itself where its figures were not kept."""
    if all(one.known is not None for one in drawn):
        return ((one, None) for one in drawn)
    return zip(drawn, blocks, strict=True)


def _said(
    of: _Drawn, block: ReplayBlock | None, prior: Model | None, refits: Sequence[_Refit]
) -> NDArray[np.float64]:
    """(3, M): what model, persistence and climatology said."""
    known = of.known if block is None else facts(block.track, block.scored)
    out = np.full((3, len(of.now_ns)), np.nan)
    if known is None:
        return out
    if prior is not None:
        out[0] = prior.of_facts(known).holds
    for each in refits:
        week = np.flatnonzero((of.now_ns >= each.at_ns) & (of.now_ns < each.at_ns + REFIT_NS))
        if not len(week):
            continue
        these = known.rows(week)
        out[0, week] = each.model.of_facts(these).holds
        out[1, week], out[2, week] = each.persistence.of_facts(these), each.climatology.of_facts(these)
    return out


def _refit_times(extent: Extent) -> NDArray[np.int64]:
    """Weekly, from a week after the first forecast on, on whole days."""
    if not extent.scored:
        return np.empty(0, dtype=np.int64)
    first = extent.first_ns // DAY_NS * DAY_NS + REFIT_NS
    return np.arange(first, extent.last_ns + 1, REFIT_NS, dtype=np.int64)
