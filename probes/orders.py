"""What the hub says to a probe, and what the probe does about it: `stored`, the plan, commands."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from probes.commands import RefusedCommandError, respond
from probes.spool import Confirmation
from probes.spool_file import SpoolDamagedError, SpoolError
from probes.transition import Transition
from telemetry.codec import MessageError, decode_control, encode_control
from telemetry.control import Answer, Plan, Stored
from telemetry.intervals import IntervalSet
from telemetry.topics import Leaf, topic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from probes.connection import Connection, Incoming
    from probes.counters import Counters
    from probes.inbox import Inbox
    from probes.office_settings import OfficeSettings
    from probes.presence import Identity
    from probes.send_queue import SendQueue
    from probes.spool import Spool
    from probes.workers import Workers

_log = logging.getLogger(__name__)


class Orders:
    """Deals with the messages in an inbox, one at a time. What cannot be read is counted and said once."""

    def __init__(  # noqa: PLR0913 - the wiring of one office
        self,
        office: OfficeSettings,
        identity: Identity,
        spool: Spool,
        queue: SendQueue,
        *,
        workers: Workers,
        counters: Counters,
        on_plan: Callable[[Plan], None],
    ) -> None:
        self._office = office
        self._identity = identity
        self._spool = spool
        self._queue = queue
        self._workers = workers
        self._counters = counters
        self._on_plan = on_plan
        self._answer_topic = topic(office.root, office.site, office.probe, Leaf.ANSWER)
        self._readable = Transition(_log, f"{office.key}: message from the hub ignored", "readable again")
        self._disk = Transition(_log, f"{office.key}: spool", "works again")
        self._verbs: Mapping[str, Callable[[Mapping[str, str]], Answer]] = {
            "ping": self._answer_ping,
            "status": self._answer_status,
        }

    async def obey(self, connection: Connection, inbox: Inbox, hub_is_there: Callable[[], None]) -> None:
        """Deal with what comes until cancelled.

        Raises:
            SpoolDamagedError: the spool must be opened anew.
            ConnectionLost: an answer could not be sent.
        """
        while True:
            leaf, message = await inbox.take()
            await self._deal_with(connection, leaf, message, hub_is_there)

    async def catch_up(self, connection: Connection, inbox: Inbox) -> None:
        """Deal with a `stored` that has come already, before anything is sent: it may say that our numbers are not ours.

        Raises:
            SpoolDamagedError: the spool must be opened anew.
        """
        message = inbox.take_stored()
        if message is not None:
            await self._deal_with(connection, Leaf.STORED, message, lambda: None)

    async def _deal_with(
        self, connection: Connection, leaf: Leaf, message: Incoming, hub_is_there: Callable[[], None]
    ) -> None:
        try:
            if leaf is Leaf.STORED:
                await self._take_stored(message, hub_is_there)
            elif leaf is Leaf.PLAN:
                await self._take_plan(message)
            else:
                self._take_command(connection, message)
            self._readable.good()
        except (MessageError, ValueError, RefusedCommandError) as error:
            self._counters.bad_messages += 1
            self._readable.bad(f"{leaf}: {error}")
        except SpoolDamagedError:
            raise
        except SpoolError as error:
            self._disk.bad(str(error))

    async def _take_stored(self, message: Incoming, hub_is_there: Callable[[], None]) -> None:
        if not message.payload:
            return  # the retained message was cleared
        stored = decode_control(message.payload, Stored)
        before = self._spool.confirmed
        sent = self._queue.launched
        outcome = await self._workers.on_disk(self._spool.confirm, stored, sent)
        self._counters.stored += self._spool.confirmed - before
        self._disk.good()
        if outcome is Confirmation.OTHER_EPOCH:
            self._counters.stored_other_epoch += 1
        elif outcome in (Confirmation.FROM_THE_FUTURE, Confirmation.NEVER_SENT):
            await self._renumber(stored, sent, "made" if outcome is Confirmation.FROM_THE_FUTURE else "sent")
        else:
            self._queue.stored(stored.through, IntervalSet(stored.missing))
        if not message.retained:
            hub_is_there()

    async def _renumber(self, stored: Stored, sent: IntervalSet, not_yet: str) -> None:
        """The disk lost commits that it had promised to keep: begin a new epoch, or new reports pass for old ones."""
        _log.error(
            "%s: the hub has reports (up to %d) which this spool has not %s yet: the disk went back in time, reports"
            " are numbered anew; check the disk of this machine, or whether its image was copied",
            self._office.key,
            stored.through,
            not_yet,
        )
        await self._workers.on_disk(self._spool.renumber, stored, sent)
        self._queue.begin_again()
        self._queue.reconcile(await self._workers.on_disk(self._spool.held))
        self._counters.renumbered += 1

    async def _take_plan(self, message: Incoming) -> None:
        if not message.payload:
            return  # the retained plan was cleared: the last one holds until it runs out
        plan = decode_control(message.payload, Plan)
        self._on_plan(plan)
        if await self._workers.on_disk(self._spool.plan) != message.payload:
            await self._workers.on_disk(self._spool.put_plan, message.payload)

    def _take_command(self, connection: Connection, message: Incoming) -> None:
        self._counters.commands += 1
        answer = respond(message, self._answer_topic, self._verbs)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if message.correlation is not None:
            properties.CorrelationData = message.correlation
        connection.publish(self._answer_topic, encode_control(answer), properties=properties)

    def _answer_ping(self, _arguments: Mapping[str, str]) -> Answer:
        return Answer(ok=True, detail=self._identity.version)

    def _answer_status(self, _arguments: Mapping[str, str]) -> Answer:
        held = f"spool_reports={self._spool.reports} awaiting={self._queue.awaiting}"
        return Answer(ok=True, detail=f"{held} {self._counters.as_text()}".rstrip())
