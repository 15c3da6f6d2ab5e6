"""The watch: turns what arrives into flags, verdicts, forecasts and outcomes.

`step` is one look: take in the store's tail, and when there is news or time has passed, recompute what is
degraded now and what is expected of the coming meetings, and write what changed. It is synchronous and is
told the time, so that tests run days in seconds; `run` calls it a few times a second on a thread, and keeps
the past and the outcomes on others. One watch at a time works; a second one waits for its lease.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from analytics.lines import Lines
from analytics.readiness import asked_spans, expect
from analytics.verdicts import verdicts
from tatpar.reporting.digesting import Digests
from tatpar.watching.blindness import Blindness
from tatpar.watching.contact import Contact
from tatpar.watching.counters import Counters
from tatpar.watching.current import Current
from tatpar.watching.forecasts import ForecastBook, void_changed
from tatpar.watching.hindsight import Hindsight
from tatpar.watching.lease import RENEWAL_NS, ROLE, Lease
from tatpar.watching.lost_contact import lost_windows
from tatpar.watching.offices import prepare
from tatpar.watching.past import PastReader
from tatpar.watching.ring import RING_WINDOWS, WindowRing
from tatpar.watching.rounds import every, repeat
from tatpar.watching.settling import Settler
from tatpar.watching.spoken import Spoken
from tatpar.watching.timetable import Timetable
from tatpar.watching.weekly import WeeklyReport
from telemetry.bell import Bell
from telemetry.clock import StepWatch
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from analytics.ground import Ground
    from analytics.hours import HourSpan
    from config.live import LiveConfig
    from config.meetings import Occurrence
    from reports.week import Week
    from tatpar.watching.mirror import Mirror
    from tatpar.watching.past import Past
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb
    from telemetry.store.by_blocks import Blocks
    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import StreamTable

log = logging.getLogger(__name__)
POLL_S: Final = 0.3
"""Where nobody rings, the store's tail is looked at so often."""
GAP_S: Final = 0.1
"""Between two looks at least so long, and as long as the last one took: reports arrive spread over a second."""
SETTLE_LOOK_S: Final = 30.0
LEARN_LOOK_S: Final = 600.0
FIRST_LESSON_S: Final = 2.0  # until the past is read: after an upgrade a model is due at once
REPORT_LOOK_S: Final = 60.0
DIGEST_LOOK_S: Final = 15.0
MIRROR_LOOK_S: Final = 2.0
TAIL_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """What one step did."""

    working: bool
    """False while another watch holds the lease."""
    windows: int = 0
    looked: bool = False
    raised: int = 0
    cleared: int = 0
    verdicts: int = 0
    forecasts: int = 0


class Watch:
    """Flags, verdicts, forecasts and outcomes of one deployment."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        live: LiveConfig,
        reader: StoreReader,
        state: StateDb,
        clock: WallClock,
        *,
        history_reader: StoreReader | None = None,
        blocks: Blocks | None = None,
        committed: Bell | None = None,
        spoken: Bell | None = None,
        reports_dir: Path | None = None,
        mirror: Mirror | None = None,
        shelf: Path | None = None,
        holder: str | None = None,
    ) -> None:
        """`history_reader`: another reader of the same store, so that long reads do not hold up the tail; `blocks`: what reads the past.

        `committed` is rung by a collector of this process when reports are stored; we ring `spoken` when there is something to tell.
        `reports_dir`: where the weekly report is put when its hour has come; None: nobody makes it here.
        `mirror`: what writes decisions beside the reports, where a database server keeps them.
        `shelf`: the folder where a large fleet's slots are put away; None: they stay in memory.
        `holder`: its name of before among those who take turns, when it is started again.
        """
        self.counters = Counters()
        self._live = live
        self._reader = reader
        self._state = state
        self._clock = clock
        self._committed = committed or Bell()
        self._rings = spoken or Bell()
        self._lease = Lease(state, holder)
        slow_reader = history_reader or reader
        pasts = PastReader(slow_reader, self._lost_windows, blocks=blocks, shelf=shelf)
        self._hindsight = Hindsight(state, pasts)
        self._settler = Settler(slow_reader, state)
        self._weekly = WeeklyReport(live, slow_reader, state, reports_dir) if reports_dir else None
        self._digests = Digests(state)
        self._mirror = mirror
        self._spoken = Spoken()
        self._book = ForecastBook()
        self._blindness = Blindness(state)
        self._contact: Contact | None = None
        self._current: Current | None = None
        self._cursor = 0
        self._timetable = Timetable()
        self._waits_for_past = False
        self._took_s = 0.0
        self._steps = StepWatch(clock)

    def step(self, now_ns: int | None = None) -> Look:
        """Look once, as of `now_ns`.

        Raises:
            StoreError, StateError: the store or the state database cannot be used now; the next step tries again.
        """
        if now_ns is None:
            now_ns = self._clock.now_ns()
            self._mind_the_clock()
        if not self._holds_lease(now_ns):
            return Look(working=False)
        began = time.perf_counter()
        current = self._take_up_config(now_ns)
        windows = self._take_in(current, now_ns)
        if not windows and not self._timetable.look_is_due(now_ns):
            return Look(working=True)
        look = self._look(current, windows, now_ns)
        self.counters.looked(time.perf_counter() - began)
        if self._timetable.beat_is_due(now_ns):
            self._beat(now_ns)
        return look

    def refresh_past(self, now_ns: int | None = None) -> Past | None:
        """Load the past, or bring it up to date; None before the first step. May run beside `step` on a thread."""
        now_ns = self._clock.now_ns() if now_ns is None else now_ns
        return None if self._current is None else self._hindsight.refresh(self._current, now_ns)

    def learn(self, now_ns: int | None = None) -> bool:
        """Fit the forecast's model anew when it is due; whether it was. May run beside `step` on a thread."""
        return self._hindsight.learn(self._clock.now_ns() if now_ns is None else now_ns)

    def settle(self, now_ns: int | None = None) -> int:
        """Settle outcomes that are due; how many occurrences were. May run beside `step` on a thread."""
        now_ns = self._clock.now_ns() if now_ns is None else now_ns
        if self._current is None:
            return 0
        return self._settler.round(self._live.current, now_ns)

    def report(self, now_ns: int | None = None) -> Week | None:
        """Make the weekly report when it is due; which week it was. May run beside `step` on a thread."""
        if self._weekly is None or self._current is None or self._hindsight.past is None:
            return None  # the desk comes first
        return self._weekly.step(self._clock.now_ns() if now_ns is None else now_ns)

    def digest(self, now_ns: int | None = None) -> int:
        """Send the digests of meetings that are due; how many messages. May run beside `step` on a thread."""
        now_ns = self._clock.now_ns() if now_ns is None else now_ns
        if self._current is None:
            return 0
        return self._digests.round(self._live.current, now_ns)

    def mirror(self, now_ns: int | None = None) -> int:
        """Write what was decided beside the reports; how many points. May run beside `step` on a thread."""
        if self._mirror is None or self._current is None:
            return 0  # another watch decides, and mirrors
        return self._mirror.step(self._clock.now_ns() if now_ns is None else now_ns)

    async def run(self) -> None:
        """Work until cancelled; then give the lease back."""
        self._waits_for_past = True
        again = partial(repeat, counters=self.counters)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(again(self._step_and_tell, self._until_news), name="watch-step")
                tasks.create_task(again(self._keep_lease, every(RENEWAL_NS / SECOND_NS)), name="watch-lease")
                tasks.create_task(again(self._keep_past, every(2.0)), name="watch-past")
                tasks.create_task(again(self.settle, every(SETTLE_LOOK_S)), name="watch-outcomes")
                tasks.create_task(again(self.learn, self._until_lesson), name="watch-learning")
                tasks.create_task(again(self.report, every(REPORT_LOOK_S)), name="watch-report")
                tasks.create_task(again(self.digest, every(DIGEST_LOOK_S)), name="watch-digests")
                if self._mirror is not None:
                    tasks.create_task(again(self.mirror, every(MIRROR_LOOK_S)), name="watch-mirror")
        finally:
            self._lease.give_back()

    def _step_and_tell(self) -> None:
        began = time.perf_counter()
        look = self.step()
        self._took_s = time.perf_counter() - began
        if look.raised or look.cleared or look.verdicts:
            self._rings.ring()

    async def _until_news(self) -> None:
        """Until reports were stored, or it is time to look whether another process has stored some."""
        await asyncio.sleep(max(GAP_S, self._took_s))
        await self._committed.wait(POLL_S - GAP_S)

    async def _until_lesson(self) -> None:
        await asyncio.sleep(LEARN_LOOK_S if self._hindsight.had_lesson else FIRST_LESSON_S)

    def _keep_past(self) -> None:
        now_ns = self._clock.now_ns()
        current = self._current
        if current is not None and self._hindsight.is_due(current, now_ns):
            self.refresh_past(now_ns)

    def _keep_lease(self) -> None:
        self._lease.keep(self._clock.now_ns())

    def _holds_lease(self, now_ns: int) -> bool:
        if self._lease.holds(now_ns):
            return True
        self._current = self._contact = None  # another watch decides; begin afresh when it is our turn
        return False

    def _mind_the_clock(self) -> None:
        """When the clock was set, begin afresh, as after a restart: else we would stand still until it has caught up."""
        by_ns = self._steps.set_by_ns()
        if not by_ns:
            return
        self._current = self._contact = None
        self._timetable.begin_afresh()
        self._lease.renew_at_once()
        self._hindsight.begin_afresh()
        extra = {"event": "watch.clock-set", "by_s": by_ns / SECOND_NS}
        log.warning("the clock was set by %.0f s: beginning afresh", by_ns / SECOND_NS, extra=extra)

    def _take_up_config(self, now_ns: int) -> Current:
        if self._timetable.config_is_due(now_ns):
            self._live.refresh()
        if self._current is None or self._current.offices.config is not self._live.current:
            self._current = self._begin(now_ns)
        return self._current

    def _begin(self, now_ns: int) -> Current:
        """Start from the store and the state database, as after a restart: nothing else is remembered."""
        until_ns = now_ns + self._horizon_ns() + DAY_NS
        there = self._live.current.calendar.occurrences(now_ns, until_ns)
        offices = prepare(self._live.current, there)
        self._cursor, _ = self._reader.tail(0)
        ring = WindowRing(Lines(offices.sites, offices.usual_paths), now_ns)
        ring.take(self._stored(now_ns), now_ns)
        ring.recall_ends(self._reader.latest())
        if self._current is not None:
            ring.recall(self._current.ring)
        else:
            ring.remember(self._state.beliefs())
        self._spoken.forget_all()
        self._book.recall(self._state, now_ns)
        self.counters.voided += void_changed(self._state, there, now_ns, until_ns)
        self._timetable.look_at_once()
        self._contact = self._contact or Contact(now_ns)
        if self._current is not None:
            self._contact.take_on(offices.linked_sites - self._current.offices.linked_sites, now_ns)
        return Current(offices, ring, self._state, self._contact)

    def _take_in(self, current: Current, now_ns: int) -> int:
        """Read the tail to its end; returns how many windows came in time."""
        current.ring.advance(now_ns)
        taken = 0
        while True:
            cursor, table = self._reader.tail(self._cursor, TAIL_ROWS)
            if cursor == self._cursor:
                return taken
            self._cursor = cursor
            current.contact.took(now_ns)
            rows = current.ring.take(table, now_ns)
            taken += rows.in_time
            self.counters.took(rows)
            if rows.oldest_late_ns is not None:
                self._hindsight.came_late(rows.oldest_late_ns)

    def _stored(self, now_ns: int) -> StreamTable:
        """What is in the store of the time that the ring spans."""
        return self._reader.streams(Selection(now_ns - RING_WINDOWS * WINDOW_NS, now_ns), histograms=False)

    def _look(self, current: Current, windows: int, now_ns: int) -> Look:
        occurrences = self._live.current.calendar.occurrences(now_ns, now_ns + self._horizon_ns())
        if not current.offices.know(occurrences):
            current = self._current = self._begin(now_ns)
        if self._blindness.look(current, now_ns):
            return Look(working=True, windows=windows, looked=True)
        current.reachability.look(self._reader, occurrences, now_ns)
        hindsight = self._hindsight
        changes = current.flag(hindsight.past, occurrences, now_ns)
        ground = current.ground(hindsight.past, hindsight.prepared, hindsight.in_force, now_ns)
        written = self._speak(ground, occurrences)
        known = hindsight.past is not None
        issued = self._book.issue_due(self._state, ground, occurrences) if known else 0
        self._book.forget(now_ns)
        self._spoken.keep({(o.meeting.uid, o.recurrence_ns, o.starts_ns) for o in occurrences})
        return Look(
            working=True,
            windows=windows,
            looked=True,
            raised=len(changes.raised) if changes else 0,
            cleared=len(changes.cleared) if changes else 0,
            verdicts=written,
            forecasts=issued,
        )

    def _speak(self, ground: Ground, occurrences: list[Occurrence]) -> int:
        """Write the verdicts that changed.

        A running watch says nothing while the past is still being read, at the start or for a new line: what it said
        before stands meanwhile, and priors alone would alarm people.
        """
        past = self._hindsight.past
        known = past is not None and past.shape.lines == ground.lines
        if self._waits_for_past and not known:
            return 0
        ground.foresight.foresee(ground.lines.shape, asked_spans(ground, occurrences))
        news = []
        for occurrence in occurrences:
            expectation = expect(ground, occurrence)
            rows = self._spoken.news(ground, occurrence, expectation)
            news += verdicts(ground, occurrence, expectation, rows.tolist())
        if news:
            self._state.put_verdicts(news)
        self.counters.verdicts += len(news)
        return len(news)

    def _horizon_ns(self) -> int:
        return int(self._live.current.settings.watch.forecast_days * DAY_NS)

    def _lost_windows(self, sites: Sequence[str], span: HourSpan) -> NDArray[np.int64]:
        return lost_windows(self._state, sites, span)

    def _beat(self, now_ns: int) -> None:
        self._state.beat(
            ROLE,
            now_ns,
            {
                **self.counters.detail(),
                "forecasts_issued": self._book.issued,
                "forecasts_missed": self._book.missed,
                "occurrences_settled": self._settler.settled,
                **self._hindsight.detail(),
                **(self._current.detail() if self._current else {}),
                **(self._mirror.detail() if self._mirror else {}),
            },
        )
