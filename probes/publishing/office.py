"""One office's agent: takes what was measured, spools it, has it published, and knows what to measure.

A fault of one office stays its own: whatever fails is counted, said once, and started again. While the disk
refuses (full, read-only) reports wait in memory, an hour at most, and measuring goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zlib
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from probes.backoff import Backoff
from probes.counters import Counters
from probes.icmp.targets import ping_targets
from probes.publishing.plan import chart, in_meeting, next_change_ns, sessions_at
from probes.publishing.preference import Preference
from probes.publishing.presence import Identity
from probes.publishing.publisher import Publisher
from probes.publishing.report import Draft, report_bytes
from probes.publishing.restart_reason import RestartReason, restart_reason
from probes.publishing.signing_sessions import SessionMarks, rehearsal_mark
from probes.publishing.spool import Made, Spool
from probes.publishing.spool_file import Opened, SpoolDamagedError, SpoolError, move_aside
from probes.publishing.trial import Trial, asked_of
from probes.publishing.word import Words
from probes.reaching.targets import questions
from probes.rehearsing.budget import DayBudget
from probes.rehearsing.rehearser import Rehearser
from probes.transition import Transition
from telemetry.codec import MessageError, decode_control
from telemetry.control import Plan
from telemetry.sources import ClockState
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from probes.measuring.session import ClosedWindow, Session
    from probes.publishing.office_settings import OfficeSettings
    from probes.publishing.plan import Course
    from probes.publishing.trial import Asked
    from probes.rehearsing.call_child import CallChild
    from probes.rehearsing.live_call import LiveCallSeen
    from probes.workers import Workers
    from telemetry.clock import WallClock
    from telemetry.messages import Item

WAITING_REPORTS: Final = 240
"""An hour of windows, in memory, while the spool cannot be written."""
TRIAL_LOOK_S: Final = 0.2
DISK_CAP: Final = 12
"""Opening the spool is tried again after at most so many times `Patience.disk_s`."""

_log = logging.getLogger(__name__)


class Office:
    """One office. `take` and `sessions` are called by the agent, `run` is its task."""

    def __init__(  # noqa: PLR0913 - the wiring of one office
        self,
        settings: OfficeSettings,
        *,
        clock: WallClock,
        workers: Workers,
        boot: str,
        version: str,
        child: CallChild,
        live_call: LiveCallSeen,
    ) -> None:
        self.settings = settings
        self.counters = Counters()
        self.course: Course = chart(None, settings.ends)
        self._clock = clock
        self._workers = workers
        self._boot = boot
        self._version = version
        self._preference = Preference()
        self._marks = SessionMarks(settings)
        self._waiting: deque[Draft] = deque()
        self._filled = asyncio.Event()
        self._stopping = asyncio.Event()
        self._publisher: Publisher | None = None
        self._spool: Spool | None = None
        self._trial: Trial | None = None
        self._spread_ns = zlib.crc32(settings.key.encode()) % SECOND_NS
        self._reason: RestartReason | None = None
        self._disk = Transition(_log, f"{settings.key}: spool", "works again", "spool")
        self._words = Words()
        self.rehearser = Rehearser(
            settings,
            clock=clock,
            child=child,
            live_call=live_call,
            budget=DayBudget(settings.spool.with_suffix(".rehearsed"), settings.rehearsal.day_octets),
            course=lambda: self.course,
            mark=lambda: rehearsal_mark(settings),
            tell=self._words.put,
        )
        self._fault = Transition(_log, f"{settings.key}: measuring", "sound again", "measuring")
        self._remarked = Transition(
            _log, f"{settings.key}: marks", "test packets arrive as they were marked again", "marks"
        )
        self._clock_trouble = Transition(
            _log, f"{settings.key}: clock", "is kept by NTP or PTP again", "clock"
        )

    def take(self, window: ClosedWindow, extra: tuple[Item, ...] = ()) -> None:
        """Take in a closed window and what else was seen in it. Never waits; past an hour of trouble the oldest go."""
        self.counters.reports_made += 1
        self._fault.good() if window.fault is None else self._fault.bad(window.fault)
        self._look_at_clock(window)
        self._look_at_marks(window)
        if len(self._waiting) >= WAITING_REPORTS:
            self._waiting.popleft()
            self.counters.reports_dropped += 1
        now_ns = self._clock.monotonic_ns()
        made = Made(self._boot, now_ns, self._clock.now_ns())
        self._waiting.append(Draft(window, (*window.streams, *extra, *self.rehearser.take()), made))
        self._filled.set()
        self._choose(window, now_ns)

    def _look_at_clock(self, window: ClosedWindow) -> None:
        """Say when nobody keeps this machine's clock; count its steps. Figures of the line need neither."""
        self.counters.clock_steps += window.self_report.clock_steps
        if window.clock.state is ClockState.UNSYNCHRONISED:
            self._clock_trouble.bad(
                "not kept by NTP or PTP; the hub dates its reports where they are off, but certificates may seem out of date"
            )
        elif window.clock.state is ClockState.SYNCHRONISED:
            self._clock_trouble.good()

    def _look_at_marks(self, window: ClosedWindow) -> None:
        """Say when packets arrive with another DSCP than they left with: calls are then treated otherwise than meant."""
        arrived = {
            f"{stream.path} {way}": one.dscp
            for stream in window.streams
            for way, one in (("up", stream.up), ("down", stream.down))
            if one.dscp is not None
        }
        plan = self.course.plan
        left = self.settings.dscp or (plan.dscp if plan is not None else 0)
        wrong = [f"{path} {dscp}" for path, dscp in sorted(arrived.items()) if dscp != left]
        if wrong:
            self._remarked.bad(
                f"test packets leave with DSCP {left} and arrive with another ({', '.join(wrong)}): somebody on the way marks them anew"
            )
        elif arrived:
            self._remarked.good()

    def sessions(self, now_ns: int) -> list[Session]:
        """What to measure at an instant."""
        plan = self.course.plan
        return self._marks.on(
            sessions_at(self.course, self.settings.key, now_ns), plan.dscp if plan is not None else 0
        )

    def next_change_ns(self, now_ns: int) -> int | None:
        """When `sessions` may change by the plan."""
        return next_change_ns(self.course, now_ns)

    async def tried(self, seconds: float, stop: asyncio.Event) -> Trial:
        """Look on until the hub has stored a report in which everything answered, at most so long or until the stop."""
        self._trial = trial = Trial()
        seen = self.counters.stored
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not trial.whole and not stop.is_set():
                    await asyncio.sleep(TRIAL_LOOK_S)
                    if self.counters.stored > seen:
                        seen = self.counters.stored
                        await self._look_at(trial)
        return trial

    async def _look_at(self, trial: Trial) -> None:
        """Tell a trial which of its reports have left the spool; one made while we look may be in either."""
        spool, made = self._spool, trial.waiting
        if spool is None:
            return
        with contextlib.suppress(SpoolError):  # `run` deals with it
            epoch, held = spool.epoch, await self._workers.on_disk(spool.held)
            if spool.epoch == epoch:
                trial.gone(one for one in made if one[0] == epoch and one[1] not in held)

    def stop(self) -> None:
        """Spool what is in memory, say goodbye, and end `run`."""
        self._stopping.set()
        self._filled.set()
        if self._publisher is not None:
            self._publisher.stop()

    async def run(self) -> None:
        """Work until stopped. Raises nothing but cancellation."""
        backoff = Backoff(
            base_s=self.settings.patience.disk_s, cap_s=DISK_CAP * self.settings.patience.disk_s
        )
        while not self._stopping.is_set():
            try:
                await self._with_spool()
            except SpoolDamagedError as error:
                self.counters.faults += 1
                self._disk.bad(f"{error}; it is moved aside and a new one begun")
                await self._workers.on_disk(move_aside, self.settings.spool, Opened.DAMAGED)
            except SpoolError as error:
                self.counters.spool_refused += 1
                self._disk.bad(str(error))
                await self._pause(backoff.next_s())
            except Exception:  # noqa: BLE001 - one office's fault stays its own
                self.counters.faults += 1
                _log.exception(
                    "%s: a fault in the agent; this office starts again",
                    self.settings.key,
                    extra={"event": "office.fault", "subject": self.settings.key},
                )
                await self._pause(backoff.next_s())

    async def _with_spool(self) -> None:
        """From opening the spool to the stop (returns) or to a fault of its file (raises)."""
        office = self.settings
        opening = partial(
            Spool, office.spool, site=office.site, probe=office.probe, limits=office.spool_limits
        )
        spool = await self._workers.on_disk(opening)
        try:
            await self._begin(spool)
            self._spool = spool
            self._publisher = publisher = self._new_publisher(spool)
            async with asyncio.TaskGroup() as group:
                publishing = group.create_task(publisher.run(), name=f"{office.key} publisher")
                writing = group.create_task(self._write(spool, publisher), name=f"{office.key} writer")
                await self._stopping.wait()
                publisher.stop()
                await asyncio.wait([publishing, writing])
                await self._workers.on_disk(spool.end_run)
        except ExceptionGroup as faults:
            raise _worst(faults) from faults
        finally:
            self._publisher = self._spool = None
            await asyncio.shield(self._workers.on_disk(spool.close))

    async def _begin(self, spool: Spool) -> None:
        """Say how the spool was found, note this run, and take up the plan that was kept."""
        if spool.opened in {Opened.DAMAGED, Opened.FOREIGN}:
            _log.warning(
                "%s: the spool was %s; it lies beside the new one, which begins epoch %s",
                self.settings.key,
                "damaged" if spool.opened is Opened.DAMAGED else "another probe's",
                spool.epoch,
                extra={"event": "spool.set-aside", "subject": self.settings.key, "epoch": spool.epoch},
            )
        previous = await self._workers.on_disk(spool.begin_run, self._boot, self._version)
        if self._reason is None:
            self._reason = restart_reason(previous, self._boot, self._version)
        kept = await self._workers.on_disk(spool.plan)
        if kept is not None:
            with contextlib.suppress(
                MessageError
            ):  # from a version that knew another form: the hub sends it anew
                self._follow(decode_control(kept, Plan))

    def _new_publisher(self, spool: Spool) -> Publisher:
        return Publisher(
            self.settings,
            spool,
            Identity(self._version, self._boot, self._reason or RestartReason.UNKNOWN),
            clock=self._clock,
            workers=self._workers,
            counters=self.counters,
            on_plan=self._follow,
            in_meeting=lambda: in_meeting(self.course, self._clock.now_ns()),
            verbs=self.rehearser.verbs,
            words=self._words,
        )

    async def _write(self, spool: Spool, publisher: Publisher) -> None:
        """Spool what waits, oldest first, until stopped and empty."""
        while self._waiting or not self._stopping.is_set():
            if not self._waiting:
                self._filled.clear()
                await self._filled.wait()
                continue
            try:
                await self._spool_one(spool, publisher)
            except SpoolDamagedError:
                raise
            except SpoolError as error:
                self.counters.spool_refused += 1
                self._disk.bad(f"{error}; reports wait in memory")
                if self._stopping.is_set():
                    return
                await self._pause(self.settings.patience.disk_s)

    async def _spool_one(self, spool: Spool, publisher: Publisher) -> None:
        draft = self._waiting[0]
        site, probe, counters = self.settings.site, self.settings.probe, self.counters
        spooling = asyncio.ensure_future(
            self._workers.on_disk(
                spool.append,
                draft.window.start_ns,
                draft.made,
                lambda slot: report_bytes(draft, slot, site, probe, counters),
            )
        )
        try:
            row = await asyncio.shield(spooling)
        except asyncio.CancelledError:  # the thread goes on: what it has numbered must not be numbered again
            await asyncio.wait([spooling])
            if spooling.exception() is None:
                self._taken(draft)
            raise
        self._taken(draft)
        self._disk.good()
        if self._trial is not None:
            self._trial.spooled((spool.epoch, row.seq), self._asked(draft))
        publisher.submit(row, self._spread_ns)

    def _taken(self, draft: Draft) -> None:
        """It is in the spool, and no longer needed in memory."""
        if self._waiting and self._waiting[0] is draft:
            self._waiting.popleft()

    def _asked(self, draft: Draft) -> Asked:
        """What a report says of everything that is asked for now."""
        sessions = self.sessions(self._clock.now_ns())
        return asked_of(draft.items, [one.path for one in sessions], ping_targets(self.settings, sessions))

    def _follow(self, plan: Plan) -> None:
        """Take a plan; say and count what had to be cut."""
        course = chart(plan, self.settings.ends)
        course = replace(course, clamped=(*course.clamped, *questions(plan, self.settings).cut))
        if course.clamped and course.clamped != self.course.clamped:
            self.counters.plan_clamped += len(course.clamped)
            _log.warning(
                "%s: plan cut: %s",
                self.settings.key,
                "; ".join(course.clamped),
                extra={
                    "event": "plan.cut",
                    "subject": self.settings.key,
                    "reason": "; ".join(course.clamped),
                },
            )
        if course.targets != self.course.targets:
            self._preference.reset()
        self.course = course.with_choice(self._preference.choice())

    def _choose(self, window: ClosedWindow, now_ns: int) -> None:
        counts = {target.path: len(target.reflectors) for target in self.course.targets}
        if self._preference.observe(window.streams, counts, now_ns):
            self.course = self.course.with_choice(self._preference.choice())
            _log.warning(
                "%s: another reflector is used: %s",
                self.settings.key,
                self.course.choice,
                extra={"event": "plan.other-reflector", "subject": self.settings.key},
            )

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


def _worst(faults: ExceptionGroup[Exception]) -> Exception:
    """The fault to act on: a damaged spool before one that cannot be used now, before anything else."""
    single: list[Exception] = []
    groups: list[ExceptionGroup[Exception]] = [faults]
    while groups:
        for fault in groups.pop().exceptions:
            if isinstance(fault, ExceptionGroup):
                groups.append(fault)
            else:
                single.append(fault)
    return min(
        single,
        key=lambda fault: (not isinstance(fault, SpoolDamagedError), not isinstance(fault, SpoolError)),
    )
