"""The roll-out as points: where each region stands, how it came there, and the straight line to the day on which all are linked."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.pace import pace
from config.sites import SiteStatus
from telemetry.store.server.decided import Course
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.config import Config
    from tatpar.watching.mirror_book import MirrorBook
    from telemetry.store.server.decided import Point, PointMaker

WHOLE: Final = "all"
"""The tag of all regions together."""
WEEKS: Final = 8
"""So far back the line begins."""
KEPT_DAYS: Final = 730
DAY_S: Final = DAY_NS // SECOND_NS


def standing(config: Config, online: set[str]) -> dict[str, dict[str, int]]:
    """Offices of each region: linked, planned, silent (linked, but no probe on line)."""
    counts: dict[str, dict[str, int]] = {}
    for site in config.registry.sites:
        linked = site.status is SiteStatus.LINKED
        row = counts.setdefault(site.region, {"linked": 0, "planned": 0, "silent": 0})
        row["linked" if linked else "planned"] += 1
        row["silent"] += int(linked and site.id not in online)
    return counts


def noted(book: MirrorBook, counts: Mapping[str, Mapping[str, int]], at_ns: int) -> None:
    """Remember today's counts; the last of a day stands for it."""
    book.note_linked(at_ns // DAY_NS, {region: row["linked"] for region, row in counts.items()}, KEPT_DAYS)


def course(
    book: MirrorBook, maker: PointMaker, config: Config, counts: Mapping[str, Mapping[str, int]], at_ns: int
) -> list[Point]:
    """Each region's pace and line, and those of all together."""
    target_s = _target_s(config)
    past = book.linked_by_day()
    totals = {region: row["linked"] + row["planned"] for region, row in counts.items()}
    per_region = {region: past.get(region, {}) for region in counts}
    whole = _together(list(per_region.values()))
    points = []
    for region, by_day in {**per_region, WHOLE: whole}.items():
        total = sum(totals.values()) if region == WHOLE else totals[region]
        found = _course(by_day, total, at_ns // SECOND_NS, target_s)
        points += [maker.pace(region, found, at_ns), *maker.line(region, found, at_ns)]
    return points


def _course(by_day: Mapping[int, int], total: int, now_s: int, target_s: int) -> Course:
    days = np.array(sorted(by_day), np.int64)
    linked = np.array([by_day[day] for day in days.tolist()], np.int64)
    now = int(linked[-1]) if len(linked) else 0
    found = pace(days, linked, total)
    complete_s = 0
    if found is not None and found.days_left is not None:
        complete_s = int(now_s + found.days_left * DAY_S)
    weeks_left = (target_s - now_s) / (7 * DAY_S)
    steps = [
        (f"w{weeks}", (now_s // DAY_S - 7 * weeks) * DAY_S, _on(by_day, now_s // DAY_S - 7 * weeks))
        for weeks in range(WEEKS, 0, -1)
        if len(days) and now_s // DAY_S - 7 * weeks >= days[0]
    ]
    steps += [("now", now_s, now), ("end", complete_s or now_s, total if complete_s else now)]
    return Course(
        linked=now,
        total=total,
        per_week=None if found is None else found.per_week,
        complete_s=complete_s,
        target_s=target_s,
        needed_per_week=(total - now) / weeks_left if target_s and weeks_left > 0 else None,
        steps=tuple(steps),
    )


def _together(regions: list[dict[int, int]]) -> dict[int, int]:
    """The sum of all, from the day on which each is known: a region that is new has not been linked in a day."""
    begun = [min(by_day) for by_day in regions if by_day]
    days = {day for by_day in regions for day in by_day if day >= max(begun)}
    return {day: sum(_on(by_day, day) for by_day in regions) for day in sorted(days)}


def _on(by_day: Mapping[int, int], day: int) -> int:
    """The count of a day: that of the last day before it that is known, when the watch did not run."""
    known = [one for one in by_day if one <= day]
    return by_day[max(known)] if known else 0


def _target_s(config: Config) -> int:
    """The end of the day that the operator has named, 0 for none."""
    said = config.settings.deployment.all_linked_by
    if not said:
        return 0
    zone = ZoneInfo(config.settings.deployment.timezone)
    return int(datetime.combine(datetime.fromisoformat(said), time(23, 59, 59), zone).timestamp())
