"""A million reports queued at the broker: memory stays within its bound, each is committed exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Final

import psutil

from collector import committer as committing
from collector.batch import Batch
from collector.commits import Sorted
from collector.committer import Committer
from collector.ground import Ground
from collector.inbox import Admission, Fairness, Inbox
from collector.lanes import Lane, Rank
from collector.message import Message
from collector.quota import Quota
from telemetry.clock import SystemClock
from telemetry.intervals import IntervalSet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    import pytest

    from config.live import LiveConfig
    from telemetry.state.db import StateDb
    from telemetry.store.sqlite import SqliteStore

REPORTS: Final = 1_000_000
SITES: Final = 50
QUEUE_REPORTS: Final = 10_000
QUEUE_BYTES: Final = 12_000_000
PAD: Final = b"x" * 1000


class Broker:
    """Holds a million reports and hands them over while it is read, as many at a go as one read of the socket gives."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._wanted = asyncio.Event()
        self._wanted.set()
        self.paused = False
        self.pauses = 0
        self.has_paused = threading.Event()
        self.acknowledged = 0

    def pause(self) -> None:
        self.paused = True
        self.pauses += 1
        self.has_paused.set()
        self._wanted.clear()

    def resume(self) -> None:
        self.paused = False
        self._wanted.set()

    def acknowledge(self, _message: Message) -> None:
        self.acknowledged += 1

    async def hand_over(self) -> None:
        """All of them, one site after another, no more than is wanted."""
        topics = [f"site-{i}" for i in range(SITES)]
        for number in range(REPORTS):
            if self.paused:
                await self._wanted.wait()
            elif number % 200 == 0:
                await asyncio.sleep(0)
            payload = b"%d " % (number // SITES + 1) + PAD
            assert self._inbox.put(Message(topics[number % SITES], payload, 0)) is Admission.TAKEN
            if self._inbox.full:
                self.pause()


async def test_a_million_queued_reports_are_committed_once_within_the_bound(
    live: LiveConfig,
    store: SqliteStore,
    state: StateDb,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., Awaitable[None]],
) -> None:
    """The queue never holds more than its bound, the process grows by less than twice the queue's bytes."""
    inbox = Inbox(
        QUEUE_REPORTS, QUEUE_BYTES, Fairness(lambda topic: Lane(topic, Rank.LIVE), Quota(5000, QUEUE_BYTES))
    )
    broker = Broker(inbox)
    seen = {f"site-{i}": IntervalSet() for i in range(SITES)}
    process, doubled, memory = psutil.Process(), 0, [psutil.Process().memory_info().rss]

    def sort(messages: Sequence[Message], *_: Any) -> Sorted:
        return Sorted(Batch(messages=len(messages)), [(None, message) for message in messages])  # type: ignore[misc]

    def append(found: Sorted, _store: Any) -> Batch:
        nonlocal doubled
        assert broker.has_paused.wait(
            60
        )  # however quick this machine is at committing, the inbox fills up once
        for _, message in found.reports:
            doubled += not seen[message.topic].add(int(message.payload.split(b" ", 1)[0]))
        memory.append(process.memory_info().rss)
        return found.batch

    async def record(_batch: Batch) -> None:
        """Nothing follows from it here."""

    monkeypatch.setattr(committing, "sort", sort)
    monkeypatch.setattr(committing, "append", append)
    ground = Ground(live, store, state, SystemClock(), "tatpar/1")
    committer = Committer(ground, inbox, broker, record)  # type: ignore[arg-type]
    running = asyncio.create_task(committer.run())
    await broker.hand_over()
    await eventually(lambda: not inbox.messages, within_s=120)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    ground.close()
    assert (broker.acknowledged, doubled) == (REPORTS, 0)
    assert all(list(one) == [(1, REPORTS // SITES)] for one in seen.values())
    assert inbox.high_messages <= QUEUE_REPORTS
    assert inbox.high_bytes <= QUEUE_BYTES + 2 * len(PAD)
    assert broker.pauses > 0
    assert max(memory) - memory[0] < 2 * QUEUE_BYTES + 5_000_000
