"""Sites in turn: one message of each, as long as any has one; O(1) a message."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.message import Message


class _Queue:
    """What waits of one site, in order of arrival."""

    __slots__ = ("bytes", "messages")

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.bytes = 0


class RoundRobin:
    """Queues of many sites that are emptied evenly; a site's own order is kept. Unbounded: its owner bounds it."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}
        self._turns: deque[str] = deque()
        self._messages = 0

    def __len__(self) -> int:
        return self._messages

    def put(self, site: str, message: Message) -> None:
        """At the end of the site's queue; a site that had none gets the last turn."""
        queue = self._queues.get(site)
        if queue is None:
            queue = self._queues[site] = _Queue()
            self._turns.append(site)
        queue.messages.append(message)
        queue.bytes += message.size
        self._messages += 1

    def held(self, site: str) -> tuple[int, int]:
        """Messages and bytes that wait of a site."""
        queue = self._queues.get(site)
        return (0, 0) if queue is None else (len(queue.messages), queue.bytes)

    def take(self, limit: int, max_bytes: int) -> list[Message]:
        """Up to `limit` messages, one of each site in turn; none more once `max_bytes` are reached."""
        taken: list[Message] = []
        turns, queues = self._turns, self._queues
        while turns and len(taken) < limit and max_bytes > 0:
            site = turns.popleft()
            queue = queues[site]
            message = queue.messages.popleft()
            taken.append(message)
            max_bytes -= message.size
            queue.bytes -= message.size
            if queue.messages:
                turns.append(site)
            else:
                del queues[site]
        self._messages -= len(taken)
        return taken
