"""A child process that needs nothing of the event loop."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

from probes.child_process import environment

if TYPE_CHECKING:
    from collections.abc import Sequence


class PlainProcess:
    """One of them. Windows' event loops have either subprocesses or `add_reader`, which the connection to the broker needs."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment()
        )
        self.pid = self._process.pid

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    async def wait(self) -> int:
        """Its status, once it has ended."""
        return await asyncio.to_thread(self._process.wait)
