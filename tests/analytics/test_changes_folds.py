"""Which labelled traces are held back together: those that saw the same events, whole, and every trace just once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench._changes.folds import FOLDS, SHARED, by_kin, by_trace, kin_of
from bench.changes import TRACES
from telemetry.traces import Trace, read_trace
from telemetry.windows import SECOND_NS

STEP_NS = 240 * SECOND_NS


def made(name: str, labels: list[int]) -> Trace:
    """A trace of 1000 samples, four minutes apart, with these labels."""
    changes = np.zeros(1000, dtype=bool)
    changes[labels] = True
    return Trace(name, np.arange(1000) * STEP_NS, np.full(1000, 20.0), changes)


def test_enough_labels_together_make_kin() -> None:
    """Two samples apart is together, three is not; one label fewer than `SHARED` is chance; kin of kin are kin."""
    labels = [100 * (i + 1) for i in range(SHARED)]
    one = made("one", labels)
    near = made("near", [label + 2 for label in labels])
    beyond = made("beyond", [label + 4 for label in labels])
    fewer = made("fewer", labels[:-1])
    later = replace(one, name="later", time_ns=one.time_ns + 1000 * STEP_NS)
    assert kin_of([one, near, beyond, fewer, later]).tolist() == [0, 0, 0, 1, 2]
    assert kin_of([one, beyond, fewer, later]).tolist() == [0, 1, 2, 3]
    burst = made("burst", [labels[0] + k for k in range(-2, SHARED - 2)])
    assert kin_of([one, burst]).tolist() == [0, 1]


def test_real_traces_that_saw_the_same_events() -> None:
    """Of five real traces three are labelled at the same moments, over and over."""
    names = ("11119", "11171", "11254", "12120", "17783")
    assert kin_of([read_trace(TRACES / f"{name}.csv") for name in names]).tolist() == [0, 1, 0, 0, 2]


@pytest.mark.parametrize("seed", range(3))
def test_every_trace_is_held_back_once_and_kin_together(seed: int) -> None:
    """However they are dealt; and not always in the same way."""
    kin = np.array([0, 1, 0, 2, 0, 3, 4, 1, 5, 6, 7, 8, 9, 0, 0])
    dealt = by_kin(kin, seed)
    assert len(dealt) == FOLDS
    for folds in (dealt, by_trace(len(kin), seed)):
        assert sorted(place for fold in folds for place in fold) == list(range(len(kin)))
    for fold in dealt:
        others = np.setdiff1d(np.arange(len(kin)), fold)
        assert not set(kin[fold].tolist()) & set(kin[others].tolist())
    assert dealt != by_kin(kin, seed + 1)
