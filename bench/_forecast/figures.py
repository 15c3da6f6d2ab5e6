"""Figures of the forecast as they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analytics.forecast.scoring import Interval


def with_interval(of: Interval) -> str:
    """A figure with its interval, to three places."""
    return f"{of.value:.3f} ({of.low:.3f} to {of.high:.3f})"
