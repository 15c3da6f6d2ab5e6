"""What came from the hub and waits to be dealt with: bounded, and of `stored` and plan only the latest counts."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from telemetry.topics import Leaf, parse

if TYPE_CHECKING:
    from probes.counters import Counters
    from probes.publishing.connection import Incoming

MAX_COMMANDS: Final = 16


class Inbox:
    """Filled from the socket, emptied by one task."""

    def __init__(self, root: str, counters: Counters) -> None:
        self._root = root
        self._counters = counters
        self._latest: dict[Leaf, Incoming] = {}
        self._commands: deque[Incoming] = deque()
        self._filled = asyncio.Event()

    def put(self, message: Incoming) -> None:
        """Take a message in; a command too many is dropped and counted. Never raises."""
        address = parse(self._root, message.topic)
        if address is None:
            self._counters.bad_messages += 1
        elif address.leaf in (Leaf.STORED, Leaf.PLAN):
            self._latest[address.leaf] = message
        elif len(self._commands) >= MAX_COMMANDS:
            self._counters.inbox_dropped += 1
        else:
            self._commands.append(message)
        self._filled.set()

    def take_stored(self) -> Incoming | None:
        """The latest `stored`, if one has come that nobody has taken."""
        return self._latest.pop(Leaf.STORED, None)

    async def take(self) -> tuple[Leaf, Incoming]:
        """The next message and its leaf: `stored` before plan before commands."""
        while True:
            for leaf in (Leaf.STORED, Leaf.PLAN):
                if leaf in self._latest:
                    return leaf, self._latest.pop(leaf)
            if self._commands:
                return Leaf.COMMAND, self._commands.popleft()
            self._filled.clear()
            await self._filled.wait()
