"""What is usual: how well the band holds, when a moved level is adopted, how often noise looks like one, and its CPU time.

Made-up lines of 56 days with normal noise: what is asked is the rule, not how noisy real lines are.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.baseline import usual
from analytics.history import empty_history
from analytics.levels import hours_of_level
from analytics.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analytics.history import History

RTT: Final = "rtt_p95_ms"
DAYS: Final = 56
MOVED_DAY: Final = 30
WANDERS: Final = (0.05, 0.1, 0.2, 0.4)


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Shares are of lines, or of hours for `not_adopted_share_*`; times in CPU ms and days."""
    rng = np.random.default_rng(1)
    progress("the band, on 3,000 lines")
    history = _history(rng, 3000, 1)
    figures: dict[str, object] = {
        f"in_band_share_{weeks}_weeks": _in_band(rng, history, weeks) for weeks in (4, 8)
    }
    progress("days that wander, 5,000 lines each")
    for wander in WANDERS:
        days = np.repeat(40.0 * np.exp(rng.normal(0.0, wander, (5000, DAYS))), 24, axis=-1)
        figures[f"false_move_share_{wander}"] = float((hours_of_level(days, RTT) < DAYS * 24).mean())
    progress("steps, 400 lines each, asked every five hours")
    figures |= _adoption(rng, "clear", 20.0, 2.0, 0.0)
    figures |= _adoption(rng, "clear_then_outage", 20.0, 2.0, 0.0, outage=True)
    figures |= _adoption(rng, "noisy", 15.0, 6.0, 0.06)
    small = _history(rng, 92, 2)
    figures["usual_cpu_ms"] = statistics.median(_cpu_ms(small) for _ in range(5))
    return figures


def _history(rng: np.random.Generator, sites: int, paths: int) -> History:
    lines = Lines(tuple(map(str, range(sites))), tuple(map(str, range(paths))))
    history = empty_history(lines, 1, 168 * 2900, DAYS * 24)
    history.figures[RTT][...] = 40.0 + rng.normal(0.0, 2.0, history.measured.shape)
    return history


def _in_band(rng: np.random.Generator, history: History, weeks: int) -> float:
    found = usual(history, RTT, history.first_hour + 168 * weeks)
    fresh = 40.0 + rng.normal(0.0, 2.0, found.value.shape)
    return float(((fresh >= found.low) & (fresh <= found.high)).mean())


def _adoption(  # noqa: PLR0913 - a step and what blurs it
    rng: np.random.Generator, name: str, step: float, noise: float, wander: float, *, outage: bool = False
) -> dict[str, object]:
    """When a step by `step` ms is first adopted, and in which share of the hours from its seventh day on it is not."""
    hour, moved = np.arange(DAYS * 24), MOVED_DAY * 24 + rng.integers(0, 24, 400)
    since_move = hour - moved[:, None]
    figures = 40.0 + rng.normal(0.0, noise, since_move.shape) + np.where(since_move >= 0, step, 0.0)
    figures *= np.repeat(np.exp(rng.normal(0.0, wander, (len(moved), DAYS))), 24, axis=-1)
    if outage:
        figures[(since_move >= 9 * 24) & (since_move < 12 * 24)] = 900.0
    first, missed, asked = np.full(len(moved), np.inf), 0, 0
    for end in range((MOVED_DAY + 5) * 24, (MOVED_DAY + 24) * 24, 5):
        age = end - moved
        adopted: NDArray[np.bool_] = np.abs(age - hours_of_level(figures[:, :end], RTT)) <= 30
        first = np.where(adopted, np.minimum(first, age), first)
        late = age >= 7 * 24
        missed, asked = missed + int((late & ~adopted).sum()), asked + int(late.sum())
    low, middle, high = np.percentile(first / 24.0, (0, 50, 100))
    return {
        f"adopted_after_days_{name}": f"{low:.1f} to {high:.1f}, median {middle:.1f}",
        f"not_adopted_share_{name}": missed / asked,
    }


def _cpu_ms(history: History) -> float:
    begin = time.process_time()
    usual(history, RTT, history.end_hour)
    return 1e3 * (time.process_time() - begin)
