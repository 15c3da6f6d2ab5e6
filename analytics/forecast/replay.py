"""History replayed strictly causally: at every refit only what had come true and arrived by then is learnt from.

A forecast of the week after a refit is made by the model of that refit; its figures are drawn from what had
arrived by its own time (`seen`). The references are recalibrated at the same refits on the same asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.features import Facts, facts
from analytics.forecast.held import came_true
from analytics.forecast.model import fit_facts
from analytics.forecast.references import CLIMATOLOGY, PERSISTENCE, fit_reference
from analytics.forecast.track import Asks
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analytics.forecast.model import Model
    from analytics.forecast.track import Track

REFIT_NS: Final = 7 * DAY_NS
LEAST_ASKS: Final = 400
LEAST_FAILED: Final = 20
"""With fewer asks or failures nothing is fitted, neither the model nor a reference."""
MOST_ASKS: Final = 30_000
"""So many hours are learnt from beside the scored asks, drawn by lot; a fit takes at most about twice as many of both."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Asks of one track: the M asks that are scored, and H more that are only learnt from."""

    track: Track
    scored: Asks
    learnt: Asks


@dataclass(frozen=True, slots=True)
class Replay:
    """Of M scored asks, grounds in order; (M,) each.

    Attributes:
        chance: of the model that was in force; NaN where there was no ground or no model.
        persistence: of recalibrated persistence; NaN before the first refit.
        climatology: of recalibrated climatology; NaN before the first refit.
        held: what came true.
        known: whether it is known.
        refits: when a model was fitted, and to how many asks.
    """

    chance: NDArray[np.float64]
    persistence: NDArray[np.float64]
    climatology: NDArray[np.float64]
    held: NDArray[np.bool_]
    known: NDArray[np.bool_]
    refits: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Lesson:
    """Everything that may be learnt from: figures, and the times around which it is cut."""

    known: Facts
    ground: NDArray[np.int64]
    asks: Asks


def replay(
    grounds: Sequence[Ground], prior: Model | None, progress: Callable[[str], None] = lambda _: None
) -> Replay:
    """Make every scored forecast as it would have been made, with weekly refits.

    Args:
        grounds: one for each limit set; the same model serves all.
        prior: what a fresh deployment starts with; None: nothing is said before the first refit.
        progress: told what is being done.
    """
    scored = [facts(each.track, each.scored) for each in grounds]
    progress("figures of the forecasts drawn")
    everything = _lesson(grounds, scored)
    progress("figures of what is learnt from drawn")
    outcome = [came_true(each.track, each.scored) for each in grounds]
    held = np.concatenate([each.held for each in outcome])
    known = np.concatenate([each.known for each in outcome])
    now_ns = np.concatenate([each.scored.now_ns for each in grounds])
    figures = joined_facts(scored)
    chance, persistence, climatology = np.full((3, len(now_ns)), np.nan)
    if prior is not None and len(now_ns):
        chance = prior.of_facts(figures).holds
    refits: list[tuple[int, int]] = []
    for at_ns in _refit_times(now_ns):
        week = (now_ns >= at_ns) & (now_ns < at_ns + REFIT_NS)
        rows, came = _settled(grounds, everything, at_ns)
        if not week.any() or len(rows) < LEAST_ASKS or (~came).sum() < LEAST_FAILED:
            continue
        lesson = only_facts(everything.known, rows)
        model = fit_facts(lesson, lesson.ground, came, prior)
        these = only_facts(figures, np.flatnonzero(week))
        chance[week] = model.of_facts(these).holds
        persistence[week] = fit_reference(lesson, came, PERSISTENCE).of_facts(these)
        climatology[week] = fit_reference(lesson, came, CLIMATOLOGY).of_facts(these)
        refits.append((int(at_ns), len(rows)))
        progress(f"refit {len(refits)} on {len(rows)} settled forecasts")
    return Replay(chance, persistence, climatology, held, known, tuple(refits))


def only_facts(known: Facts, rows: NDArray[np.int64]) -> Facts:
    """Some of the asks."""
    return Facts(known.names, known.figures[rows], known.ground[rows], known.lead_ns[rows])


def joined_facts(parts: Sequence[Facts]) -> Facts:
    """The asks of several tracks as one."""
    some = [part for part in parts if len(part.ground)] or list(parts[:1])
    return Facts(
        some[0].names,
        np.concatenate([part.figures for part in some]),
        np.concatenate([part.ground for part in some]),
        np.concatenate([part.lead_ns for part in some]),
    )


def joined_asks(parts: Sequence[Asks]) -> Asks:
    """Asks one after the other."""
    return Asks(*(np.concatenate([getattr(part, name) for part in parts]) for name in Asks.__slots__))


def _refit_times(now_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Weekly, from a week after the first forecast on, on whole days."""
    if not len(now_ns):
        return np.empty(0, dtype=np.int64)
    first = int(now_ns.min()) // DAY_NS * DAY_NS + REFIT_NS
    return np.arange(first, int(now_ns.max()) + 1, REFIT_NS, dtype=np.int64)


def _lesson(grounds: Sequence[Ground], scored: Sequence[Facts]) -> _Lesson:
    """The scored asks, and those that are only learnt from, of which at most `MOST_ASKS` are drawn."""
    share = MOST_ASKS / max(sum(len(each.learnt.line) for each in grounds), 1)
    lot = np.random.default_rng(1)
    parts, of, asks = [], [], []
    for number, (each, known) in enumerate(zip(grounds, scored, strict=True)):
        more = only_asks(each.learnt, np.flatnonzero(lot.random(len(each.learnt.line)) < share))
        parts += [known, facts(each.track, more)]
        asks += [each.scored, more]
        of.append(np.full(len(each.scored.line) + len(more.line), number))
    return _Lesson(joined_facts(parts), np.concatenate(of), joined_asks(asks))


def only_asks(asks: Asks, rows: NDArray[np.int64]) -> Asks:
    """Some of the asks."""
    return Asks(*(getattr(asks, name)[rows] for name in Asks.__slots__))


def _settled(
    grounds: Sequence[Ground], everything: _Lesson, at_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows of the lesson that had come true by then, as far as had arrived by then, and whether they held."""
    rows, held = [], []
    for number, each in enumerate(grounds):
        mine = np.flatnonzero(
            (everything.ground == number) & (everything.asks.end_ns <= at_ns) & everything.known.ground
        )
        came = came_true(each.track, only_asks(everything.asks, mine), as_of_ns=at_ns)
        rows.append(mine[came.known])
        held.append(came.held[came.known])
    settled, came_held = np.concatenate(rows), np.concatenate(held)
    few = np.random.default_rng(1).random(len(settled)) < 2 * MOST_ASKS / max(len(settled), 1)
    return settled[few], came_held[few]
