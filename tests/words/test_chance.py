"""A chance beside a state never reads as if it stood on the other side of the border."""

from __future__ import annotations

import pytest

from telemetry.words.format import chance, chance_shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.8996, 0.89),
        (0.89999, 0.89),
        (0.9, 0.9),
        (0.894, 0.89),
        (0.5999, 0.59),
        (0.6, 0.6),
        (0.999, 0.99),
        (1.0, 1.0),
    ],
)
def test_a_chance_is_never_rounded_up_to_a_better_state(value: float, shown: float) -> None:
    """At risk is 89 % at most, not ready 59 %."""
    assert chance_shown(value) == shown
    assert chance("en", value).startswith(f"{shown * 100:.0f}")
