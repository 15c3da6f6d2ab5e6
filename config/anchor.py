"""A series that began long ago, begun again shortly before the time that is asked for.

The library walks a rule from its start for every question; a daily meeting of ten years would cost 3,650 steps each time.
A rule of days or weeks repeats itself exactly after `7 × INTERVAL` days, so it may as well start there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from icalendar.prop import vRecur

_SIMPLE: Final = frozenset(["FREQ", "INTERVAL", "UNTIL", "WKST", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND"])
"""Parts that look the same from every start of the same phase; COUNT does not."""


def anchor(rule: vRecur | None, start: datetime, near: datetime) -> datetime:
    """The last start not after `near` from which the rule gives the same times; `start` itself where there is none.

    The rule must hold at its own start (`read_rule` sees to it).
    """
    if rule is None or near <= start or not _SIMPLE.issuperset(rule):
        return start
    if str(rule["FREQ"][0]) not in {"DAILY", "WEEKLY"}:
        return start
    interval: int = rule.get("INTERVAL", [1])[0]
    period = timedelta(days=7 * interval)
    return start + (near - start) // period * period
