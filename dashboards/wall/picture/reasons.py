"""Reasons on their way to the browser."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dashboards.wall.picture.model import Cause, Why
from dashboards.wall.picture.times import ms
from telemetry.decisions import down_now
from telemetry.windows import MINUTE_NS
from telemetry.words import format as form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.decisions import Factor, Reason


def why(reason: Reason) -> Why:
    """The reason with its numbers at the precision that a screen shows, so that noise is no change."""
    rounded = shown_ratio if reason.unit == "ratio" else shown
    return Why(
        code=reason.code.value,
        value=None if reason.factor else rounded(reason.value),  # how many offices: the footer counts them
        limit=None if reason.factor else rounded(reason.limit),
        usual=rounded(reason.usual),
        unit=reason.unit,
        path=reason.path,
        since_ms=None if reason.since_ns is None else ms(reason.since_ns),
        until_ms=None if reason.until_ns is None else ms(reason.until_ns),
        unseen=reason.unseen,
        cause=None if reason.factor is None else cause(reason.factor),
        among=None if reason.among is None else cause(reason.among),
        record=reason.record,
        per_minute=rounded(reason.per_minute),
        crosses_ms=None if reason.crosses_ns is None else ms(reason.crosses_ns // MINUTE_NS * MINUTE_NS),
    )


def down_beside(reasons: Sequence[Reason]) -> Why | None:
    """The reason that says that the line is down now, where another one comes before it; None otherwise."""
    found = down_now(reasons)
    return None if found is None or found is reasons[0] else why(found)


def cause(factor: Factor) -> Cause:
    """What several offices have in common."""
    return Cause(kind=factor.kind.value, name=factor.name, region=factor.region)


def shown(value: float | None, digits: int = 2) -> float | None:
    """A number rounded to so many significant digits; None for none."""
    return None if value is None or not math.isfinite(value) else form.significant(value, digits)


def shown_chance(value: float | None) -> float | None:
    """A chance as `chance_shown` rounds it, never up to a better state; None for none."""
    return None if value is None or not math.isfinite(value) else form.chance_shown(value)


def shown_ratio(value: float | None) -> float | None:
    """A share, rounded as the command line and the mail round it; None for none."""
    return None if value is None or not math.isfinite(value) else form.ratio_shown(value)
