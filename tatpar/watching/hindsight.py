"""The past that verdicts stand on, and the model that was learnt from it: kept up beside the looks, on threads of their own."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from analytics.lines import Lines
from tatpar.importing.told import is_news
from tatpar.watching.foreseeing import prepare_tracks
from tatpar.watching.learning import is_due, learn, model_in_force, say_set_aside, teachers
from tatpar.watching.spare_memory import give_back
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from tatpar.watching.current import Current
    from tatpar.watching.foreseeing import Prepared
    from tatpar.watching.past import Past, PastReader
    from telemetry.state.db import StateDb

log = logging.getLogger("tatpar.watching.watch")

PAST_NS: Final = 600 * SECOND_NS
RELOAD_NS: Final = 6 * HOUR_NS
"""The past is read anew so often, and at once when history was imported, which does not show in the tail."""
DAY_CLOSES_NS: Final = 900 * SECOND_NS
"""And so long after a day (UTC) has passed: a day that is read when it has passed is kept as it was judged, for the next start."""


class Hindsight:
    """What one watch knows of the past."""

    def __init__(self, state: StateDb, pasts: PastReader) -> None:
        self.pasts = pasts
        self.past: Past | None = None
        self.prepared: Prepared | None = None
        self.had_lesson = False
        """Whether the past had been read when we were last to learn."""
        self.in_force = model_in_force(state)
        say_set_aside(state, self.in_force)
        self._state = state
        self._said_too_little = False
        self._loaded_ns = 0
        self._oldest_late_ns: int | None = None

    def came_late(self, start_ns: int) -> None:
        """A window that began then came too late for the looks: the next refresh mends the past from there on."""
        self._oldest_late_ns = min(self._oldest_late_ns or start_ns, start_ns)

    def is_due(self, current: Current, now_ns: int) -> bool:
        """Whether the past is out of date."""
        past = self.past
        due = past is None or past.shape != current.shape() or now_ns - past.until_ns >= PAST_NS
        return due or self._is_stale(now_ns)

    def refresh(self, current: Current, now_ns: int) -> Past:
        """Load the past, or bring it up to date."""
        late_ns, self._oldest_late_ns = self._oldest_late_ns, None
        try:
            past = self._brought_up(current, late_ns, now_ns)
            self.prepared = prepare_tracks(past, current.offices, self._state, now_ns)
        except BaseException:
            if late_ns is not None:
                self.came_late(late_ns)  # the next one mends it
            raise
        finally:
            give_back()
        return past

    def _brought_up(self, current: Current, late_ns: int | None, now_ns: int) -> Past:
        shape, past = current.shape(), self.past
        if past is None or past.shape != shape or self._is_stale(now_ns):
            past = self.pasts.load(shape, now_ns)
            self._loaded_ns = now_ns
        else:
            past = self.pasts.refresh(past, now_ns, late_ns)
        self.past = past
        return past

    def detail(self) -> dict[str, object]:
        """For the heartbeat, as plain JSON: how many hours of the past are known, and until when (ns)."""
        past = self.past
        return {
            "history_hours": int(past.history.measured.any(axis=(0, 1)).sum()) if past else 0,
            "history_until_ns": past.until_ns if past else None,
        }

    def begin_afresh(self) -> None:
        """The clock was set: what was loaded is of another time."""
        self._loaded_ns = 0

    def _is_stale(self, now_ns: int) -> bool:
        """The past that was loaded may lack what came otherwise than through the tail."""
        a_day_passed = self._loaded_ns < (now_ns - DAY_CLOSES_NS) // DAY_NS * DAY_NS + DAY_CLOSES_NS
        fresh = 0 <= now_ns - self._loaded_ns < RELOAD_NS
        return a_day_passed or not fresh or is_news(self._state, self._loaded_ns)

    def learn(self, now_ns: int) -> bool:
        """Fit the forecast's model anew when a week has passed and there is enough to learn from; whether it was."""
        prepared = self.prepared
        self.had_lesson = prepared is not None
        if prepared is None or not is_due(self._state, now_ns):
            return False
        try:
            found = learn(self._lesson(prepared, now_ns), now_ns)
        finally:
            give_back()
        if found is None:
            self._say_too_little()
            return False
        self._state.put_model(found)
        self.in_force = model_in_force(self._state)
        log.info("forecast fitted anew: %s", found.name, extra={"event": "watch.learnt", "model": found.name})
        return True

    def _say_too_little(self) -> None:
        """Once: it is tried again and again, for weeks where lines are good."""
        if not self._said_too_little:
            extra = {"event": "watch.not-learnt", "in_force": self.in_force.name}
            log.info("too little history to fit the forecast anew: %s stays", self.in_force.name, extra=extra)
        self._said_too_little = True

    def _lesson(self, prepared: Prepared, now_ns: int) -> Prepared:
        """The tracks to learn from: of a fleet in pieces those of some offices, read again whole."""
        if prepared.in_pieces is None:
            return prepared
        shape = prepared.past.shape
        some = replace(shape, lines=Lines(teachers(prepared.offices), shape.lines.paths))
        past = self.pasts.load(some, now_ns, one_block=True)
        return prepare_tracks(past, prepared.offices, self._state, now_ns)
