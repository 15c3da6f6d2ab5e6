"""The watch's flags of moved levels on made noise: how many where nothing moved, how many of made rises, and what a look costs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.cuts import AFTER
from analytics.changes.series import METRICS
from analytics.flags import Present
from analytics.lines import Lines
from analytics.moved_levels import CODE, TELL_WINDOWS, moved_flags
from analytics.recent import Recent
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.changes.series import Metric
    from analytics.changes.trees import Trees

LINES: Final = 184
"""92 offices with two lines each."""
MANY: Final = 20_000
"""10,000 offices with two lines each."""
DRAWS: Final = 80
LOSSES: Final = (0.001, 0.003, 0.01, 0.03)
"""Steady shares lost, one after the other by draw."""
SENT: Final = 150
WINDOWS: Final = 120
NOW_NS: Final = WINDOWS * WINDOW_NS
PRESENT: Final = Present(NOW_NS, 120 * SECOND_NS)


def flags_figures(trees: Trees) -> dict[str, object]:
    """Flags on steady noise, told rises of 15 ms, 10 ms jitter and to 5 % loss at their sixth window, CPU ms of a look."""
    told = 0
    took: list[float] = []
    for draw in range(DRAWS):
        noise = _recent(_noise(draw, LOSSES[draw % len(LOSSES)], LINES))
        began = time.process_time()
        told += len(moved_flags(noise, PRESENT, (), trees))
        took.append(time.process_time() - began)
    figures: dict[str, object] = {
        "flags_line_days": DRAWS * LINES * TELL_WINDOWS * WINDOW_NS / DAY_NS,
        "flags_on_noise": told,
        "flags_cpu_ms_a_look": float(np.median(took)) * 1000.0,
    }
    for name in METRICS:
        flags = moved_flags(_recent(_risen(name, LINES)), PRESENT, (), trees)
        figures[f"flags_{name}_rises_told_of_{LINES}"] = sum(flag.reason.code is CODE[name] for flag in flags)
    for lines in (LINES, MANY):
        all_rose = _recent(_risen("rtt", lines))
        began = time.process_time()
        moved_flags(all_rose, PRESENT, (), trees)
        figures[f"flags_cpu_ms_when_all_of_{lines}_rise"] = (time.process_time() - began) * 1000.0
    return figures


def _noise(seed: int, loss: float, lines: int) -> dict[str, NDArray[np.float32]]:
    """Half an hour: 40 ms and some, jitter about 2 ms, a steady share lost."""
    rng = np.random.default_rng(seed)
    shape = (lines, 1, WINDOWS)
    values = {name: np.zeros(shape, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...] = SENT
    values["rtt_p95_ms"][...] = 36.0 + rng.gamma(4.0, 1.0, shape)
    values["up_jitter_ms"][...] = values["down_jitter_ms"][...] = 2.0 * rng.gamma(6.0, 1.0 / 6.0, shape)
    values["lost"][...] = values["up_lost"][...] = rng.binomial(SENT, loss, shape)
    return values


def _risen(what: Metric, lines: int) -> dict[str, NDArray[np.float32]]:
    values = _noise(DRAWS, 0.003, lines)
    new = np.s_[..., -AFTER:]
    if what == "rtt":
        values["rtt_p95_ms"][new] += 15.0
    elif what == "jitter":
        values["down_jitter_ms"][new] += 10.0
    else:
        lost = np.random.default_rng(DRAWS + 1).binomial(SENT, 0.05, (lines, 1, AFTER))
        values["lost"][new] = values["up_lost"][new] = lost
    return values


def _recent(values: dict[str, NDArray[np.float32]]) -> Recent:
    names = tuple(f"office-{row:05d}" for row in range(len(values["sent"])))
    return Recent(Lines(names, ("main.state",)), np.arange(WINDOWS, dtype=np.int64) * WINDOW_NS, values)
