"""What the hub says to a probe, and what the probe does about it: `stored`, the plan, commands."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import structs
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from probes.enrolment.credentials import CredentialsError
from probes.enrolment.desk_client import DeskError
from probes.enrolment.redeem import redeem_next
from probes.publishing.commands import Guard, RefusedCommandError, read_command, respond
from probes.publishing.spool import Confirmation
from probes.publishing.spool_file import SpoolDamagedError, SpoolError
from probes.publishing.word import Words
from probes.transition import Transition
from telemetry.codec import MessageError, decode_control, encode_control
from telemetry.control import Answer, Plan, Stored
from telemetry.intervals import IntervalSet
from telemetry.signing import signed_answer
from telemetry.topics import Leaf, topic

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from probes.counters import Counters
    from probes.enrolment.credentials import Credentials, Login
    from probes.publishing.connection import Connection, Incoming
    from probes.publishing.inbox import Inbox
    from probes.publishing.office_settings import OfficeSettings
    from probes.publishing.presence import Identity
    from probes.publishing.send_queue import SendQueue
    from probes.publishing.spool import Spool
    from probes.workers import Workers
    from telemetry.clock import WallClock
    from telemetry.control import Command

ROTATE: Final = "rotate"
_log = logging.getLogger(__name__)


class NewCredentials(Exception):  # noqa: N818 - says what happened
    """The credentials on the disk are others now: connect anew."""


@dataclass(frozen=True)
class _Owed:
    """The answer to an order for new credentials, until it can be given with them."""

    order: str
    correlation: bytes | None
    before: int
    """The generation that was in use when the order came."""


class Orders:
    """Deals with the messages in an inbox, one at a time. What cannot be read is counted and said once."""

    def __init__(  # noqa: PLR0913 - the wiring of one office
        self,
        office: OfficeSettings,
        identity: Identity,
        spool: Spool,
        queue: SendQueue,
        *,
        clock: WallClock,
        workers: Workers,
        counters: Counters,
        on_plan: Callable[[Plan], None],
        verbs: Mapping[str, Callable[[Mapping[str, str]], Answer]] = MappingProxyType({}),
        words: Words | None = None,
    ) -> None:
        """`verbs`: commands beside our own; `words`: what is said to the hub without being asked."""
        self._office = office
        self._identity = identity
        self._spool = spool
        self._queue = queue
        self._workers = workers
        self._counters = counters
        self._on_plan = on_plan
        self._answer_topic = topic(office.root, office.site, office.probe, Leaf.ANSWER)
        self._readable = Transition(
            _log, f"{office.key}: message from the hub ignored", "readable again", "hub-message"
        )
        self._disk = Transition(_log, f"{office.key}: spool", "works again", "spool")
        self._verbs: Mapping[str, Callable[[Mapping[str, str]], Answer]] = {
            "ping": self._answer_ping,
            "status": self._answer_status,
            "resend": self._answer_resend,
            **verbs,
        }
        self._words = words or Words()
        self._clock = clock
        self._guard = Guard(office.site, office.probe, clock)
        self._owed: _Owed | None = None
        self.kept: Credentials | None = None
        """What this probe was handed at the enrolment desk; None: it is not enrolled."""

    def pay(self, connection: Connection, login: Login | None) -> None:
        """Give the answer that had to wait for a connection with new credentials.

        It is owed until the hub has been handed it: a connection that is lost before gives it nothing.
        """
        owed, kept = self._owed, self.kept
        if owed is None or kept is None or login != kept.current or kept.current.generation <= owed.before:
            return
        done = Answer(ok=True, detail=f"generation {kept.current.generation} in use", id=owed.order)
        self._answer(connection, done, owed.correlation).add_done_callback(partial(self._paid, owed))

    def _paid(self, owed: _Owed, answer: asyncio.Future[int]) -> None:
        handed_on = not answer.cancelled() and answer.exception() is None and answer.result() == 0
        if handed_on and self._owed is owed:
            self._owed = None

    async def obey(self, connection: Connection, inbox: Inbox, hub_is_there: Callable[[], None]) -> None:
        """Deal with what comes until cancelled.

        Raises:
            SpoolDamagedError: the spool must be opened anew.
            ConnectionLost: an answer could not be sent.
            NewCredentials: a command brought others.
        """
        while True:
            leaf, message = await inbox.take()
            await self._deal_with(connection, leaf, message, hub_is_there)

    async def speak(self, connection: Connection) -> None:
        """Say what the office has to say, until cancelled.

        Raises:
            ConnectionLost: it could not be sent.
        """
        while True:
            self._answer(connection, await self._words.take(), None)

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
                await self._take_command(connection, message)
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
            extra={"event": "spool.gone-back", "subject": self._office.key, "through": stored.through},
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

    async def _take_command(self, connection: Connection, message: Incoming) -> None:
        self._counters.commands += 1
        try:
            command = read_command(message, self._answer_topic)
            keys = [login.key for login in self.kept.logins] if self.kept else []
            objection = self._guard.objection(command, keys) if self.kept else ""
        except RefusedCommandError:
            self._counters.commands_refused += 1
            raise
        if objection:
            self._counters.commands_refused += 1
            answer = Answer(ok=False, detail=f"refused: {objection}")
        elif command.verb == ROTATE and self.kept is not None:
            answer = await self._rotate(command, self.kept, message.correlation)
        else:
            answer = respond(command, self._verbs)
        self._answer(connection, structs.replace(answer, id=command.id), message.correlation)

    async def _rotate(self, command: Command, kept: Credentials, correlation: bytes | None) -> Answer:
        """Take up the next generation of credentials; why it could not be done.

        Raises:
            NewCredentials: it was done. The answer is given once they have opened the door.
        """
        path, token = self._office.credentials, command.arguments.get("token", "")
        if path is None:
            return Answer(ok=False, detail="this probe has no file to keep credentials in")
        self._owed = _Owed(
            command.id, correlation, kept.current.generation
        )  # also if we lose the line meanwhile
        try:
            self.kept = await self._workers.in_network(redeem_next, kept, token, path)
        except (DeskError, CredentialsError) as error:
            self._owed = None
            return Answer(ok=False, detail=str(error)[:500])
        generation = self.kept.current.generation
        _log.info(
            "%s: credentials of generation %d taken up",
            self._office.key,
            generation,
            extra={"event": "credentials.taken-up", "subject": self._office.key, "generation": generation},
        )
        raise NewCredentials

    def _answer(
        self, connection: Connection, answer: Answer, correlation: bytes | None
    ) -> asyncio.Future[int]:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation is not None:
            properties.CorrelationData = correlation
        if self.kept is not None:
            answer = signed_answer(self.kept.current.key, self._office.site, self._office.probe, answer)
        return connection.publish(self._answer_topic, encode_control(answer), properties=properties)

    def _answer_ping(self, _arguments: Mapping[str, str]) -> Answer:
        return Answer(ok=True, detail=self._identity.version)

    def _answer_status(self, _arguments: Mapping[str, str]) -> Answer:
        held = f"spool_reports={self._spool.reports} awaiting={self._queue.awaiting}"
        return Answer(ok=True, detail=f"{held} {self._counters.as_text()}".rstrip())

    def _answer_resend(self, _arguments: Mapping[str, str]) -> Answer:
        count = self._queue.resend(self._clock.monotonic_ns())
        return Answer(ok=True, detail=f"{count} reports that were sent and are not stored go again now")
