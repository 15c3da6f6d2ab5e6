"""The meetings through time: which take place within a span, from a cache that is cheap to ask every second."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.meetings import Meeting, Occurrence
    from config.series import Series

_DAY_NS: Final = 86_400 * 10**9
_SPAN_NS: Final = 7 * _DAY_NS
"""Occurrences are expanded and kept by such spans of UTC time, by their start."""
_SPANS_KEPT: Final = 160
"""About three years; the span that was asked for longest ago gives way."""
LONGEST_NS: Final = _DAY_NS
"""No meeting is longer (the reader refuses it), so one that overlaps a time began at most so long before."""


class Calendar:
    """All meetings of the calendar. Immutable to its users, and safe to share between threads."""

    def __init__(self, series: Sequence[Series] = (), remarks: Sequence[str] = ()) -> None:
        self.meetings: tuple[Meeting, ...] = tuple(one.meeting for one in series)
        """One a UID, as the series gives it, in the order of the files."""
        self.remarks = tuple(remarks)
        """What is allowed but looks like a mistake, one line each with file and line."""
        self._series = tuple(series)
        self._spans: OrderedDict[int, tuple[Occurrence, ...]] = OrderedDict()
        self._lock = Lock()

    def occurrences(self, start_ns: int, end_ns: int) -> list[Occurrence]:
        """The occurrences that overlap [start, end), sorted by start, then UID; times in ns since the Unix epoch."""
        if end_ns <= start_ns:
            return []
        first = (start_ns - LONGEST_NS) // _SPAN_NS
        last = (end_ns - 1) // _SPAN_NS
        return [
            occurrence
            for span in range(first, last + 1)
            for occurrence in self._span(span)
            if occurrence.starts_ns < end_ns and occurrence.ends_ns > start_ns
        ]

    def find(self, uid: str, recurrence_ns: int, near_ns: int) -> Occurrence | None:
        """The occurrence of this identity that starts within a week of `near_ns`, or None when it is void."""
        for occurrence in self.occurrences(near_ns - _SPAN_NS, near_ns + _SPAN_NS):
            if occurrence.meeting.uid == uid and occurrence.recurrence_ns == recurrence_ns:
                return occurrence
        return None

    def _span(self, number: int) -> tuple[Occurrence, ...]:
        with self._lock:
            kept = self._spans.get(number)
            if kept is None:
                kept = self._spans[number] = self._expand(number * _SPAN_NS)
                if len(self._spans) > _SPANS_KEPT:
                    self._spans.popitem(last=False)
            self._spans.move_to_end(number)
            return kept

    def _expand(self, start_ns: int) -> tuple[Occurrence, ...]:
        found = [
            occurrence for one in self._series for occurrence in one.starting(start_ns, start_ns + _SPAN_NS)
        ]
        return tuple(sorted(found, key=lambda one: (one.starts_ns, one.meeting.uid)))
