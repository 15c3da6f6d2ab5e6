"""What was announced in the lab's past, as the operator would have written it down: the rows of `works.csv`."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING, Final

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.past.plan import PastPlan

COLUMNS: Final = ("who", "kind", "from", "until", "announced", "note")
_MINUTE_S: Final = 60


def works_csv(plan: PastPlan) -> str:
    """Works and holidays that were announced, the works that were called off among them; by time."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    rows = sorted(_rows(plan), key=lambda row: (row[2], row[0]))
    table.writerows(rows)
    return out.getvalue()


def _rows(plan: PastPlan) -> Iterator[tuple[str, ...]]:
    everybody = frozenset(site.id for site in plan.places.sites)
    for fault in plan.faults:
        if fault.planned_end_ns is None or fault.announced_ns is None:
            continue
        kind = "holiday" if fault.name == "holiday" else "works"
        who = ["all"] if fault.sites == everybody else [f"site:{site}" for site in sorted(fault.sites)]
        times = (_time(fault.start_ns), _time(fault.planned_end_ns), _time(fault.announced_ns))
        for one in who:
            yield one, kind, *times, "drawn by the lab"


def _time(time_ns: int) -> str:
    minute_s = time_ns // SECOND_NS // _MINUTE_S * _MINUTE_S
    return dt.datetime.fromtimestamp(minute_s, tz=dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
