"""Publishing `stored` after commits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from collector.commits import NOT_NOW
from collector.confirmations import Confirmations, confirmation
from collector.holes import HoleWatch
from collector.mqtt import Sending
from collector.trouble import Trouble
from telemetry.codec import encode_control
from telemetry.topics import Leaf, topic

if TYPE_CHECKING:
    from collector.commits import Batch
    from collector.confirmations import Probe
    from collector.ground import Ground
    from collector.mqtt import Bridge
    from telemetry.control import Stored

_TICK_S: Final = 1.0
_AT_ONCE: Final = 500
"""Probes looked up in one call, so that commits get their turn between."""


class Confirmer:
    """Reads from the store what is accounted for and tells the probes."""

    def __init__(self, ground: Ground, bridge: Bridge) -> None:
        self._ground = ground
        self._bridge = bridge
        self._ledger = Confirmations()
        self._wake = asyncio.Event()
        self.holes = HoleWatch()
        self.trouble = Trouble(
            "what is stored cannot be read", "probes are not told yet; trying again", "confirmations"
        )

    def note(self, batch: Batch) -> None:
        """A batch was committed."""
        for probe, report in batch.newest.items():
            self._ledger.note(probe, report.envelope.epoch)
        if batch.newest:
            self._wake.set()

    def again(self) -> None:
        """The connection is new: say everything once more."""
        self._ledger.again()
        self._wake.set()

    @property
    def pending(self) -> int:
        """Probes that wait to be told."""
        return self._ledger.pending

    async def run(self) -> None:
        """Confirm until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = self._ledger.take(loop.time(), _AT_ONCE)
            left = await self._tell(due) if due else due
            self._ledger.give_back(left)
            if left or not due:
                await self._rest()

    async def _tell(self, due: list[tuple[Probe, str]]) -> list[tuple[Probe, str]]:
        """Look up and publish; those who could not be told now."""
        try:
            found = await self._ground.writer.run(self._look_up, due)
        except NOT_NOW as error:
            self.trouble.failed(error)
            return due
        self.trouble.worked()
        for i, ((probe, _), stored) in enumerate(zip(due, found, strict=True)):
            if stored is not None and self._publish(probe, stored) is Sending.HELD:
                return due[i:]
        return []

    def _look_up(self, due: list[tuple[Probe, str]]) -> list[Stored | None]:
        found: list[Stored | None] = []
        for probe, epoch in due:
            accounted = self._ground.store.received(*probe).get(epoch)
            found.append(None if accounted is None else confirmation(epoch, accounted))
        return found

    def _publish(self, probe: Probe, stored: Stored) -> Sending:
        self.holes.look(probe, stored)
        name = topic(self._ground.root, *probe, Leaf.STORED)
        sending = self._bridge.publish(name, encode_control(stored), retain=True)
        self._ground.counters.confirmations += sending is Sending.SENT
        return sending

    async def _rest(self) -> None:
        """Wait for a commit, or for the next probe's time to come."""
        try:
            async with asyncio.timeout(_TICK_S):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()
