"""When a rung is broken off before its time, so that whoever else is on the line does not pay for it.

RFC 9097's thresholds (its appendix A, `probes.rate_adjustment`): a delay range above 90 ms, three feedbacks running; more than
ten packets lost. Its feedback is every 50 ms at high rates; a call's load is slow, so ours is every 100 ms and ten losses
count over a second, when they are also more than 2 %. The delay of an interval is its least, as in RFC 8289: a key frame makes a
queue that is gone again, a full line makes one that stays.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from probes.rate_adjustment import HIGH_DELAY_MS, MOST_ERRORS, PATIENCE
from telemetry.rehearsal_reasons import WhyNot
from telemetry.windows import MS_NS

FEEDBACK_S: Final = 0.1
INTERVALS: Final = 10
"""Losses are counted over so many."""
LEAST_RATIO: Final = 0.02
DARK_INTERVALS: Final = 15
"""Nothing at all for so long (1.5 s): the line is dead, or cut."""


class Early:
    """Watches one direction of one rung; `look` once an interval."""

    def __init__(self) -> None:
        self._late = 0
        self._dark = 0
        self._before: deque[tuple[int, int]] = deque([(0, 0)], maxlen=INTERVALS + 1)

    def look(self, received: int, expected: int, above_floor_ns: int | None) -> str:
        """Why to break off, from what has arrived so far; empty while all is well.

        Args:
            received: packets of the rung that have arrived.
            expected: one more than the highest number among them.
            above_floor_ns: the interval's least delay above the least ever; None when nothing arrived in it.
        """
        nothing = received == self._before[-1][0]
        self._dark = self._dark + 1 if nothing else 0
        if above_floor_ns is not None:
            self._late = self._late + 1 if above_floor_ns > HIGH_DELAY_MS * MS_NS else 0
        self._before.append((received, expected))
        came, due = received - self._before[0][0], expected - self._before[0][1]
        if self._dark >= DARK_INTERVALS:
            return WhyNot.DARK
        if self._late >= PATIENCE:
            return WhyNot.DELAY
        if due - came > MOST_ERRORS and due - came > LEAST_RATIO * due:
            return WhyNot.LOSS
        return ""
