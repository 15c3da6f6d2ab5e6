"""The meetings of the past days: how many offices held each, and how often what was said of it came true."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dashboards.wall.picture.times import ms, recurrence_name
from dashboards.wall.picture.track import score
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.config import Config
    from config.meetings import Occurrence
    from dashboards.wall.sources import DecisionReader
    from telemetry.decisions import Forecast, Outcome

DAYS: Final = 14
_Key = tuple[str, int]


class PastMeeting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One occurrence that is over. `of` and `right` count the offices whose forecast can be judged."""

    uid: str
    recurrence: str
    hi: str
    en: str
    starts_ms: int
    ends_ms: int
    held: int = 0
    failed: int = 0
    excused: int = 0
    unsettled: int = 0
    of: int = 0
    right: int = 0


class Past(Struct, frozen=True, kw_only=True):
    """The newest first."""

    days: int
    meetings: tuple[PastMeeting, ...]


def past_meetings(config: Config, state: DecisionReader, now_ns: int) -> Past:
    """Every occurrence of the past days that is over, with outcomes or without."""
    since_ns = now_ns - DAYS * DAY_NS
    over = [one for one in config.calendar.occurrences(since_ns, now_ns) if one.ends_ns <= now_ns]
    outcomes: dict[_Key, list[Outcome]] = {}
    for outcome in state.outcomes(since_ns, now_ns):
        outcomes.setdefault((outcome.meeting, outcome.occurrence_ns), []).append(outcome)
    forecasts: dict[_Key, list[Forecast]] = {}
    for forecast in state.forecasts(since_ns, now_ns):
        key = (forecast.verdict.meeting, forecast.verdict.occurrence_ns)
        forecasts.setdefault(key, []).append(forecast)
    over.sort(key=lambda one: (-one.starts_ns, one.meeting.uid))
    made = [_past(one, forecasts.get(_key(one), ()), outcomes.get(_key(one), ())) for one in over]
    return Past(days=DAYS, meetings=tuple(made))


def _key(one: Occurrence) -> _Key:
    return one.meeting.uid, one.recurrence_ns


def _past(one: Occurrence, forecasts: Iterable[Forecast], outcomes: Iterable[Outcome]) -> PastMeeting:
    outcomes = list(outcomes)
    found = score(forecasts, outcomes)
    return PastMeeting(
        uid=one.meeting.uid,
        recurrence=recurrence_name(one.recurrence_ns),
        hi=one.meeting.name("hi"),
        en=one.meeting.name("en"),
        starts_ms=ms(one.starts_ns),
        ends_ms=ms(one.ends_ns),
        of=0 if found is None else found.of,
        right=0 if found is None else found.right,
        **Counter(outcome.state.value for outcome in outcomes),
    )
