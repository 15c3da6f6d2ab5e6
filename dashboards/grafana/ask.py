"""What a panel asks of the store, said once; each query language says it in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from telemetry.store.server.decided import Decided
    from telemetry.store.server.item_points import Itemised
    from telemetry.store.server.points import Family


class How(StrEnum):
    """How the points of an interval become one number."""

    MEAN = "mean"
    MAX = "max"
    MIN = "min"
    SUM = "sum"
    COUNT = "count"
    LAST = "last"
    """The newest of each group; the groups must be whole series."""
    RATIO = "ratio"
    """Sum of `field` by sum of `under`, 0..1: what is exact over any span, where a mean of ratios is not."""
    PRESENT = "present"
    """15 s windows that are there by those there should be, 0..1."""


class Grain(StrEnum):
    """Over which spans a question is asked: at any time one of a pair answers, the other finds nothing."""

    ANY = "any"
    WINDOWS = "windows"
    """Of up to a day, from windows."""
    ROLLUPS = "rollups"
    """Of more than a day, from roll-ups of five minutes, whose percentiles come from merged histograms."""


FINE_MS: Final = 86_400_000
"""Longer spans ask roll-ups."""
STEPS: Final = 8064
"""So many steps a chart may have: a day of windows, or four weeks of roll-ups, one to a step, so that no percentiles are averaged."""
SLOT: Final = "5m"
SLOT_WINDOWS: Final = 20


class Whom(StrEnum):
    """Which offices: the dashboard's variable that names them."""

    SITE = "site"
    REGION = "region"
    """The variable's value is the ids of a region's offices, joined by `|`."""
    ALL = "all"
    """No office: the points speak of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One query.

    `over_range`: one row a group over the whole time range, for tables and maps; else a series in steps of the panel's
    interval. `times`: a factor (seconds to milliseconds, say). Groups are tags. `where`: tags that must match a variable.
    `ahead`: only what is not over at the end of the range (by the field `ends_s`). `each`: first the newest of each of these
    groups, then `how` (count or max) over them; `between`: only those from the first to the second number.
    """

    family: Family | Decided | Itemised
    how: How
    field: str
    under: str = ""
    by: tuple[str, ...] = ("path",)
    whom: Whom = Whom.SITE
    over_range: bool = False
    times: int = 1
    where: tuple[tuple[str, str], ...] = ()
    ahead: bool = False
    each: tuple[str, ...] = ()
    between: tuple[int, int] | None = None
    grain: Grain = Grain.ANY

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """Tag and variable, of the offices and of `where`."""
        whose = () if self.whom is Whom.ALL else (("site", self.whom.value),)
        return (*whose, *self.where)
