"""The lease of the watch: one at a time, also when a look takes long, and not for ever when one is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tatpar.watching.lease import LEASE_NS, LONGEST_LOOK_NS, RENEWAL_NS, Lease
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T0 = 1_800_000_000 * 10**9


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    """A state database."""
    state = StateDb(tmp_path / "state.db")
    yield state
    state.close()


def test_a_look_that_outlasts_the_lease_keeps_it(state: StateDb) -> None:
    """Another watch that waits would else decide beside the one that is still looking."""
    ours, other = Lease(state), Lease(state)
    assert ours.holds(T0)
    now_ns = T0
    while now_ns < T0 + 4 * LEASE_NS:
        now_ns += RENEWAL_NS
        ours.keep(now_ns)
        assert not other.holds(now_ns + RENEWAL_NS - 1)
    assert ours.holds(now_ns)


def test_without_a_look_nothing_is_kept(state: StateDb) -> None:
    """Who has not had its turn takes no lease by keeping it."""
    ours, other = Lease(state), Lease(state)
    ours.keep(T0)
    assert other.holds(T0)
    ours.keep(T0 + 1)
    assert not ours.holds(T0 + 1)


def test_a_watch_that_is_stuck_lets_another_work(state: StateDb) -> None:
    """Its thread goes on renewing for so long, and no longer; when it wakes it is not its turn."""
    ours, other = Lease(state), Lease(state)
    assert ours.holds(T0)
    for now_ns in range(T0, T0 + LONGEST_LOOK_NS + 5 * LEASE_NS, RENEWAL_NS):
        ours.keep(now_ns)
    end_ns = T0 + LONGEST_LOOK_NS + LEASE_NS
    assert other.holds(end_ns)
    assert not ours.holds(end_ns + 1)
    ours.keep(end_ns + 2)
    assert state.lease_holder("watch", end_ns + 3) == other.holder


def test_what_was_given_back_is_not_taken_again(state: StateDb) -> None:
    """A renewal that was under way when the process ended would hold up the next by half a minute."""
    ours, other = Lease(state), Lease(state)
    assert ours.holds(T0)
    ours.give_back()
    ours.keep(T0 + 1)
    assert not ours.holds(T0 + 2)
    assert other.holds(T0 + 3)
