"""Sends one probe's reports over one connection: live before backlog, few in flight, slow when nobody listens."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from probes.publishing.age import Age, age_of
from probes.publishing.connection import FAILURE, NO_MATCHING_SUBSCRIBERS, Connection
from probes.publishing.send_queue import LIVE_NS
from probes.publishing.spool_file import SpoolDamagedError, SpoolError
from telemetry.topics import Leaf, topic
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from probes.counters import Counters
    from probes.publishing.office_settings import OfficeSettings
    from probes.publishing.send_queue import SendQueue
    from probes.publishing.spool import Row, Spool
    from probes.transition import Transition
    from probes.workers import Workers
    from telemetry.clock import WallClock

LIVE_IN_FLIGHT: Final = 16
BACKLOG_IN_FLIGHT: Final = 8
"""Less than for live ones, so that a live report never waits for a slot."""
REST_S: Final = 1.0


class Sender:
    """One connection's worth of sending."""

    def __init__(  # noqa: PLR0913 - the wiring of one office
        self,
        connection: Connection,
        office: OfficeSettings,
        spool: Spool,
        queue: SendQueue,
        *,
        boot: str,
        clock: WallClock,
        workers: Workers,
        counters: Counters,
        reception: Transition,
        in_meeting: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._office = office
        self._spool = spool
        self._queue = queue
        self._boot = boot
        self._clock = clock
        self._workers = workers
        self._counters = counters
        self._reception = reception
        self._in_meeting = in_meeting
        self._wake = asyncio.Event()
        self._backlog_at_ns = clock.monotonic_ns() + round(office.patience.settle_s * SECOND_NS)
        self._held_until_ns = 0
        self._refusals = 0

    def wake(self) -> None:
        """Look again: there is something new, or time was moved."""
        self._wake.set()

    def hub_is_there(self) -> None:
        """The hub has just spoken: no need to hold back any longer."""
        self._held_until_ns = 0
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled.

        Raises:
            ConnectionLost: the connection is gone.
            SpoolDamagedError: the spool must be opened anew.
        """
        await self._mark()
        while True:
            self._wake.clear()
            seq = self._pick(self._clock.monotonic_ns())
            if seq is None:
                await self._rest()
            else:
                await self._send(seq)

    async def _mark(self) -> None:
        """Note on the disk that reports go out, before the first does; wait for as long as the disk is full.

        A report that went without the mark would, after a crash, be taken for one that never went, and be stored twice
        under two numbers. Nothing is lost by waiting: what a full disk refuses to note it refuses to spool as well.

        Raises:
            SpoolDamagedError: the spool must be opened anew.
        """
        while True:
            try:
                await self._workers.on_disk(self._spool.going_out)
            except SpoolDamagedError:
                raise
            except SpoolError as error:
                self._counters.unmarked += 1
                self._reception.bad(f"the disk refuses to note that reports go out, so they wait: {error}")
                await asyncio.sleep(self._office.patience.disk_s)
            else:
                return

    def _pick(self, now_ns: int) -> int | None:
        if now_ns < self._held_until_ns or (self._refusals and self._queue.in_flight):
            return None
        if self._queue.in_flight < LIVE_IN_FLIGHT and (live := self._queue.next_live(now_ns)) is not None:
            return live
        if self._queue.in_flight >= BACKLOG_IN_FLIGHT or now_ns < self._backlog_at_ns:
            return None
        old = self._queue.next_backlog(now_ns)
        if old is not None:
            self._backlog_at_ns = now_ns + self._spacing_ns()
        return old

    def _spacing_ns(self) -> int:
        pace = self._office.backlog
        return int(SECOND_NS / (pace.per_second_in_meeting if self._in_meeting() else pace.per_second))

    async def _rest(self) -> None:
        """Wait for news, or until something may go; a second at most, for clocks may be moved under us."""
        now_ns = self._clock.monotonic_ns()
        until = [
            at
            for at in (self._backlog_at_ns, self._held_until_ns, self._queue.wake_ns(now_ns))
            if at and at > now_ns
        ]
        seconds = min(((at - now_ns) / SECOND_NS for at in until), default=REST_S)
        try:
            async with asyncio.timeout(min(max(seconds, 0.001), REST_S)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send(self, seq: int) -> None:
        row = await self._workers.on_disk(self._spool.read, seq)
        if row is None:
            self._queue.gone(seq)
            return
        age = age_of(row.made, self._boot, self._clock)
        answer = self._connection.publish(self._topic(age), row.payload, properties=_properties(age))
        self._counters.published += 1
        self._counters.resent += self._queue.was_sent(seq)
        answer.add_done_callback(partial(self._settled, row))

    def _topic(self, age: Age) -> str:
        leaf = Leaf.REPORT if age.monotonic and age.ns < LIVE_NS else Leaf.BACKLOG
        return topic(self._office.root, self._office.site, self._office.probe, leaf)

    def _settled(self, row: Row, answer: asyncio.Future[int]) -> None:
        """A PUBACK came, or the connection was lost (then whoever made us deals with what was in flight)."""
        if answer.cancelled() or answer.exception() is not None:
            return
        code = answer.result()
        now_ns = self._clock.monotonic_ns()
        if code == NO_MATCHING_SUBSCRIBERS or code >= FAILURE:
            self._hold(row.seq, code, now_ns)
        else:
            self._refusals = 0
            self._queue.sent(row.seq, now_ns)
            self._reception.good()
        self._wake.set()

    def _hold(self, seq: int, code: int, now_ns: int) -> None:
        """Nobody took it: keep it, and try only one at a time, less and less often, until somebody does."""
        if code >= FAILURE:
            self._counters.refused += 1
            self._reception.bad(f"the broker refuses our reports (reason 0x{code:02x})")
        else:
            self._counters.nobody_there += 1
            self._reception.bad("the broker has nobody who takes our reports; keeping them")
        if now_ns >= self._held_until_ns:  # several in flight are refused together, that is one refusal
            patience = self._office.patience
            hold_s = min(patience.hold_s * 2 ** min(self._refusals, 8), patience.hold_cap_s)
            self._held_until_ns = now_ns + round(hold_s * SECOND_NS)
            self._refusals += 1
        self._queue.not_sent(seq, self._held_until_ns)


def _properties(age: Age) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = "application/json"
    said = [("age-ms", str(age.ns // 1_000_000))]
    if not age.monotonic:
        said.append(("age-clock", "real"))
    properties.UserProperty = said
    return properties
