"""What is usual on a line at each hour of a span, and where its level moved: fetched after the charts stand.

Up to a week, the usual is that of the weeks before the span began, so that a fault in view does not excuse itself; of a
longer span it is that of the weeks before its end. It says how many of these weeks the line was measured in, and since when
its past counts where its level moved. It leans on this line alone, where the watch also asks the office's peers: with few weeks
known the two may differ a little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from analytics.baseline import BAND_HOURS, usual
from analytics.changes.moved import level_moves
from analytics.forecast.slots import history_of
from analytics.hours import HOURS_PER_WEEK, HourSpan, local_hour, local_hours, starts_ns, utc_bounds_ns
from analytics.lines import Lines
from config.settings_file import timezone_of
from dashboards.wall.picture.times import ms
from telemetry.store.line_figures import line_figures
from telemetry.store.protocol import Selection
from telemetry.windows import HOUR_NS, MS_NS, SLOT_NS, WEEK_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray

    from analytics.history import History
    from config.settings import Settings
    from telemetry.store.protocol import Silence, StoreReader

USUAL_OF: Final = ("rtt_p95_ms", "up_jitter_ms", "down_jitter_ms")
_COUNTS: Final = ("sent", "lost", "up_lost", "down_lost")
LONGEST_NS: Final = 16 * WEEK_NS
"""Of a longer span only its end is looked at."""


class Band(Struct, frozen=True, kw_only=True):
    """Per hour what is usual (the middle), and p10 and p90 around it; null where too little is known.

    `weeks`: weeks with anything measured that it stands on; `since_ms`: from when on, where the level moved.
    """

    middle: list[float | None]
    low: list[float | None]
    high: list[float | None]
    weeks: int
    since_ms: int | None


class Move(Struct, frozen=True, kw_only=True):
    """A level that moved: `rtt` and `jitter` in ms, `loss` as a ratio."""

    metric: str
    at_ms: int
    before: float
    after: float


class SitePast(Struct, frozen=True, kw_only=True):
    """Of one line. `t_ms` are the starts of the hours of the bands."""

    as_of_ms: int
    """The usual is that of the weeks before this time."""
    least_days: int
    """With fewer days that were measured at an hour of the day it has no band."""
    t_ms: list[int]
    usual: dict[str, Band]
    moves: list[Move]


def site_past(reader: StoreReader, settings: Settings, site: str, path: str, span: Selection) -> SitePast:
    """The bands and the moves of one line over a span."""
    zone, weeks = timezone_of(settings), settings.watch.history_weeks
    start_ns = max(span.start_ns, span.end_ns - LONGEST_NS)
    as_of_ns = start_ns if span.end_ns - start_ns <= WEEK_NS else span.end_ns
    history = _history(reader, site, path, HourSpan(*_before(as_of_ns, weeks, zone), zone))
    t_ns = np.arange(start_ns - start_ns % HOUR_NS, span.end_ns, HOUR_NS, dtype=np.int64)
    t_ns = t_ns[-int(LONGEST_NS // HOUR_NS) :]
    return SitePast(
        as_of_ms=ms(as_of_ns),
        least_days=BAND_HOURS,
        t_ms=(t_ns // MS_NS).tolist(),
        usual={metric: _band(history, metric, local_hours(t_ns, zone), zone) for metric in USUAL_OF},
        moves=_moves(reader, site, path, Selection(start_ns, span.end_ns), weeks),
    )


def _before(as_of_ns: int, weeks: float, zone: tzinfo) -> tuple[int, int]:
    """First local hour and count of the weeks before a time."""
    count = round(weeks * HOURS_PER_WEEK)
    return local_hour(as_of_ns, zone) - count, count


def _history(reader: StoreReader, site: str, path: str, span: HourSpan) -> History:
    start_ns, end_ns = utc_bounds_ns(span)
    table = reader.rollups(
        Selection(start_ns, end_ns, sites=(site,), paths=(path,)),
        histograms=False,
        columns=("received_ns", *USUAL_OF),
        window_values=_COUNTS,
    )
    return history_of(table, Lines((site,), (path,)), (), span)


def _band(history: History, metric: str, hours: NDArray[np.int64], zone: tzinfo) -> Band:
    """Each hour of the week is asked once, as the first one after the history that is of that hour."""
    ahead = (hours - history.end_hour) % HOURS_PER_WEEK
    told = {int(k): usual(history, metric, history.end_hour + int(k)) for k in np.unique(ahead)}
    figures = np.array(
        [[told[k].value[0, 0], told[k].low[0, 0], told[k].high[0, 0]] for k in ahead.tolist()],
        dtype=np.float64,
    ).reshape(-1, 3)
    middle, low, high = (_listed(figures[:, i]) for i in range(3))
    behind = usual(history, metric, history.end_hour)
    since = int(behind.since_hour[0, 0])
    since_ms = ms(starts_ns(since, zone)) if since > history.first_hour else None
    return Band(middle=middle, low=low, high=high, weeks=int(behind.weeks[0, 0]), since_ms=since_ms)


def _moves(reader: StoreReader, site: str, path: str, span: Selection, weeks: float) -> list[Move]:
    """The moves within the span, found in it and the weeks before it, as the weekly report finds them."""
    first_ns = span.end_ns - max(int(weeks * WEEK_NS), span.end_ns - span.start_ns)
    figures = line_figures(reader, (site,), (path,), first_ns, span.end_ns)
    known = np.flatnonzero(np.isfinite(figures["loss"][0, 0]))
    if not len(known):
        return []
    measured = slice(
        int(known[0]), int(known[-1]) + 1
    )  # weeks before the first report take long and say nothing
    first_ns = slot_start(first_ns) + measured.start * SLOT_NS
    figures = {metric: values[..., measured] for metric, values in figures.items()}
    found = [
        each for each in level_moves(figures, (site,), (path,), first_ns) if each.when_ns >= span.start_ns
    ]
    silences = reader.gaps(Selection(span.start_ns, span.end_ns, sites=(site,))).silences if found else ()
    return [
        Move(
            metric=each.metric,
            at_ms=ms(when_heard(each.when_ns, silences)),
            before=each.before,
            after=each.after,
        )
        for each in found
    ]


def when_heard(slot_ns: int, silences: Sequence[Silence]) -> int:
    """When the first report of a slot was measured: its begin, or the end of the silence that lasted into it.

    A silence that lasts beyond the slot is another probe's: this one measured within the slot, or nothing would have moved.
    """
    ends = (
        each.until_ns for each in silences if each.from_ns <= slot_ns < each.until_ns <= slot_ns + SLOT_NS
    )
    return max(ends, default=slot_ns)


def _listed(values: NDArray[np.float64]) -> list[float | None]:
    return [None if value != value else value for value in np.round(values, 3).tolist()]  # noqa: PLR0124 - NaN
