"""Publishing `stored` after commits."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING, Final

from collector.beat import GROUP
from collector.commits import NOT_NOW
from collector.confirmations import Confirmations, confirmation
from collector.holes import HoleWatch, handover_of
from collector.mqtt import Sending
from collector.notes import NoteBox, NotePad
from collector.trouble import Trouble
from telemetry.codec import encode_control
from telemetry.store.protocol import Restorable
from telemetry.topics import Leaf, topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.batch import Batch
    from collector.confirmations import Probe
    from collector.ground import Ground
    from collector.holes import Handover
    from collector.mqtt import Bridge
    from collector.notes import Note
    from telemetry.control import Stored

log: Final = logging.getLogger(__name__)
_TICK_S: Final = 1.0
_AT_ONCE: Final = 500
"""Probes looked up in one call, so that commits get their turn between."""


class Confirmer:
    """Reads from the store what is accounted for and tells the probes; one that does not lead has its leader tell them.

    One alone speaks, so a probe hears at most one `stored` in an interval, never an older one after a newer one, and
    a hole is counted once, whoever commits.
    """

    def __init__(self, ground: Ground, bridge: Bridge, is_revoked: Callable[[str, str], bool]) -> None:
        """`is_revoked(site, probe)`: nothing is told to it, which the broker would keep."""
        self._ground = ground
        self._bridge = bridge
        self._is_revoked = is_revoked
        self._interval_s = ground.live.current.settings.collector.confirm_s
        self._ledger = Confirmations(self._interval_s)
        self._wake = asyncio.Event()
        self._term: int | None = None
        self._stepping = asyncio.Lock()
        self._put_back = False
        self._box: NoteBox | None = None
        self._pad = NotePad(ground.folder)
        self.holes = HoleWatch()
        self.trouble = Trouble(
            "what is stored cannot be read", "probes are not told yet; trying again", "confirmations"
        )
        self.hearing = Trouble(
            "the other collectors cannot be heard", "their probes are told later; trying again", "members"
        )

    def note(self, batch: Batch) -> None:
        """A batch was committed."""
        self._note([(*probe, report.envelope.epoch) for probe, report in batch.newest.items()])

    def _note(self, notes: list[Note]) -> None:
        for site, probe, epoch in notes:
            self._ledger.note((site, probe), epoch)
        if notes:
            self._wake.set()

    def again(self) -> None:
        """The connection is new: say everything once more."""
        self._ledger.again()
        self._wake.set()

    @property
    def pending(self) -> int:
        """Probes that wait to be told."""
        return self._ledger.pending

    @property
    def speaks(self) -> bool:
        """Whether it has begun to tell, and knows which holes were counted before."""
        return self._term is not None and self._term == self._ground.leading.term

    async def run(self) -> None:
        """Confirm until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                if self._ground.leading.term != self._term:
                    await self._change(self._ground.leading.term)
                if not await self.step(loop.time()):
                    await self._rest()
        finally:
            self._listen(on=False)
            self._pad.close()

    async def step(self, now_s: float) -> bool:
        """Tell, or have told, who is due; whether to go on at once."""
        async with self._stepping:
            if self._term is None:
                return self._hand_on()
            due = self._ledger.take(now_s, _AT_ONCE)
            left = await self._tell(due) if due else due
            self._ledger.give_back(left)
            await self._all_told()
            return bool(due and not left)

    async def settle(self) -> None:
        """Before we leave: whoever still waits is told now, or handed on."""
        self._ledger.hurry()
        while await self.step(asyncio.get_running_loop().time()):
            pass

    async def _change(self, term: int | None) -> None:
        """We begin to lead, or have ceased to."""
        self._term = None
        taken_over = None
        if term is not None and self._ground.leading.shared:
            taken_over = await self._handed_over()
        self.holes = HoleWatch(taken_over, patient=self._ground.leading.shared)
        self._term = term
        self._listen(on=term is not None and self._ground.leading.shared)
        if term is not None:
            self._ledger.again()
            await self._recall()

    async def _recall(self) -> None:
        """After the store was put back from a backup: all are told anew, since what the broker keeps for them may say too much."""
        store = self._ground.store
        if not isinstance(store, Restorable):
            return
        try:
            untold = await self._ground.writer.run(store.untold)
        except NOT_NOW as error:
            self.trouble.failed(error)
            self._term = None  # tried again
            return
        self._put_back = bool(untold)
        self._note([(site, probe, epoch) for site, probe, epoch in untold])

    async def _all_told(self) -> None:
        """Noted once nobody waits any more; until then a start tells all again, which changes nothing."""
        store = self._ground.store
        if self._put_back and not self._ledger.pending and isinstance(store, Restorable):
            self._put_back = False
            try:
                await self._ground.writer.run(store.all_told)
            except NOT_NOW as error:
                self.trouble.failed(error)
            else:
                log.info(
                    "the store was put back from a backup: all probes were told anew what is stored",
                    extra={"event": "confirmations.told-anew"},
                )

    async def _handed_over(self) -> Handover | None:
        try:
            beats = await self._ground.desk.run(self._ground.state.beats)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            self.hearing.failed(error)
            return None
        return handover_of(beats[GROUP].detail.get("hole_watch")) if GROUP in beats else None

    def _listen(self, *, on: bool) -> None:
        if self._box is not None:
            self._box.close()
            self._box = None
        if on:
            try:
                self._box = NoteBox(self._ground.folder, self._note)
            except OSError as error:
                self.hearing.failed(error)
                self._term = None  # tried again
            else:
                self.hearing.worked()

    def _hand_on(self) -> bool:
        if self._pad.is_new():
            self._ledger.again()
        due = self._ledger.hand_on()
        told = self._pad.send([(*probe, epoch) for probe, epoch in due]) if due else 0
        self._ledger.give_back(due[told:])
        return False

    async def _tell(self, due: list[tuple[Probe, str]]) -> list[tuple[Probe, str]]:
        """Look up and publish; those who could not be told now."""
        try:
            found = await self._ground.writer.run(self._look_up, due)
        except NOT_NOW as error:
            self.trouble.failed(error)
            return due
        self.trouble.worked()
        for i, ((probe, _), stored) in enumerate(zip(due, found, strict=True)):
            if stored is None or self._is_revoked(*probe):
                continue
            if self._publish(probe, stored) is Sending.HELD:
                return due[i:]
        return []

    def _look_up(self, due: list[tuple[Probe, str]]) -> list[Stored | None]:
        """What is stored of each that is due; None of those that never reported."""
        keys = [(*probe, epoch) for probe, epoch in due]
        accounted = self._ground.store.accounted(keys)
        return [confirmation(key[2], accounted[key]) if key in accounted else None for key in keys]

    def _publish(self, probe: Probe, stored: Stored) -> Sending:
        if not self._ground.leading.now:
            return Sending.HELD
        self.holes.look(probe, stored)
        name = topic(self._ground.root, *probe, Leaf.STORED)
        sending = self._bridge.publish(name, encode_control(stored), retain=True)
        self._ground.counters.confirmations += sending is Sending.SENT
        return sending

    async def _rest(self) -> None:
        """Wait for a commit, or for the next probe's time to come."""
        try:
            async with asyncio.timeout(min(_TICK_S, self._interval_s)):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()
