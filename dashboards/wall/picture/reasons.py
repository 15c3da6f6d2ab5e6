"""Reasons on their way to the browser."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dashboards.wall.picture.model import Why
from dashboards.wall.picture.times import ms

if TYPE_CHECKING:
    from telemetry.decisions import Reason


def why(reason: Reason) -> Why:
    """The reason with its numbers at the precision that a screen shows, so that noise is no change."""
    return Why(
        code=reason.code.value,
        value=shown(reason.value),
        limit=shown(reason.limit),
        usual=shown(reason.usual),
        unit=reason.unit,
        path=reason.path,
        since_ms=None if reason.since_ns is None else ms(reason.since_ns),
        until_ms=None if reason.until_ns is None else ms(reason.until_ns),
    )


def shown(value: float | None, digits: int = 2) -> float | None:
    """A number rounded to so many significant digits; None for none."""
    if value is None or not math.isfinite(value):
        return None
    if value == 0:
        return 0.0
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))
