"""Fits the model that ships with the house, and writes it where it is read.

It learns from the lab's drawn past under seeds of its own, which tells of announced days, evenings and dark offices, and
from the public traces and their lessons, which tell of real noise and weigh together as much as the traces alone would.

    OMP_NUM_THREADS=1 python -m bench prior

To be run again when the model's form or the lab's faults change; `bench forecast` and the tests draw other seeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

import analytics.forecast
from analytics.forecast.facts import joined_facts
from analytics.forecast.features import facts
from analytics.forecast.model import fit_facts
from analytics.forecast.scoring import brier
from bench._forecast.lab_world import HORIZONS_MIN, draw_world
from bench._forecast.lessons import lessons
from bench._forecast.traces import SHIPPED, sample
from bench._traces import read_all

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS: Final = (31, 32)
WEEKS: Final = 8
OFFICES: Final = 60
FILE: Final = Path(analytics.forecast.__file__).parent / "prior.json"


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """What it was fitted to, and how well it fits that."""
    parts, held = [], []
    for seed in SEEDS:
        world = draw_world(seed, WEEKS, OFFICES, progress)
        for horizon in HORIZONS_MIN:
            progress(f"seed {seed}: what can be known at T-{horizon}")
            parts.append(facts(world.track, world.asks(horizon)))
            held.append(world.held)
    traces = read_all(SHIPPED, progress)
    noise, more = sample(SHIPPED, traces, progress), lessons(traces, progress)
    known = joined_facts([*parts, noise.known, more.known])
    came = np.concatenate([*held, noise.held, more.held])
    # The balance between drawn faults and real noise stays what it is without the lessons.
    each = len(noise.held) / (len(noise.held) + more.weight.sum())
    drawn = np.ones(sum(len(of) for of in held))
    weight = np.concatenate([drawn, np.full(len(noise.held), each), each * more.weight])
    progress("fitting")
    model = fit_facts(known, known.ground, came, None, weight)
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(model), indent=1) + b"\n")
    return {
        "file": str(FILE.name),
        "asks": model.asks,
        "failed_share": float((~came).mean()),
        "brier_in_sample": brier(model.of_facts(known).holds, came),
    }
