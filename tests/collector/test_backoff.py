"""Waiting before trying again."""

from __future__ import annotations

import random

from collector.backoff import Backoff


def test_waits_spread_below_a_ceiling_that_doubles_up_to_its_cap() -> None:
    """Full jitter: from nothing to the ceiling."""
    ceilings = [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    runs = []
    for seed in range(300):
        backoff = Backoff(0.5, 5.0, random.Random(seed))
        runs.append([backoff.next_s() for _ in ceilings])
    for i, ceiling in enumerate(ceilings):
        waits = [run[i] for run in runs]
        assert max(waits) <= ceiling
        assert max(waits) > 0.9 * ceiling
        assert min(waits) < 0.1 * ceiling


def test_success_starts_over() -> None:
    """After a success the first wait is short again."""
    backoff = Backoff(0.5, 60.0, random.Random(1))
    for _ in range(2000):  # far past where a power of two would overflow a float
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 0.5
    assert backoff.failures == 1
