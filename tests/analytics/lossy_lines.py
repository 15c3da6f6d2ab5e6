"""Windows of lines whose packets the lab's own line let through or lost, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lab.line.direction import Direction, Fate
from lab.line.impairment import CLEAR
from telemetry.metrics.loss_pattern import loss_runs
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.recent import Recent
    from lab.line.impairment import Impairment
    from tests.analytics.conftest import Bench

LATE_NS = 3 * SECOND_NS
PROBE_BYTES = 172


def lossy_line(
    made: Bench,
    windows: int,
    state: Impairment = CLEAR,
    *,
    outages_s: Sequence[tuple[float, float]] = (),
    pps: int = 10,
    lossy_s: tuple[float, float] = (0.0, 1e9),
    seed: str = "line",
) -> Recent:
    """One line, two paths alike, measured for so many windows up to now, as a stateful reflector's sessions report it.

    Args:
        made: makes the windows.
        windows: how many.
        state: what the uplink does between the seconds of `lossy_s`.
        outages_s: (from, for) in seconds from the first window on: nothing passes.
        pps: packets a second.
        lossy_s: see `state`.
        seed: of the line.
    """
    line, gap_ns = Direction(seed), SECOND_NS // pps
    count = windows * WINDOW_NS // gap_ns
    lost = np.zeros(count, dtype=bool)
    for packet in range(count):
        at_ns = packet * gap_ns
        is_lossy = lossy_s[0] * SECOND_NS <= at_ns < lossy_s[1] * SECOND_NS
        line.state = state if is_lossy else CLEAR
        lost[packet] = line.decide(at_ns, PROBE_BYTES).fate is not Fate.DELIVERED
    at_s = np.arange(count) / pps
    for begins_s, lasts_s in outages_s:
        lost[(at_s >= begins_s) & (at_s < begins_s + lasts_s)] = True
    values = made.values((1, 2, windows), pps)
    values["longest_loss_run"] = np.zeros((1, 2, windows), dtype=np.float32)
    of_window = lost.reshape(windows, -1)
    for window, mine in enumerate(of_window):
        first, last = loss_runs(mine)
        values["longest_loss_run"][..., window] = (last - first + 1).max(initial=0)
        values["lost"][..., window] = mine.sum()
        values["up_lost"][..., window] = mine.sum() - _unknown(lost, window, mine)
    return made.recent(values)


def _unknown(lost: np.ndarray, window: int, mine: np.ndarray) -> int:
    """Losses at a window's end of which no later reply has told, when it is closed, on which way they were."""
    per_s = len(mine) * SECOND_NS // WINDOW_NS
    end = (window + 1) * len(mine)
    if not lost[end : end + per_s * LATE_NS // SECOND_NS].all():
        return 0
    return int(np.argmin(mine[::-1])) if not mine.all() else len(mine)
