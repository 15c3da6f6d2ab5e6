"""The filter of the state now: what one window says, and what it must never do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.causes import CAUSES, Cause
from analytics.condition import condition
from analytics.lines import Lines
from analytics.recent import Recent

if TYPE_CHECKING:
    from conftest import Bench


def suspicion(made: Bench, lost: list[int], pps: int = 10) -> float:
    """Of one line that lost so many in its last windows, after ten clean ones."""
    values = made.values((1, 1, 10 + len(lost)), pps)
    made.lose(values, "up", np.array([0] * 10 + lost))
    return float(condition(made.recent(values, ("main.state",)), [made.limits]).suspicion[0, 0, 0])


def test_one_window_of_five_per_cent_is_enough(made: Bench) -> None:
    """Seven of 150 after clean windows make a fault near certain, three a doubt, one hardly anything."""
    assert suspicion(made, [7]) > 0.95
    assert 0.05 < suspicion(made, [3]) < 0.5
    assert suspicion(made, [1]) < 0.02


def test_two_clean_windows_clear(made: Bench) -> None:
    """After a fault of two windows two clean ones bring the suspicion below a tenth."""
    assert suspicion(made, [8, 7]) > 0.99
    assert suspicion(made, [8, 7, 0, 0]) < 0.1


def test_losses_on_both_paths_of_an_uplink_prove_together(made: Bench) -> None:
    """Three of 150 on each of two paths of one uplink weigh more than three on one; a clean path stays clean."""
    both, one = made.values((1, 2, 12)), made.values((1, 2, 12))
    made.lose(both, "up", 3, at=(0, slice(None), 11))
    made.lose(one, "up", 3, at=(0, 0, 11))
    together = condition(made.recent(both), [made.limits]).suspicion[0, 0]
    alone = condition(made.recent(one), [made.limits]).suspicion[0, 0]
    assert together[0] > 2 * alone[0]
    assert alone[1] < 0.02


def test_silence_waits(made: Bench) -> None:
    """Windows that did not come change nothing."""
    values = made.values((1, 1, 20))
    made.lose(values, "up", 7, at=(0, 0, 12))
    for column in values.values():
        column[0, 0, 13:] = np.nan
    early = made.recent({name: column[..., :13] for name, column in values.items()}, ("main.state",))
    late = made.recent(values, ("main.state",))
    assert condition(early, [made.limits]).suspicion == condition(late, [made.limits]).suspicion


def test_the_cause_is_named_and_dated(made: Bench) -> None:
    """The cause that the windows show is the one suspected, since the window in which it began."""
    values = made.values((1, 1, 20))
    values["down_jitter_ms"][0, 0, 15:] = 60.0
    found = condition(made.recent(values, ("main.state",)), [made.limits])
    assert CAUSES[int(found.by_cause[0, 0, 0].argmax())] is Cause.JITTER_DOWN
    assert 15 <= found.since[0, 0, 0] <= 16


@given(seed=st.integers(0, 10_000), more=st.integers(1, 30), way=st.sampled_from(["up", "down"]))
def test_more_loss_never_lowers_suspicion(made: Bench, seed: int, more: int, way: str) -> None:
    """Whichever line and window loses more, no line becomes less suspect."""
    rng = np.random.default_rng(seed)
    lost = rng.integers(0, 6, (3, 2, 12))
    worse = lost.copy()
    worse[rng.integers(3), rng.integers(2), rng.integers(12)] += more
    found = []
    for counts in (lost, worse):
        values = made.values((3, 2, 12), pps=int(10 + 40 * (seed % 2)))
        made.lose(values, way, counts)
        found.append(condition(made.recent(values), [made.limits]).suspicion)
    assert (found[1] >= found[0] - 1e-6).all()


@given(seed=st.integers(0, 10_000))
def test_the_order_of_sites_does_not_matter(made: Bench, seed: int) -> None:
    """Sites in another order give the same figures in that order."""
    rng = np.random.default_rng(seed)
    values = made.values((6, 2, 12))
    made.lose(values, "up", rng.integers(0, 9, (6, 2, 12)))
    values["sent"][rng.random((6, 2, 12)) < 0.2] = np.nan
    recent, order = made.recent(values), rng.permutation(6)
    lines = Lines(tuple(recent.lines.sites[i] for i in order), recent.lines.paths)
    moved = Recent(lines, recent.start_ns, {name: column[order] for name, column in values.items()})
    here, there = condition(recent, [made.limits]), condition(moved, [made.limits])
    np.testing.assert_allclose(here.by_cause[:, order], there.by_cause, rtol=1e-5)
    assert (here.since[:, order] == there.since).all()
