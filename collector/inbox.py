"""The bounded queue between the socket and the commits.

Nothing is ever dropped here: when it is full, whoever fills it stops reading and the broker keeps the rest.
What is being committed still counts, so that the bound is one on memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.message import Message


class Inbox:
    """Messages that are read and not yet settled, bounded in number and bytes."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self.max_messages = max_messages
        self.max_bytes = max_bytes
        self._waiting: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._messages = 0
        self._bytes = 0
        self.high_messages = 0
        self.high_bytes = 0

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

    def put(self, message: Message) -> None:
        """Take one message; the caller looks at `full` afterwards."""
        self._waiting.append(message)
        self._messages += 1
        self._bytes += message.size
        self.high_messages = max(self.high_messages, self._messages)
        self.high_bytes = max(self.high_bytes, self._bytes)
        self._arrived.set()

    async def take(self, limit: int, linger_s: float) -> list[Message]:
        """Wait for a message, then at most `linger_s` for more; up to `limit`, in order of arrival."""
        await self._some()
        if len(self._waiting) < limit and not self.full:
            await self._linger(limit, linger_s)
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def settle(self, messages: Sequence[Message]) -> None:
        """Let go of messages that were taken."""
        self._messages -= len(messages)
        self._bytes -= sum(message.size for message in messages)

    async def _some(self) -> None:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()

    async def _linger(self, limit: int, linger_s: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + linger_s
        while len(self._waiting) < limit and not self.full:
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(end):
                    await self._arrived.wait()
            except TimeoutError:
                return
