"""When the script's rules hold: how strongly each recurring rule and each single fault acts at given times."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from lab.running.script import DAYS, effect_of, length_min, minute_of_day
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lab.running.effect import Effect
    from lab.running.scope import Places, Scope
    from lab.running.script import Hours, Script, ScriptedFault

_MINUTE_NS: Final = 60 * SECOND_NS
_DAY_MIN: Final = 1440
_WEEK_MIN: Final = 7 * _DAY_MIN
_EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday; Monday is 0


class Agenda:
    """The rules of a script, resolved to scopes and to one time zone."""

    def __init__(self, script: Script, places: Places, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self.hours: tuple[tuple[Hours, tuple[Scope, ...], Effect], ...] = tuple(
            (rule, tuple(places.scope(text) for text in rule.who), effect_of(rule)) for rule in script.hours
        )
        self.faults: tuple[tuple[ScriptedFault, tuple[Scope, ...], Effect, int, int], ...] = tuple(
            (rule, tuple(places.scope(text) for text in rule.who), effect_of(rule), *self._span(rule))
            for rule in script.faults
        )

    def _span(self, rule: ScriptedFault) -> tuple[int, int]:
        at = rule.at if rule.at.tzinfo is not None else rule.at.replace(tzinfo=self._zone)
        start_ns = round(at.timestamp()) * SECOND_NS
        return start_ns, start_ns + round(rule.minutes * _MINUTE_NS)

    def offset_min(self, time_ns: int) -> int:
        """Minutes that local time is ahead of UTC then."""
        at = dt.datetime.fromtimestamp(time_ns // SECOND_NS, tz=self._zone)
        offset = at.utcoffset()
        assert offset is not None
        return round(offset.total_seconds() / 60)

    def minute_of_week(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Local minutes since Monday 00:00, shape as given (n,), with the fraction."""
        minutes = times_ns / _MINUTE_NS
        day = times_ns // DAY_NS
        first, last = int(day.min()), int(day.max())
        # The offset can change within the span (daylight saving), so it is looked up for each day's noon.
        offsets = np.array([self.offset_min(d * DAY_NS + DAY_NS // 2) for d in range(first, last + 1)])
        local = minutes + offsets[day - first]
        return np.asarray((local + _EPOCH_WEEKDAY * _DAY_MIN) % _WEEK_MIN, dtype=np.float64)

    def acts(self, start_ns: NDArray[np.int64]) -> list[Act]:
        """What the rules do over a grid of windows (n,)."""
        middle_ns = start_ns + WINDOW_NS // 2
        minute = self.minute_of_week(middle_ns)
        acts = [
            Act(scopes, effect, slice(None), strength(rule, minute)) for rule, scopes, effect in self.hours
        ]
        for _, scopes, effect, begin_ns, end_ns in self.faults:
            span = slice(*np.searchsorted(middle_ns, (begin_ns, end_ns)).tolist())
            acts.append(Act(scopes, effect, span, np.ones(span.stop - span.start)))
        return acts


@dataclass(frozen=True, slots=True)
class Act:
    """One rule over a grid of windows."""

    scopes: tuple[Scope, ...]
    effect: Effect
    span: slice
    """Which windows."""
    weight: NDArray[np.float64]
    """How strongly in each of them, 0 to 1."""


def strength(rule: Hours, minute_of_week: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strongly a recurring rule acts (0..1) at local minutes of the week; shape as given."""
    start, length = minute_of_day(rule.from_), length_min(rule)
    out = np.zeros(minute_of_week.shape)
    for day in rule.days:
        since = (minute_of_week - DAYS.index(day) * _DAY_MIN - start) % _WEEK_MIN
        inside = since < length
        if rule.ramp_min:
            edge = np.minimum(since, length - since) / rule.ramp_min
            out = np.maximum(out, np.where(inside, np.clip(edge, 0.0, 1.0), 0.0))
        else:
            out = np.where(inside, 1.0, out)
    return out
