"""Answers that nobody has asked for: what the office says by itself while a command is carried out."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from telemetry.control import Answer

MOST: Final = 64


class Words:
    """Waits for a connection; past `MOST` the oldest go, for the newest say the same and more."""

    def __init__(self) -> None:
        self._waiting: deque[Answer] = deque(maxlen=MOST)
        self._filled = asyncio.Event()

    def put(self, answer: Answer) -> None:
        """To be said as soon as there is a connection."""
        self._waiting.append(answer)
        self._filled.set()

    async def take(self) -> Answer:
        """The oldest."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()
