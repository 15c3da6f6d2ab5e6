"""From the inbox to the store to the acknowledgement, for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from collector.backoff import Backoff
from collector.commits import NOT_NOW, Memory, Rules, Sorted, append, sort
from collector.enrolment.roll import Roll
from collector.intake import Bounds
from collector.mqtt import ROLE
from collector.trouble import Trouble
from telemetry.state.store_away import UNSTORED
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collector.batch import Batch
    from collector.ground import Ground
    from collector.inbox import Inbox
    from collector.message import Message
    from collector.mqtt import Bridge
    from collector.office_clocks import OfficeClocks


UNANSWERED_NS: Final = 10 * SECOND_NS
"""A batch that waits so long, as long as SQLite waits for a lock, waits for a store that does not answer."""
ARREARS: Final = "arrears"
"""In the heartbeat's detail."""


class Committer:
    """Commits batches one after another while the bridge reads on; acknowledges each when it is durable."""

    def __init__(
        self,
        ground: Ground,
        inbox: Inbox,
        bridge: Bridge,
        record: Callable[[Batch], Awaitable[None]],
        roll: Callable[[], Roll] = Roll,
    ) -> None:
        self._ground = ground
        self._inbox = inbox
        self._bridge = bridge
        self._record = record
        self._roll = roll
        self._memory = Memory()
        self._begun_mono_ns: int | None = None
        self._memory.clocks.watch(ground.clock)
        self.trouble = Trouble(
            "reports cannot be stored",
            "nothing is acknowledged, the broker and the probes keep them; trying again",
            "commits",
        )

    @property
    def clocks(self) -> OfficeClocks:
        """What is known of offices' clocks."""
        return self._memory.clocks

    async def recall(self) -> None:
        """Take from the last heartbeats what each probe may still deliver, so that a restart is no new account.

        Raises:
            StateError: the state database cannot be read.
        """
        beats = await self._ground.desk.run(self._ground.state.beats)
        self._memory.arrears.take_over(
            beat.detail.get(ARREARS) for role, beat in beats.items() if role.startswith(ROLE)
        )

    def detail(self) -> dict[str, object]:
        """For the heartbeat: what `recall` takes up, and since when the store does not answer."""
        now_ns = self._ground.clock.now_ns()
        return {ARREARS: self._memory.arrears.handover(now_ns), **self._unstored(now_ns)}

    @property
    def problem(self) -> str:
        """Why reports cannot be stored; empty while they are."""
        waited_ns = self._waited_ns()
        waits = f"has not answered for {waited_ns / SECOND_NS:.0f} s" if waited_ns >= UNANSWERED_NS else ""
        return self.trouble.error or waits

    def _unstored(self, now_ns: int) -> dict[str, object]:
        waited_ns = self._waited_ns()
        return {UNSTORED: now_ns - waited_ns} if waited_ns >= UNANSWERED_NS else {}

    def _waited_ns(self) -> int:
        """How long the batch in hand has waited for the store."""
        if self._begun_mono_ns is None:
            return 0
        return self._ground.clock.monotonic_ns() - self._begun_mono_ns

    async def run(self) -> None:
        """Commit until cancelled; while one batch is being written, the next is examined."""
        ahead = asyncio.create_task(self._next(), name="collector.examining")
        try:
            while True:
                messages, found = await ahead
                ahead = asyncio.create_task(self._next(), name="collector.examining")
                batch = await self._commit(found)
                await self._record(batch)
                self._settle(messages)
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _next(self) -> tuple[list[Message], Sorted]:
        settings = self._ground.live.current.settings.collector
        messages = await self._inbox.take(settings.batch_reports, settings.batch_ms / 1e3)
        found = await self._ground.examiner.run(
            sort, messages, self.rules(), self._memory, self._ground.store
        )
        return messages, found

    def rules(self) -> Rules:
        """What messages are examined by at this moment."""
        config = self._ground.live.current
        behind_ns = round(config.settings.store.raw_days * DAY_NS)
        return Rules(self._ground.root, config.registry, Bounds(behind_ns=behind_ns), self._roll())

    async def _commit(self, found: Sorted) -> Batch:
        """Commit, however often it takes. Meanwhile the inbox fills and the bridge stops reading."""
        backoff = Backoff(0.2, self._ground.live.current.settings.collector.retry_s)
        self._begun_mono_ns = self._ground.clock.monotonic_ns()
        while True:
            try:
                batch = await self._ground.writer.run(append, found, self._ground.store)
            except NOT_NOW as error:
                self._ground.counters.commit_failures += 1
                self.trouble.failed(error)
                await asyncio.sleep(backoff.next_s())
            else:
                self._begun_mono_ns = None
                self.trouble.worked()
                return batch

    def _settle(self, messages: list[Message]) -> None:
        for message in messages:
            self._bridge.acknowledge(message)
        self._inbox.settle(messages)
        if self._bridge.paused and self._inbox.has_room:
            self._bridge.resume()
