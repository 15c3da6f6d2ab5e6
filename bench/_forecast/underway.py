"""Meetings that have begun: is what the verdict says of their rest right? By the shipped model, on the lab's drawn past.

Two ways beside each other: the chance of the whole meeting, as it was said until decision 207, and that of the rest
(`analytics.underway`). What came true is the rule of an outcome over the rest alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.forecast import scoring
from analytics.forecast.features import facts
from analytics.forecast.held import came_true
from analytics.forecast.rails import rails
from analytics.forecast.track import Asks
from analytics.underway import THINS
from bench._shipped_model import shipped_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench._forecast.lab_world import World

GONE: Final = (0.25, 0.5, 0.75)
"""So much of each meeting is over; then the slot that has just begun."""


def figures(world: World, scored: NDArray[np.int64], rail_weeks: float) -> dict[str, float]:
    """By share that is over: the Brier score of both ways, the mean chance of the rest, and how often it held."""
    pairs, zone, slot_ns = world.pairs.rows(scored), ZoneInfo(world.plan.timezone), world.track.slot_ns
    out: dict[str, float] = {}
    for gone in GONE:
        length_ns = pairs.end_ns - pairs.start_ns
        gone_ns = np.floor(gone * length_ns / slot_ns).astype(np.int64) * slot_ns
        now_ns = pairs.start_ns + gone_ns
        rest = Asks(pairs.line, now_ns, now_ns, pairs.end_ns)
        whole = Asks(pairs.line, now_ns, pairs.start_ns, pairs.end_ns)
        came = came_true(world.track, rest)
        said = _within(world, rest, zone, rail_weeks, (1.0 - gone_ns / length_ns) ** THINS)
        before = _within(world, whole, zone, rail_weeks, np.ones(len(now_ns)))
        known, held = came.known, came.held[came.known]
        name = f"underway_{round(100 * gone)}pct"
        out |= {
            f"{name}_brier_of_whole": scoring.brier(before[known], held),
            f"{name}_brier_of_rest": scoring.brier(said[known], held),
            f"{name}_mean_chance": float(said[known].mean()),
            f"{name}_held": float(held.mean()),
        }
    return out


def _within(
    world: World, asks: Asks, zone: ZoneInfo, rail_weeks: float, room: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The shipped model's chances for the room that is left, within the guard rails."""
    model = shipped_model().of_facts(facts(world.track, asks)).holds
    return rails(world.track, asks, zone, rail_weeks).within(model**room)
