"""States laid over one another."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.line.impairment import CLEAR, Impairment, laid_over
from lab.running.effect import Effect

RATIOS = st.floats(0, 1)
STATES = st.builds(
    Impairment,
    delay_ms=st.floats(0, 10_000),
    jitter_ms=st.floats(0, 10_000),
    loss_ratio=RATIOS,
    loss_burst_ms=st.floats(0, 10_000),
    duplicate_ratio=RATIOS,
    reorder_ratio=RATIOS,
    rate_bps=st.none() | st.floats(1_000, 1e12),
    outage=st.booleans(),
)


@given(STATES)
def test_nothing_over_a_state_changes_nothing(state: Impairment) -> None:
    """The clear state over another leaves it as it is."""
    assert laid_over(state, CLEAR) == state


@given(STATES, STATES)
def test_two_states_are_at_least_as_bad_as_each(below: Impairment, above: Impairment) -> None:
    """Both at once delay, lose and cut at least as much as either, and stay within the type's bounds."""
    both = laid_over(below, above)
    for name in ("delay_ms", "jitter_ms", "loss_ratio", "duplicate_ratio", "reorder_ratio", "outage"):
        assert getattr(both, name) >= max(getattr(below, name), getattr(above, name)) - 1e-12
    rates = [state.rate_bps for state in (below, above) if state.rate_bps is not None]
    assert both.rate_bps == (min(rates) if rates else None)
    assert msgspec.json.decode(msgspec.json.encode(both), type=Impairment) == both


def test_losses_combine_as_independent_ones() -> None:
    """Half and half make three quarters."""
    assert laid_over(Impairment(loss_ratio=0.5), Impairment(loss_ratio=0.5)).loss_ratio == pytest.approx(0.75)


def test_the_queue_is_the_narrower_bottlenecks() -> None:
    """The bottleneck with the least rate keeps its own queue."""
    wide, narrow = Impairment(rate_bps=2e6, queue_ms=50), Impairment(rate_bps=1e6, queue_ms=300)
    assert laid_over(wide, narrow).queue_ms == laid_over(narrow, wide).queue_ms == 300


def test_effect_acts_in_its_direction_only() -> None:
    """An effect upward leaves the way down clear."""
    effect = Effect(direction="up", loss_ratio=0.05)
    assert effect.on("up") == Impairment(loss_ratio=0.05)
    assert effect.on("down") == CLEAR


def test_half_an_effect() -> None:
    """At half strength loss, delay and jitter are half; a bottleneck is as narrow as ever."""
    effect = Effect(loss_ratio=0.1, delay_ms=20, jitter_ms=4, rate_mbps=2)
    assert effect.on("up", 0.5) == Impairment(loss_ratio=0.05, delay_ms=10, jitter_ms=2, rate_bps=2e6)
    assert effect.on("up", 0.0) == CLEAR


def test_newer_figures_replace_older_ones() -> None:
    """Breaking again changes what is named, zero included, and keeps the rest."""
    older = Effect(loss_ratio=0.05, jitter_ms=10, outage=True)
    assert older.merged(Effect(loss_ratio=0.0)) == Effect(loss_ratio=0.0, jitter_ms=10, outage=True)
