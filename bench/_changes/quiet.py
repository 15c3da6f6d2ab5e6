"""Made lines that are quiet but for spikes, beside the labelled traces: none of those is, and a spike is no level.

Without them trees that weigh the wider past learn that a step which fills a trace's whole span is a level.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from telemetry.traces import Trace
from telemetry.windows import SECOND_NS

LINES: Final = 60
SAMPLES: Final = 1000
NOISES_MS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_FIRST_SEED: Final = 1000
_EVERY_S: Final = 240


def quiet_lines() -> list[Trace]:
    """`LINES` of `SAMPLES`, the same ones each time; half of them have one lasting step, which is labelled."""
    return [_quiet(np.random.default_rng(_FIRST_SEED + line)) for line in range(LINES)]


def _quiet(rng: np.random.Generator) -> Trace:
    noise = float(rng.choice(NOISES_MS))
    values = rng.uniform(5.0, 200.0) + rng.normal(0.0, noise, SAMPLES)
    changes = np.zeros(SAMPLES, dtype=np.bool_)
    if rng.random() < 0.5:
        at = rng.integers(150, SAMPLES - 150)
        values[at:] += noise * rng.uniform(5.0, 60.0) * rng.choice([-1.0, 1.0])
        changes[at] = True
    for _ in range(rng.integers(1, 6)):
        at = rng.integers(10, SAMPLES - 20)
        values[at : at + rng.integers(1, 5)] += noise * np.exp(rng.uniform(np.log(8.0), np.log(300.0)))
    return Trace("made", np.arange(SAMPLES, dtype=np.int64) * _EVERY_S * SECOND_NS, values, changes)
