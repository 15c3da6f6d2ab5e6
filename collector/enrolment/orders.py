"""Orders to probes: taken from the state database, published, and their answers noted.

An order is signed where it was given (`tatpar command`, which can read the key ring); whoever sends it needs no key.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.enrolment.issuing import verified
from collector.mqtt import Sending
from collector.rehearsing.claims import absurdity, ordered_by
from collector.trouble import Trouble
from telemetry.codec import encode_control
from telemetry.rehearsing import heard_of
from telemetry.topics import Leaf, topic
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.batch import Batch
    from collector.enrolment.keys import KeyRing
    from collector.ground import Ground
    from collector.outcome import Answered
    from telemetry.rehearsing import OfficeProgress
    from telemetry.state.commands import CommandRow

log = logging.getLogger(__name__)
LOOK_S: Final = 0.25
ROTATE: Final = "rotate"
MAX_DETAIL: Final = 1000
"""Characters of an answer that are kept; a true one has a few hundred at most."""


@dataclass(slots=True)
class OrderCounters:
    """Counts since the start."""

    sent: int = 0
    answered: int = 0
    told: int = 0
    """Words of offices that rehearse."""
    answers_unasked: int = 0
    """Answers to no order of ours, or a second one."""
    claims_absurd: int = 0
    """Words of offices that rehearse which cannot be true of what they were ordered."""
    answers_forged: int = 0
    """Not signed by the probe, although it is enrolled."""


class Orders:
    """One collector's part in commanding; of several, each order is sent by one."""

    def __init__(
        self,
        ground: Ground,
        publish: Callable[[str, bytes, Properties], Sending],
        keys: KeyRing | None = None,
    ) -> None:
        self._ground = ground
        self._publish = publish
        self._keys = keys
        self.counters = OrderCounters()
        self.trouble = Trouble("commands cannot be taken from the state database", "trying again", "orders")

    async def run(self) -> None:
        """Send what is ordered, until cancelled."""
        while True:
            try:
                sent = await self._send_one()
            except (sqlite3.Error, OSError, RuntimeError) as error:
                self._ground.counters.state_failures += 1
                self.trouble.failed(error)
                sent = False
            else:
                self.trouble.worked()
            if not sent:
                await asyncio.sleep(LOOK_S)

    async def _send_one(self) -> bool:
        row = await self._ground.desk.run(self._ground.state.take_command, self._ground.clock.now_ns())
        if row is None:
            return False
        where = topic(self._ground.root, row.site, row.probe, Leaf.COMMAND)
        if self._publish(where, encode_control(row.command), self._properties(row)) is Sending.HELD:
            await self._ground.desk.run(self._ground.state.return_command, row.id)
            return False
        self.counters.sent += 1
        extra = {"event": "command.sent", "verb": row.command.verb, "site": row.site, "probe": row.probe}
        log.info("command %s of %s to %s/%s", row.command.verb, row.who, row.site, row.probe, extra=extra)
        return True

    def _properties(self, row: CommandRow) -> Properties:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = topic(self._ground.root, row.site, row.probe, Leaf.ANSWER)
        properties.CorrelationData = row.id.encode()
        left_ns = row.expires_ns - self._ground.clock.now_ns()
        properties.MessageExpiryInterval = max(1, left_ns // SECOND_NS)
        return properties

    async def note(self, batch: Batch) -> None:
        """Write down the answers of a batch."""
        for answered in batch.answers:
            try:
                await self._ground.desk.run(self._note_one, answered)
            except (sqlite3.Error, OSError, RuntimeError) as error:
                self._ground.counters.state_failures += 1
                self.trouble.failed(error)

    def _note_one(self, answered: Answered) -> None:
        state, answer = self._ground.state, answered.answer
        if not verified(state, self._keys, answered.site, answered.probe, answer):
            self.counters.answers_forged += 1
            extra = {"event": "answer.not-signed", "site": answered.site, "probe": answered.probe}
            log.warning("an answer of %s/%s is not signed by it", answered.site, answered.probe, extra=extra)
            return
        told = heard_of(answer)
        if told is not None:
            self._note_rehearsing(told[0], answered, told[1])
            return
        now_ns = self._ground.clock.now_ns()
        said = (answer.ok, answer.detail[:MAX_DETAIL])
        if not answer.id or not state.put_answer(answer.id, answered.site, answered.probe, said, now_ns):
            self.counters.answers_unasked += 1
            return
        self.counters.answered += 1
        row = state.command(answer.id)
        if row is not None and row.command.verb == ROTATE and answer.ok:
            self._rotated(row, now_ns)

    def _note_rehearsing(self, rehearsal_id: str, answered: Answered, said: OfficeProgress) -> None:
        """Believe what can be true of the ladder that was ordered; an office that says nothing else ends as `no-answer`."""
        state, site, probe = self._ground.state, answered.site, answered.probe
        row = state.command(state.rehearsal_order(rehearsal_id, site))
        order = None if row is None or row.probe != probe else ordered_by(row.command)
        why = "it has no order" if order is None else absurdity(order, said)
        if why:
            self.counters.claims_absurd += 1
            extra = {"event": "rehearsal.absurd", "site": site, "probe": probe, "reason": why}
            log.warning("a claim of %s/%s in a rehearsal is not believed: %s", site, probe, why, extra=extra)
            return
        state.note_rehearsing(rehearsal_id, site, probe, said)
        self.counters.told += 1

    def _rotated(self, row: CommandRow, now_ns: int) -> None:
        generation = int(row.command.arguments.get("generation", "0") or 0)
        if self._ground.state.confirm_credential(row.site, row.probe, generation, now_ns):
            what = f"generation {generation} in use"
            self._ground.state.note_identity(now_ns, row.who, "rotated", row.site, row.probe, what)
