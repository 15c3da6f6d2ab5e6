"""Judges the days that were imported, so that the watch finds them as it keeps them and its next start does not take the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.hours import HOURS_PER_WEEK, HourSpan, local_hour
from analytics.lines import Lines
from tatpar.watching.offices import prepare
from tatpar.watching.past import SITES_PER_READ, BlockOfPast, Shape, read_block
from telemetry.store.derived import Deriving
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from config.config import Config
    from telemetry.store.protocol import StoreReader


def judge_days(
    config: Config,
    reader: StoreReader,
    imported: Collection[str],
    now_ns: int,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Judge what the watch would of some offices, and let the store keep it; how many offices were.

    `progress(offices)` is told how many more are done. A store that keeps nothing is left alone.

    Raises:
        StoreError: the store cannot be read.
    """
    if not isinstance(reader, Deriving):
        return 0
    watch = config.settings.watch
    ahead_ns = now_ns + int(watch.forecast_days * DAY_NS) + DAY_NS
    offices = prepare(config, config.calendar.occurrences(now_ns, ahead_ns))
    sites = tuple(site for site in offices.sites if site in imported)
    lines = Lines(offices.sites, offices.usual_paths)
    shape = Shape(lines, offices.sets, offices.zone, watch.history_weeks)
    hours, end = int(shape.weeks * HOURS_PER_WEEK), local_hour(now_ns, offices.zone) + 1
    span = HourSpan(end - hours, hours, offices.zone)
    for at in range(0, len(sites), SITES_PER_READ):
        some = sites[at : at + SITES_PER_READ]
        read_block(reader, BlockOfPast(shape, some, span, now_ns))
        progress(len(some))
    return len(sites)
