"""The window grid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telemetry.clock import ManualClock
from telemetry.windows import (
    DAY_NS,
    SECOND_NS,
    SLOT_NS,
    WINDOW_NS,
    WINDOWS_PER_SLOT,
    slot_start,
    window_in_slot,
    window_start,
)


@given(st.integers(0, 2**62))
def test_every_time_lies_in_one_window_of_one_slot(time_ns) -> None:
    """Windows tile slots, slots tile days, from the Unix epoch on."""
    window, slot = window_start(time_ns), slot_start(time_ns)
    assert window <= time_ns < window + WINDOW_NS
    assert slot <= window < slot + SLOT_NS
    assert slot + window_in_slot(window) * WINDOW_NS == window
    assert 0 <= window_in_slot(time_ns) < WINDOWS_PER_SLOT
    assert window % WINDOW_NS == slot % SLOT_NS == 0


def test_the_grid_is_frozen() -> None:
    """15 s and five minutes, as every stored row has it."""
    assert (WINDOW_NS, SLOT_NS, WINDOWS_PER_SLOT) == (15 * SECOND_NS, 300 * SECOND_NS, 20)
    assert DAY_NS % SLOT_NS == SLOT_NS % WINDOW_NS == 0


def test_a_manual_clock_moves_only_when_told() -> None:
    """Advancing moves both times, a step only the real one."""
    clock = ManualClock(100, 7)
    clock.advance(5)
    clock.step(-50)
    assert (clock.now_ns(), clock.monotonic_ns()) == (55, 12)
