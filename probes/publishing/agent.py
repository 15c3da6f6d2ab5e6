"""The agent: any number of offices over one measuring process (one in a real office, the fleet in the lab)."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from probes.icmp.ping import Pinger
from probes.icmp.targets import ping_targets
from probes.kept_going import kept_going
from probes.kernel.interfaces import LinkMeters
from probes.lean_memory import give_back
from probes.publishing.office import Office
from probes.publishing.restart_reason import boot_id
from probes.reaching.reacher import Reacher
from probes.reaching.targets import questions
from probes.rehearsing.call_child import CallChild
from probes.rehearsing.live_call import NobodyLooks
from probes.workers import Workers
from telemetry.clock import SystemClock
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from probes.call.watch import CallWatch
    from probes.measuring.session import ClosedWindow, Session
    from probes.publishing.office_settings import OfficeSettings
    from probes.rehearsing.live_call import LiveCallSeen
    from telemetry.clock import WallClock

LOOK_S: Final = 1.0
"""The plan is looked at this often at least, for the clock may be set under us."""
LEAN_FIRST_S: Final = 30.0
LEAN_EVERY_S: Final = 3600.0
LAST_WINDOWS_S: Final = 2.0
FAREWELL_S: Final = 8.0

_log = logging.getLogger(__name__)


class Measuring(Protocol):
    """What the agent needs of `probes.measuring.measurer.Measurer`."""

    async def start(self) -> None:
        """Begin to measure."""
        ...

    async def set_sessions(self, sessions: Sequence[Session]) -> None:
        """Replace the whole set of sessions."""
        ...

    def windows(self) -> AsyncIterator[ClosedWindow]:
        """Every office's windows as they close; ends after `stop`."""
        ...

    async def stop(self) -> None:
        """End measuring."""
        ...


async def run_offices(
    offices: Sequence[OfficeSettings],
    measurer: Measuring,
    *,
    clock: WallClock | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Measure, spool and publish for some offices until `stop` is set (or the task is cancelled).

    The measurer is started here and stopped at the end.

    Raises:
        ValueError: two offices have the same site and probe, or the same spool.
        OSError: the measuring process cannot be started.
        ExceptionGroup: the measurer failed for good.
    """
    await Agent(offices, measurer, clock=clock or SystemClock()).run(stop or asyncio.Event())


class Agent:
    """The offices, and what they share: the measuring process, ICMP, the interface counters, the threads."""

    def __init__(
        self,
        offices: Sequence[OfficeSettings],
        measurer: Measuring,
        *,
        clock: WallClock,
        live_call: LiveCallSeen | None = None,
    ) -> None:
        """`live_call`: who sees whether a call is going on here, so that no rehearsal disturbs it."""
        for what, values in (("name", [o.key for o in offices]), ("spool", [str(o.spool) for o in offices])):
            if len(set(values)) < len(values):
                raise ValueError(f"two offices have the same {what}")
        self._measurer = measurer
        self._ending = False
        self._clock = clock
        self._workers = Workers()
        self._rehearsals = CallChild()
        boot, running = boot_id(), running_version()
        self.calls = {o.key: _call_watch(o, clock) for o in offices if o.call_interface}
        """The offices that look for live calls; `live` of each says whether one is on."""
        self.offices = {
            o.key: Office(
                o,
                clock=clock,
                workers=self._workers,
                boot=boot,
                version=running,
                child=self._rehearsals,
                live_call=live_call or (self.calls[o.key].live if o.key in self.calls else NobodyLooks()),
            )
            for o in offices
        }
        self._pinger = Pinger(clock, self._workers)
        self._reacher = Reacher(clock, self._workers)
        self._links = LinkMeters(clock)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stopped (or cancelled); then let every office spool what it has and say goodbye.

        Raises:
            OSError: the measuring process cannot be started.
            ExceptionGroup: the measurer failed; the offices are dropped, what they had is in their spools.
        """
        with self._workers:
            await self._measurer.start()
            try:
                async with asyncio.TaskGroup() as group:
                    handing = group.create_task(self._hand_out(), name="windows to offices")
                    shared = [
                        group.create_task(kept_going(name, work), name=name)
                        for name, work in (
                            ("plans to measurer", self._follow_plans),
                            ("ping", self._pinger.run),
                            ("reachability", self._reacher.run),
                            ("interface counters", self._links.run),
                            ("memory", _stay_lean),
                            *((f"{key} calls", watch.run) for key, watch in self.calls.items()),
                        )
                    ]
                    working = [
                        group.create_task(office.run(), name=f"{key} office")
                        for key, office in self.offices.items()
                    ]
                    try:
                        await stop.wait()
                    finally:
                        await self._farewell(handing, working)
                        for task in (handing, *shared, *working):
                            task.cancel()
            finally:
                await self._stop_measuring()

    async def _farewell(self, handing: asyncio.Task[None], working: Sequence[asyncio.Task[None]]) -> None:
        """Break off rehearsals, take the last windows, then let the offices finish."""
        await asyncio.gather(*(office.rehearser.close() for office in self.offices.values()))
        await self._rehearsals.close()
        await self._stop_measuring()
        await asyncio.wait([handing], timeout=LAST_WINDOWS_S)
        for office in self.offices.values():
            office.stop()
        await asyncio.wait(working, timeout=FAREWELL_S)

    async def _stop_measuring(self) -> None:
        """Stop the measurer, once. Should that fail, the offices' goodbye does not suffer."""
        if self._ending:
            return
        self._ending = True
        try:
            await self._measurer.stop()
        except Exception:  # noqa: BLE001 - whatever it is, we are leaving
            _log.exception("the measurer did not stop in order", extra={"event": "measuring-process.fault"})

    async def _hand_out(self) -> None:
        """Give each closed window to its office, with what else was seen in it.

        Raises:
            RuntimeError: the measurer failed, or ended although nobody had asked.
        """
        async for window in self._measurer.windows():
            office = self.offices.get(window.office)
            if office is None:
                _log.warning(
                    "a window for %s, which is no office here",
                    window.office,
                    extra={"event": "window.foreign", "subject": window.office},
                )
                continue
            link = self._links.take(office.settings.interface, window.start_ns)
            pings = self._pinger.take(window.office, window.start_ns)
            reached = self._reacher.take(window.office, window.start_ns)
            watch = self.calls.get(window.office)
            calls = watch.take(window.start_ns) if watch is not None else ()
            office.take(window, (*pings, *reached, *((link,) if link is not None else ()), *calls))
        if not self._ending:
            raise RuntimeError("the measurer ended by itself")

    async def _follow_plans(self) -> None:
        """Have measured and pinged what the plans ask for at this instant."""
        current: list[Session] | None = None
        while True:
            now_ns = self._clock.now_ns()
            sessions = [session for office in self.offices.values() for session in office.sessions(now_ns)]
            if sessions != current:
                await self._measurer.set_sessions(sessions)
                current = sessions
            for key, office in self.offices.items():
                self._pinger.set_targets(key, ping_targets(office.settings, office.sessions(now_ns)))
                self._reacher.set_questions(key, questions(office.course.plan, office.settings))
                self._links.watch(office.settings.interface)
                if (watch := self.calls.get(key)) is not None:
                    watch.ignore((one.host, one.port) for one in office.sessions(now_ns))
            await asyncio.sleep(self._seconds_to_look(now_ns))

    def _seconds_to_look(self, now_ns: int) -> float:
        changes = (office.next_change_ns(now_ns) for office in self.offices.values())
        soonest_ns = min((at for at in changes if at is not None), default=now_ns + SECOND_NS)
        return min(LOOK_S, max(0.01, (soonest_ns - now_ns) / SECOND_NS))


async def _stay_lean() -> None:
    """What start-up and each hour leave behind goes back to the system."""
    await asyncio.sleep(LEAN_FIRST_S)
    while True:
        give_back()
        await asyncio.sleep(LEAN_EVERY_S)


def _call_watch(settings: OfficeSettings, clock: WallClock) -> CallWatch:
    """The meter of live calls, which an office that looks for none need not load."""
    from probes.call.watch import CallWatch  # noqa: PLC0415

    return CallWatch(settings, clock)


def running_version() -> str:
    """The installed version of the agent, by the name of its metadata's folder (`importlib.metadata` takes a megabyte to say it)."""
    for folder in sys.path:
        for found in Path(folder).glob("tatpar-*.dist-info"):
            return found.name.removeprefix("tatpar-").removesuffix(".dist-info")
    return "0"
