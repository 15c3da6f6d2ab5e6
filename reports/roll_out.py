"""The roll-out: how many offices have reported by each day, and when all will have, at the pace of the last weeks."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS: Final = 56
"""Shown, and what the pace is taken from."""


@dataclass(frozen=True, slots=True)
class RolledOut:
    """Offices that had reported by the end of each day."""

    day_ns: tuple[int, ...]
    """A moment within each day."""
    linked: tuple[int, ...]
    total: int
    unknown: int
    """Linked offices of which no first report is known: counted from the start."""
    done_ns: int | None
    """When all will be linked at this pace; None when they are, or when there is no pace to go by."""

    @property
    def is_known(self) -> bool:
        """Whether there is anything to draw."""
        return self.unknown < self.linked[-1]


def rolled_out(first_ns: Mapping[str, int], linked: int, total: int, until_ns: int) -> RolledOut:
    """From the first report of each office that is linked.

    Args:
        first_ns: by office, of those of which it is known.
        linked: offices that are linked by the registry.
        total: offices in all.
        until_ns: the end of what is told.
    """
    unknown = linked - len(first_ns)
    firsts = sorted(first_ns.values())
    days = tuple(until_ns - DAY_NS * back for back in range(DAYS, -1, -1))
    counts = tuple(unknown + bisect_right(firsts, day) for day in days)
    per_day = (counts[-1] - counts[0]) / DAYS
    missing = total - counts[-1]
    done_ns = until_ns + round(missing / per_day) * DAY_NS if per_day > 0 and missing > 0 else None
    return RolledOut(day_ns=days, linked=counts, total=total, unknown=unknown, done_ns=done_ns)
