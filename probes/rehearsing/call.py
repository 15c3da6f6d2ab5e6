"""The office's end of one rehearsal: knocks, climbs the ladder rung by rung, and says how far each way has come.

Both ways are loaded at once, as in a call. A way that broke climbs no further: it goes on with the last rung that it
held, so that the other is judged beside the traffic that there would be.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import structs

from probes.rehearsing.arrivals import Came, bitrate_bps
from probes.rehearsing.bodies import (
    COOKIE,
    NONCE,
    NONE_NS,
    StepWish,
    Wish,
    read_feedback,
    read_figures,
    read_granted,
    read_wish,
    step_body,
    wish_body,
)
from probes.rehearsing.door import Reason
from probes.rehearsing.early import FEEDBACK_S, Early
from probes.rehearsing.flow import Flow
from probes.rehearsing.growth import DelayGrowth
from probes.rehearsing.shape import packets
from probes.rehearsing.verdict import Way, breaches
from probes.rehearsing.wire import Kind
from telemetry.messages import Rehearsal, Rung
from telemetry.rehearsal_reasons import WAYS, WhyNot
from telemetry.rehearsing import OfficeProgress, OfficeState
from telemetry.windows import MS_NS, SECOND_NS

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from probes.rehearsing.bodies import Figures
    from probes.rehearsing.wire import Control
    from telemetry.rehearsing import RehearsalOrder, RungWanted

HELLOS: Final = 3
"""The idle round trip is the least of so many."""
ASK_AGAIN_S: Final = 0.15
PATIENCE_S: Final = 3.0
AHEAD_S: Final = 1.5
"""The door is knocked at so long before the start, so that the load begins on the second."""
DRAIN_S: Final = (0.3, 0.7)
"""What is still on its way after a rung is waited for; a tenth of the rung, within these."""
OWN_LATE_NS: Final = 150 * MS_NS
"""A rung that broke while one of the two ends sent its packets later than this proves nothing: it is tried once more."""
DENIED: Final[dict[int, str]] = {
    Reason.BUSY: WhyNot.DENIED_BUSY,
    Reason.BUDGET: WhyNot.DENIED_BUDGET,
    Reason.TOO_MUCH: WhyNot.DENIED_TOO_MUCH,
}


class Broken(Exception):  # noqa: N818 - says what happened
    """The rehearsal ends here; the text is its code."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the item for the report, the last word, and the octets that it cost the line, both ways."""

    item: Rehearsal
    progress: OfficeProgress
    octets: int


class Call:
    """One rehearsal. `tick` is called a few hundred times a second while `run` goes on."""

    def __init__(
        self,
        order: RehearsalOrder,
        sock: socket.socket,
        mark: tuple[int, bytes],
        say: Callable[[OfficeProgress], None],
        start_mono_ns: int | None = None,
    ) -> None:
        """`mark`: the office's SSID and key; `start_mono_ns`: the order's start by the monotonic clock, as it was taken up."""
        self._order = order
        self._start_mono_ns = mono_of(order.start_ns) if start_mono_ns is None else start_mono_ns
        self._flow = Flow(sock, mark[1], mark[0], self._hear)
        self._say = say
        self._answers: dict[Kind, tuple[Control, int]] = {}
        self._heard = asyncio.Event()
        self._stopped = ""
        self._number = 0
        self._idle_rtt_ns: int | None = None
        self._growth = DelayGrowth()
        self._held: list[RungWanted | None] = [None, None]
        self._broke = ["", ""]
        self._rungs: tuple[list[Rung], list[Rung]] = ([], [])
        self._progress = OfficeProgress(site="x", probe="x", state=OfficeState.WAITING)
        self._hushed = 0
        self._lasted = [0.0, 0.0]
        """Seconds that each way of the rung was loaded for."""
        self._far_clock = False
        """The other end's clock was set under a rung, and that end did not keep it to itself."""

    def stop(self, why: str) -> None:
        """Break off now."""
        self._stopped = self._stopped or why
        self._flow.hush()
        self._heard.set()

    def tick(self) -> None:
        """Send and receive what is due."""
        self._flow.tick()

    async def run(self) -> Outcome:
        """From the knock to the last word. Raises nothing but cancellation."""
        aborted = ""
        keeping: asyncio.Task[None] | None = None
        try:
            await self._wait_until(self._start_mono_ns - round(AHEAD_S * SECOND_NS))
            await self._knock()
            keeping = asyncio.create_task(self._keep_on(), name="keep on")
            await self._wait_until(self._start_mono_ns)
            self._tell()
            for wanted in self._order.rungs:
                if all(self._broke):
                    break
                await self._climb(wanted)
        except Broken as broken:
            aborted = str(broken)
        finally:
            self._flow.hush()
            if keeping is not None:
                keeping.cancel()
            for _ in range(2):
                self._signed(Kind.BYE)
            self._flow.close()
        return self._outcome(aborted)

    # The steps of it.

    async def _knock(self) -> None:
        """Get a session of the headquarters.

        Raises:
            Broken: there is no answer, or it was denied.
        """
        rungs = self._order.rungs
        most = [max(getattr(rung, name) for rung in rungs) for name in ("up_bps", "down_bps")]
        seconds = round(len(rungs) * (self._order.rung_s + PATIENCE_S) + PATIENCE_S + AHEAD_S)
        wish = Wish(*(secrets.token_bytes(NONCE), bytes(COOKIE), 0, round(most[0]), round(most[1]), seconds))
        for _ in range(HELLOS):
            asked_ns = self._flow.time.now_ns()
            answer, received_ns = await self._ask(
                Kind.HELLO, wish_body(wish), {Kind.CHALLENGE}, WhyNot.NO_ANSWER
            )
            took = received_ns - asked_ns
            if took > 0 and (self._idle_rtt_ns is None or took < self._idle_rtt_ns):
                self._idle_rtt_ns = took
        challenge = read_wish(answer.body)
        wish = wish._replace(cookie=challenge.cookie, challenged_ns=challenge.challenged_ns)
        answer, _ = await self._ask(Kind.START, wish_body(wish), {Kind.GRANT, Kind.DENY}, WhyNot.NO_ANSWER)
        if answer.kind is Kind.DENY:
            reason = read_granted(answer.body).seconds
            raise Broken(DENIED.get(reason, f"{WhyNot.DENIED} {reason}"))
        self._flow.token = answer.token

    async def _climb(self, wanted: RungWanted) -> None:
        """One rung, tried once more when this machine or the headquarters' was too slow to prove anything.

        Raises:
            Broken: stopped, or nothing can be said of the line.
        """
        tried = [not broke for broke in self._broke]
        for attempt in (1, 2):
            self._tell(rung=wanted.name)
            ways, loaded_rtt_ms, trouble = await self._rung(wanted, tried)
            up, down = (way if was else None for way, was in zip(ways, tried, strict=True))
            found = breaches(wanted, up, down, (self._idle_rtt_ns or 0) / MS_NS, loaded_rtt_ms)
            if not (any(found) and trouble):
                break
            if attempt == 2:
                raise Broken(trouble)
        for i, way in enumerate(ways):
            if tried[i]:
                self._rungs[i].append(way.rung(wanted.name, held=not found[i]))
                self._broke[i] = found[i]
                if not found[i]:
                    self._held[i] = wanted
        self._tell_rung(ways, tried)

    async def _rung(self, wanted: RungWanted, tried: list[bool]) -> tuple[tuple[Way, Way], float | None, str]:
        """The load of a rung on both ways; what came of it, and what kept the two ends from doing it well.

        Between them the round trip under load, where it must stand in for the growth of each way.
        """
        up, down = (wanted if was else held for was, held in zip(tried, self._held, strict=True))
        seconds = self._order.rung_s
        rates = (up.up_bps if up else 0.0, down.down_bps if down else 0.0)
        frames = tuple(one.frames_per_s if one else 1.0 for one in (up, down))
        plan_up, plan_down = (packets(rates[i], frames[i], seconds) for i in (0, 1))
        step, dropped = self._flow.step % 255 + 1, self._flow.dropped
        self._hushed, self._lasted = 0, [seconds, seconds]
        self._flow.expect(step)
        wish = StepWish(
            *(round(rates[0]), round(rates[1]), round(frames[0] * 10), round(frames[1] * 10)),
            round(seconds * 1000),
        )
        await self._ask(Kind.STEP, step_body(wish), {Kind.STEPPED}, WhyNot.SILENT, step)
        self._flow.load(plan_up)
        early, late_ns = await self._watch(seconds, tried)
        await self._pause(min(max(0.1 * seconds, DRAIN_S[0]), DRAIN_S[1]))
        self._flow.hush()
        sent = self._flow.sent
        answer, _ = await self._ask(Kind.ASK, sent.to_bytes(4), {Kind.FIGURES}, WhyNot.SILENT, step)
        figures = read_figures(answer.body)
        came_down = self._flow.arrivals.came(plan_down, min(figures.sent_down, len(plan_down)))
        grown = self._growth.rung(_came_up(figures), came_down)
        self._far_clock |= grown.far_clock_ms is not None
        counts = (sent, figures.sent_down)
        up_way, down_way = (
            Way(counts[i], grown.came[i], self._lasted[i], rates[i], grown.growth_ms[i], early[i])
            for i in (0, 1)
        )
        trouble = self._trouble(late_ns, self._flow.dropped > dropped, bool(figures.overrun))
        if not early[0] and sent < len(plan_up):
            trouble = WhyNot.OWN_LOAD
        return (up_way, down_way), grown.far_clock_ms, trouble

    async def _watch(self, seconds: float, tried: list[bool]) -> tuple[list[str], tuple[int, int]]:
        """Look ten times a second whether a way must be broken off; until both are, or the time is over."""
        watching, early = (Early(), Early()), ["", ""]
        began = time.monotonic()
        end, late_ns = began + seconds, (0, 0)
        while (left := end - time.monotonic()) > 0 and not all(early):
            await self._pause(min(FEEDBACK_S, left))
            arrivals = self._flow.arrivals
            seen = [None, (arrivals.received, arrivals.expected, arrivals.take_least_ns())]
            told = self._answers.pop(Kind.FEEDBACK, None)
            if told is not None and told[0].step == self._flow.step:
                feedback = read_feedback(told[0].body)
                delay = None if feedback.least_delay_ns == NONE_NS else feedback.least_delay_ns
                seen[0] = (feedback.received, feedback.expected, delay)
                late_ns = (late_ns[0], max(late_ns[1], feedback.late_ms * MS_NS))
            late_ns = (max(late_ns[0], self._flow.late_ns), late_ns[1])
            above = self._growth.interval(*(None if look is None else look[2] for look in seen))
            for i, look in enumerate(seen):
                if look is not None and tried[i] and not early[i]:
                    early[i] = watching[i].look(look[0], look[1], above[i])
                    self._lasted[i] = time.monotonic() - began if early[i] else seconds
            self._break_off(early)
        return early, late_ns

    def _break_off(self, early: list[str]) -> None:
        """Send no more on a way that is broken off, and have the headquarters send no more on the other."""
        if early[0]:
            self._flow.hush()
        if early[1]:
            self._hushed = 1

    @staticmethod
    def _trouble(late_ns: tuple[int, int], own: bool, theirs: bool) -> str:  # noqa: FBT001
        if own or late_ns[0] > OWN_LATE_NS:
            return WhyNot.OWN_LOAD
        return WhyNot.HUB_LOAD if theirs or late_ns[1] > OWN_LATE_NS else ""

    # Saying and hearing.

    def _hear(self, packet: Control, received_ns: int) -> None:
        self._answers[packet.kind] = packet, received_ns
        self._heard.set()

    def _signed(self, kind: Kind, body: bytes = b"") -> None:
        self._number += 1
        self._flow.say(kind, body, self._number)

    async def _keep_on(self) -> None:
        """Without our word the headquarters sends nothing."""
        while True:
            self._signed(Kind.KEEP, bytes([self._hushed]))
            await asyncio.sleep(FEEDBACK_S)

    async def _ask(
        self, kind: Kind, body: bytes, wanted: set[Kind], otherwise: str, step: int = 0
    ) -> tuple[Control, int]:
        """Ask until there is an answer.

        Raises:
            Broken: there is none in time; or we were told to stop.
        """
        end = time.monotonic() + PATIENCE_S
        for expected in wanted:
            self._answers.pop(expected, None)
        while time.monotonic() < end:
            self._signed(kind, body)
            again = time.monotonic() + ASK_AGAIN_S
            while time.monotonic() < again:
                await self._pause(again - time.monotonic(), until_heard=True)
                for expected in wanted:
                    answer = self._answers.get(expected)
                    if answer is not None and answer[0].step == step:
                        return self._answers.pop(expected)
        raise Broken(otherwise)

    async def _wait_until(self, mono_ns: int) -> None:
        while (left_ns := mono_ns - time.monotonic_ns()) > 0:
            await self._pause(left_ns / SECOND_NS)

    async def _pause(self, seconds: float, *, until_heard: bool = False) -> None:
        """Wait; not longer than until we are stopped.

        Raises:
            Broken: we are.
        """
        end = time.monotonic() + seconds
        while not self._stopped and (left := end - time.monotonic()) > 0:
            self._heard.clear()
            try:
                async with asyncio.timeout(left):
                    await self._heard.wait()
            except TimeoutError:
                break
            if until_heard:
                break
        if self._stopped:
            raise Broken(self._stopped)

    def _tell(self, **changes: object) -> None:
        self._progress = structs.replace(
            self._progress, step=self._progress.step + 1, state=OfficeState.RUNNING, **changes
        )
        self._say(self._progress)

    def _tell_rung(self, ways: tuple[Way, Way], tried: list[bool]) -> None:
        rate = [
            bitrate_bps(way.came, way.seconds) if was else None for way, was in zip(ways, tried, strict=True)
        ]
        names = ["" if held is None else held.name for held in self._held]
        now = self._progress
        self._tell(
            rung_up=names[0],
            rung_down=names[1],
            up_bps=now.up_bps if rate[0] is None else rate[0],
            down_bps=now.down_bps if rate[1] is None else rate[1],
        )

    def _note(self) -> str:
        """What was done to the clocks meanwhile."""
        if self._far_clock:
            return WhyNot.FAR_CLOCK
        return WhyNot.OWN_CLOCK if self._flow.time.steps else ""

    def _outcome(self, aborted: str) -> Outcome:
        order, last = self._order, self._order.rungs[-1].name
        item = Rehearsal(
            path=order.path,
            rehearsal_id=order.id,
            up=tuple(self._rungs[0]),
            down=tuple(self._rungs[1]),
            aborted=aborted or None,
        )
        why, state = aborted, OfficeState.ABORTED
        if not aborted:
            held = [one is not None and one.name == last for one in self._held]
            state = OfficeState.HELD if all(held) else OfficeState.BROKE
            ways = zip(WAYS, self._broke, strict=True)
            why = ", ".join(f"{way} {broke}" for way, broke in ways if broke)
        progress = structs.replace(
            self._progress, step=self._progress.step + 1, state=state, rung="", why=why, note=self._note()
        )
        return Outcome(item, progress, self._flow.octets_sent + self._flow.octets_received)


def mono_of(real_ns: int) -> int:
    """A real time by the monotonic clock, as the two stand now: whoever waits for that is not moved by a clock that is set."""
    return time.monotonic_ns() + real_ns - time.time_ns()


def _came_up(figures: Figures) -> Came:
    delays = (figures.p95_delay_ns, figures.least_delay_ns)
    known = (None if one == NONE_NS else one for one in delays)
    return Came(
        figures.received,
        figures.octets,
        figures.span_us,
        figures.jitter_us,
        figures.worst_lost,
        figures.worst_sent,
        *known,
    )
