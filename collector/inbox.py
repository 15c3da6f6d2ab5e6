"""The bounded, fair queue between the socket and the commits.

Live reports go before the backlog, which keeps a guaranteed share beside them; within a rank the sites take turns.
When it is full, whoever fills it stops reading and the broker keeps the rest. What is being committed still
counts, so that the bound is one on memory. Only a site that holds more than its quota while the inbox is more than half
full is refused, for now (`quota`): its flood must not keep the others waiting in the broker behind it.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from collector.lanes import Lane, Rank
from collector.quota import Deferrals, Quota
from collector.round_robin import RoundRobin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.message import Message

BATCH_BYTES: Final = 16 * 1024 * 1024
"""Payload bytes of one batch at most (the message that passes it still belongs to it): decoded they take several times as much."""
CONTROL_SHARE: Final = 0.1


class Admission(Enum):
    """What became of a message that was put."""

    TAKEN = "taken"
    DEFERRED = "deferred"  # refused for now: to be acknowledged at once and forgotten


def _one_lane(_topic: str) -> Lane:
    return Lane("", Rank.LIVE)


@dataclass(frozen=True, slots=True)
class Fairness:
    """How the sites share the inbox."""

    lane_of: Callable[[str], Lane] = _one_lane
    quota: Quota | None = None
    """None: no site is ever refused."""
    backlog_share: float = 0.2
    """Of each batch, for the backlog while live reports wait; 0..1."""


class Inbox:
    """Messages that are read and not yet settled, bounded in number and bytes."""

    def __init__(self, max_messages: int, max_bytes: int, fairness: Fairness | None = None) -> None:
        self.max_messages = max_messages
        self.max_bytes = max_bytes
        self._fairness = fairness or Fairness()
        self._ranks = {rank: RoundRobin() for rank in Rank}
        self._arrived = asyncio.Event()
        self._enough = asyncio.Event()
        self._wanted = 1
        self._waiting = 0
        self._messages = 0
        self._bytes = 0
        self._owed = 0.0
        self.high_messages = 0
        self.high_bytes = 0
        self.deferrals = Deferrals()

    @property
    def messages(self) -> int:
        """Messages held, those in a commit included."""
        return self._messages

    @property
    def bytes(self) -> int:
        """Bytes held, those in a commit included."""
        return self._bytes

    @property
    def full(self) -> bool:
        """Whether reading must stop."""
        return self._messages >= self.max_messages or self._bytes >= self.max_bytes

    @property
    def has_room(self) -> bool:
        """Whether a stopped reader may go on: half is free, so that it does not stop again at once."""
        return 2 * self._messages <= self.max_messages and 2 * self._bytes <= self.max_bytes

    def put(self, message: Message) -> Admission:
        """Take one message, or refuse it for now; the caller looks at `full` afterwards."""
        site, rank = self._fairness.lane_of(message.topic)
        ring, quota = self._ranks[rank], self._fairness.quota
        if quota is not None and not self.has_room and quota.is_passed(*ring.held(site)):
            self.deferrals.note(site)
            return Admission.DEFERRED
        ring.put(site, message)
        self._waiting += 1
        self._messages += 1
        self._bytes += message.size
        self.high_messages = max(self.high_messages, self._messages)
        self.high_bytes = max(self.high_bytes, self._bytes)
        self._arrived.set()
        if self._waiting >= self._wanted or self.full:
            self._enough.set()
        return Admission.TAKEN

    async def take(self, limit: int, linger_s: float) -> list[Message]:
        """Wait for a message, then at most `linger_s` for more; up to `limit`, sites in turn, live before backlog."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        if self._waiting < limit and not self.full:
            await self._linger(limit, linger_s)
        taken = self._draw(limit)
        self._waiting -= len(taken)
        self.deferrals.look()
        return taken

    def settle(self, messages: Sequence[Message]) -> None:
        """Let go of messages that were taken."""
        self._messages -= len(messages)
        self._bytes -= sum(message.size for message in messages)

    def detail(self) -> dict[str, object]:
        """What waits of the backlog, and what was refused for now, as plain JSON values."""
        return {
            "queue_backlog": len(self._ranks[Rank.BACKLOG]),
            "deferred": self.deferrals.total,
            "deferred_by_site": dict(self.deferrals.by_site.most_common(20)),
            "over_quota": sorted(self.deferrals.sites)[:20],
        }

    def _draw(self, limit: int) -> list[Message]:
        """The next batch. No rank is ever starved: each that waits has a share, and what one leaves the others get."""
        control, live, backlog = (self._ranks[rank] for rank in Rank)
        taken = control.take(max(1, math.floor(limit * CONTROL_SHARE)), round(BATCH_BYTES * CONTROL_SHARE))
        owed = self._owed_to_backlog(limit - len(taken))
        taken += backlog.take(owed, round(BATCH_BYTES * self._fairness.backlog_share))
        for ring in (live, backlog, control):
            left = BATCH_BYTES - sum(message.size for message in taken)
            taken += ring.take(limit - len(taken), left)
        return taken

    def _owed_to_backlog(self, room: int) -> int:
        """Places of a batch that live reports must leave; fractions are carried on, so that small batches are fair too."""
        backlog = len(self._ranks[Rank.BACKLOG])
        if not backlog or not self._ranks[Rank.LIVE]:
            self._owed = 0.0
            return 0
        self._owed = min(self._owed + room * self._fairness.backlog_share, float(room))
        owed = min(math.floor(self._owed), backlog)
        self._owed -= owed
        return owed

    async def _linger(self, limit: int, linger_s: float) -> None:
        """Wait until a whole batch is there, but no longer than `linger_s`."""
        self._wanted = limit
        self._enough.clear()
        try:
            async with asyncio.timeout(linger_s):
                await self._enough.wait()
        except TimeoutError:
            return
