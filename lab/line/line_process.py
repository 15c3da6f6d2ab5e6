"""The fleet's handle on the process that holds the lines (`lab.line.lines`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lab.errors import LabError
from lab.line.wire import (
    AskStatus,
    Done,
    FlushTruth,
    LinesStatus,
    Ports,
    Redirect,
    Reply,
    Request,
    SetStates,
    SetUp,
    encoder,
    reply_decoder,
)
from lab.running.child import Child

if TYPE_CHECKING:
    from pathlib import Path

    from lab.running.director import Change

R = TypeVar("R", bound=Reply)


class LineProcess:
    """Starts the process, tells it what the lines shall do, ends it."""

    def __init__(self, log: Path) -> None:
        self._child = Child("lines", "lab.line.lines", log)

    async def start(self, setup: SetUp) -> Ports:
        """Start it and open every port.

        Raises:
            LabError: the process ended at once.
        """
        await self._child.start()
        return await self._ask(setup, Ports)

    async def tell(self, change: Change) -> None:
        """Put changed states in force; they are when this returns."""
        if not change.is_empty:
            await self._ask(SetStates(states=change.states, cut=change.cut), Done)

    async def redirect(self, broker: tuple[str, int]) -> None:
        """New MQTT connections go to this broker."""
        await self._ask(Redirect(broker), Done)

    async def status(self) -> LinesStatus:
        """What has passed so far, and how late."""
        return await self._ask(AskStatus(), LinesStatus)

    async def flush_truth(self) -> None:
        """Have the truth log written out up to now."""
        await self._ask(FlushTruth(), Done)

    async def wait(self) -> None:
        """Return when the process has ended."""
        await self._child.wait()

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid

    async def stop(self) -> None:
        """End the process."""
        await self._child.stop()

    async def _ask(self, request: Request, kind: type[R]) -> R:
        reply = reply_decoder.decode(await self._child.ask(encoder.encode(request)))
        if not isinstance(reply, kind):
            raise LabError(
                f"the lab's lines process answered {type(reply).__name__} to {type(request).__name__}"
            )
        return reply
