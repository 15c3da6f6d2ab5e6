"""One office's part in rehearsals: obeys the hub's order or says why not, looks on while it goes on, and reports."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import structs

from probes.rehearsing.call_messages import Begin
from telemetry.control import Answer
from telemetry.rehearsal_reasons import WhyNot
from telemetry.rehearsing import OfficeProgress, OfficeState, RehearsalOrder, said_by
from telemetry.windows import MS_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from probes.publishing.office_settings import OfficeSettings
    from probes.publishing.plan import Course
    from probes.rehearsing.budget import DayBudget
    from probes.rehearsing.call_child import CallChild
    from probes.rehearsing.call_messages import Said
    from probes.rehearsing.live_call import LiveCallSeen
    from telemetry.clock import WallClock
    from telemetry.control import Plan
    from telemetry.messages import Rehearsal

LATE_NS: Final = 2 * SECOND_NS
"""An order whose start is longer past is not obeyed: the others are under way."""
AHEAD_NS: Final = 900 * SECOND_NS
MOST_S: Final = 180.0
"""A whole ladder; the headquarters admits no longer session."""
CALL_BEFORE_NS: Final = 60 * SECOND_NS
"""A call that was seen so lately may be going on still."""
CALL_NOW_NS: Final = SECOND_NS
LOOK_S: Final = 0.2
GRACE_S: Final = 5.0
STEP_NS: Final = 20 * MS_NS
"""A clock that is off by more than this from where it would be by itself was set."""
REHEARSE: Final = "rehearse"
STOP: Final = "rehearse-stop"
_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """Why the order is not obeyed: a code, and what is known besides."""

    def __init__(self, why: WhyNot, more: str = "") -> None:
        super().__init__(f"{why} {more}".rstrip())


@dataclass
class _Running:
    order: RehearsalOrder
    end_ns: int
    anchor_ns: int
    """Real minus monotonic time as the order was taken up, when the hub had that real time checked."""
    halted: WhyNot | None = None
    cut: bool = False
    """The line's stated rate does not allow the last rungs."""
    clock_was_set: bool = False


class Rehearser:
    """One office. Its verbs are called by whoever reads the hub's commands."""

    def __init__(  # noqa: PLR0913 - the wiring of one office
        self,
        settings: OfficeSettings,
        *,
        clock: WallClock,
        child: CallChild,
        live_call: LiveCallSeen,
        budget: DayBudget,
        course: Callable[[], Course],
        mark: Callable[[], tuple[int, bytes]],
        tell: Callable[[Answer], None],
    ) -> None:
        """`mark` reads the office's SSID and key, `tell` sends an answer that nobody has asked for."""
        self._settings = settings
        self._clock = clock
        self._child = child
        self._live_call = live_call
        self._budget = budget
        self._course = course
        self._mark = mark
        self._tell = tell
        self._running: _Running | None = None
        self._task: asyncio.Task[None] | None = None
        self._items: list[Rehearsal] = []

    @property
    def verbs(self) -> dict[str, Callable[[Mapping[str, str]], Answer]]:
        """What the hub may say."""
        return {REHEARSE: self._begin, STOP: self._stop}

    def take(self) -> tuple[Rehearsal, ...]:
        """What has come of rehearsals since this was asked last; for the next report."""
        items, self._items = tuple(self._items), []
        return items

    async def close(self) -> None:
        """Break off what goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _begin(self, arguments: Mapping[str, str]) -> Answer:
        try:
            order = msgspec.json.decode(arguments.get("order", ""), type=RehearsalOrder)
        except msgspec.MsgspecError as error:
            return Answer(ok=False, detail=f"{WhyNot.UNREADABLE} {error}"[:200])
        try:
            begin = self._checked(order)
        except RefusedError as error:
            _log.info(
                "%s: rehearsal refused: %s",
                self._settings.key,
                error,
                extra={"event": "rehearsal.refused", "subject": self._settings.key, "reason": str(error)},
            )
            return Answer(ok=False, detail=str(error)[:200])
        cut = len(begin.order.rungs) < len(order.rungs)
        anchor_ns = begin.order.start_ns - begin.start_mono_ns
        self._running = _Running(begin.order, _end_ns(begin.order), anchor_ns, cut=cut)
        self._task = asyncio.create_task(self._run(begin), name=f"{self._settings.key} rehearsal")
        return Answer(ok=True, detail=f"clock_ns={self._clock.now_ns()}")

    def _stop(self, arguments: Mapping[str, str]) -> Answer:
        running = self._running
        if running is None or running.order.id != arguments.get("id", running.order.id):
            return Answer(ok=True, detail="nothing to stop")
        running.halted = running.halted or WhyNot.STOPPED
        return Answer(ok=True, detail="stopping")

    def _checked(self, order: RehearsalOrder) -> Begin:
        """What the order comes to here.

        Raises:
            RefusedError: why it is not obeyed.
        """
        now_ns, mono_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        rehearsal = self._settings.rehearsal
        if not rehearsal.enabled:
            raise RefusedError(WhyNot.OFF)
        if self._running is not None:
            raise RefusedError(WhyNot.BUSY, self._running.order.id)
        if not now_ns - LATE_NS <= order.start_ns <= now_ns + AHEAD_NS:
            raise RefusedError(WhyNot.START, f"{(order.start_ns - now_ns) / SECOND_NS:.1f} s")
        if len(order.rungs) * (order.rung_s + GRACE_S) > MOST_S:
            raise RefusedError(WhyNot.TOO_LONG)
        target = next((one for one in self._course().targets if one.path == order.path), None)
        if target is None:
            raise RefusedError(WhyNot.NO_PATH, order.path)
        ssid, key = self._mark()
        if not (ssid and key):
            raise RefusedError(WhyNot.NO_KEY)
        if objection := self._against(now_ns, _end_ns(order), CALL_BEFORE_NS):
            raise RefusedError(objection)
        order = self._within_ceiling(order)
        if _octets(order) > self._budget.left(now_ns):
            raise RefusedError(WhyNot.BUDGET)
        host, port = self._course().chosen(target)
        return Begin(
            office=self._settings.key,
            order=order,
            start_mono_ns=mono_ns + order.start_ns - now_ns,
            host=host,
            port=port,
            ssid=ssid,
            key=key,
        )

    def _against(self, from_ns: int, until_ns: int, call_ns: int) -> WhyNot | None:
        """A meeting or a call between the two times; None when nothing is against it."""
        if self._live_call.seen_within(call_ns):
            return WhyNot.LIVE_CALL
        plan = self._course().plan
        if plan is None or plan.valid_until_ns < until_ns:
            return WhyNot.NO_PLAN
        return WhyNot.MEETING if meets(plan, from_ns, until_ns) else None

    def _within_ceiling(self, order: RehearsalOrder) -> RehearsalOrder:
        """Without the rungs that ask for more than the line is stated to have.

        Raises:
            RefusedError: none is left.
        """
        rehearsal = self._settings.rehearsal
        most_up, most_down = rehearsal.most_up_bps, rehearsal.most_down_bps
        rungs = tuple(
            rung
            for rung in order.rungs
            if (not most_up or rung.up_bps <= most_up) and (not most_down or rung.down_bps <= most_down)
        )
        if not rungs:
            raise RefusedError(WhyNot.CEILING)
        return structs.replace(order, rungs=rungs)

    async def _run(self, begin: Begin) -> None:
        running = self._running
        over = asyncio.Event()
        if running is None:
            return

        def told(said: Said) -> None:
            progress = said.progress
            if said.item is not None:
                self._items.append(said.item)
                self._budget.spend(said.octets, self._now_ns(running))
            if progress.state.is_over:
                over.set()
            if running.cut and progress.state is OfficeState.HELD:
                progress = structs.replace(progress, state=OfficeState.BROKE, why=WhyNot.CEILING)
            self._report(begin.order.id, progress)

        try:
            await self._child.begin(begin, told)
            await self._look_on(running, over)
        except OSError as error:
            failed = OfficeProgress(
                site="x", probe="x", state=OfficeState.ABORTED, why=f"{WhyNot.PROCESS} {error}"[:200], step=1
            )
            self._report(begin.order.id, failed)
        except asyncio.CancelledError:
            await self._child.halt(self._settings.key, WhyNot.SHUTDOWN)
            raise
        finally:
            self._running = None

    async def _look_on(self, running: _Running, over: asyncio.Event) -> None:
        """Break off when a call is seen, a meeting is planned, the hub says so, or it takes too long."""
        said = False
        while not over.is_set():
            try:
                async with asyncio.timeout(LOOK_S):
                    await over.wait()
            except TimeoutError:
                pass
            now_ns = self._now_ns(running)
            against = running.halted or self._against(now_ns, now_ns, CALL_NOW_NS)
            if not against and now_ns > running.end_ns + round(3 * GRACE_S * SECOND_NS):
                against = WhyNot.TOO_LONG
            if against and not said:
                said = True
                _log.info(
                    "%s: rehearsal broken off: %s",
                    self._settings.key,
                    against,
                    extra={
                        "event": "rehearsal.broken-off",
                        "subject": self._settings.key,
                        "reason": str(against),
                    },
                )
                await self._child.halt(self._settings.key, against)

    def _now_ns(self, running: _Running) -> int:
        """Real time, as if the clock had not been set since the order was taken up: a step moves no end and no meeting."""
        now_ns = self._clock.monotonic_ns() + running.anchor_ns
        off_ns = self._clock.now_ns() - now_ns
        if abs(off_ns) > STEP_NS and not running.clock_was_set:
            running.clock_was_set = True
            text = "%s: this machine's clock was set by %+.3f s during a rehearsal, which goes on by another"
            _log.warning(
                text,
                self._settings.key,
                off_ns / SECOND_NS,
                extra={
                    "event": "rehearsal.clock-set",
                    "subject": self._settings.key,
                    "by_s": off_ns / SECOND_NS,
                },
            )
        return now_ns

    def _report(self, rehearsal_id: str, progress: OfficeProgress) -> None:
        named = structs.replace(progress, site=self._settings.site, probe=self._settings.probe)
        self._tell(said_by(rehearsal_id, named))


def meets(plan: Plan, from_ns: int, until_ns: int) -> bool:
    """Whether the office has a meeting, with the hub's margin, in a span of time."""
    return any(busy.from_ns <= until_ns and from_ns < busy.until_ns for busy in plan.busy)


def _end_ns(order: RehearsalOrder) -> int:
    return order.start_ns + round(len(order.rungs) * (order.rung_s + 1.0) * SECOND_NS)


def _octets(order: RehearsalOrder) -> int:
    """What a whole ladder costs, both ways."""
    return round(sum(rung.up_bps + rung.down_bps for rung in order.rungs) * order.rung_s / 8)
