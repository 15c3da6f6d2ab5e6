"""Keeps one probe's connection to the broker and sends what is in its spool. It never gives up.

On each connection: subscribe to the own `stored`, plan and commands (the retained ones come at once), say online,
then send. The connection is lost when the socket says so or when nothing is acknowledged for a while; the next is
opened after a wait with full jitter.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from probes.backoff import Backoff
from probes.enrolment.credentials import CredentialsError, load_credentials
from probes.enrolment.desk_client import DeskError
from probes.enrolment.redeem import confirm
from probes.publishing.access import broker_access
from probes.publishing.connection import (
    FAILURE,
    BrokerAccess,
    Connection,
    ConnectionLost,
    NameUnknown,
    TurnedAway,
    Untrusted,
    Will,
)
from probes.publishing.inbox import Inbox
from probes.publishing.orders import NewCredentials, Orders
from probes.publishing.send_queue import SendQueue
from probes.publishing.sender import Sender
from probes.publishing.spool_file import SpoolError
from probes.transition import Transition
from telemetry.topics import Leaf, topic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from probes.counters import Counters
    from probes.enrolment.credentials import Login
    from probes.publishing.office_settings import OfficeSettings
    from probes.publishing.presence import Identity
    from probes.publishing.spool import Row, Spool
    from probes.publishing.word import Words
    from probes.workers import Workers
    from telemetry.clock import WallClock
    from telemetry.control import Answer, Plan

STEADY_S: Final = 30.0
"""A connection that held so long was a good one: the next wait starts short again."""
GOODBYE_S: Final = 2.0
ASK_AGAIN_S: Final = 300.0
"""While reports wait for `stored`, the subscription is renewed so often: a broker may forget it, and this is cheap."""
NEWEST_AGAIN_S: Final = 900.0
"""In by the credentials of before, or with others on the disk meanwhile, the newest are tried so often."""

_log = logging.getLogger(__name__)


class Publisher:
    """Sends what is in the spool of one probe and obeys its hub."""

    def __init__(  # noqa: PLR0913 - the wiring of one office
        self,
        office: OfficeSettings,
        spool: Spool,
        identity: Identity,
        *,
        clock: WallClock,
        workers: Workers,
        counters: Counters,
        on_plan: Callable[[Plan], None],
        in_meeting: Callable[[], bool],
        verbs: Mapping[str, Callable[[Mapping[str, str]], Answer]] = MappingProxyType({}),
        words: Words | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._office = office
        self._spool = spool
        self._identity = identity
        self._clock = clock
        self._workers = workers
        self._counters = counters
        self._in_meeting = in_meeting
        patience = office.patience
        self._backoff = backoff or Backoff(base_s=patience.reconnect_s, cap_s=patience.reconnect_cap_s)
        self._queue = SendQueue(patience)
        self._orders = Orders(
            office,
            identity,
            spool,
            self._queue,
            clock=clock,
            workers=workers,
            counters=counters,
            on_plan=on_plan,
            verbs=verbs,
            words=words,
        )
        self._attempt = 0
        """Which of the generations of credentials it tries: the newest first, the one before when that is not known."""
        self._sender: Sender | None = None
        self._stopping = asyncio.Event()
        self._broker = Transition(
            _log, f"{office.key}: broker {office.broker_host}:{office.broker_port}", "reached", "broker"
        )
        self._proof = Transition(
            _log, f"{office.key}: the hub cannot be told of our new credentials", "told", "credentials"
        )
        self._reception = Transition(_log, office.key, "the hub takes reports again", "reports")

    def submit(self, row: Row, spread_ns: int = 0) -> None:
        """A report has been spooled; it may go in `spread_ns`."""
        self._queue.add(row.seq, self._clock.monotonic_ns() + spread_ns)
        self.wake()

    def wake(self) -> None:
        """Look again now: there is something new, or time was moved."""
        if self._sender is not None:
            self._sender.wake()

    def stop(self) -> None:
        """Say goodbye and end `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Publish until stopped.

        Raises:
            SpoolError: the spool cannot be read; when damaged, it must be opened anew.
        """
        self._queue.reconcile(await self._workers.on_disk(self._spool.held))
        while not self._stopping.is_set():
            began_s = asyncio.get_running_loop().time()
            try:
                await self._until_lost_or_stopped()
            except (ConnectionLost, CredentialsError, OSError) as error:  # OSError: unreadable certificates
                self._failed(error)
            finally:
                self._sender = None
                self._queue.connection_lost(self._clock.monotonic_ns())
                await self._stay_in()
            if asyncio.get_running_loop().time() - began_s >= STEADY_S:
                self._backoff.reset()
            await self._pause(self._backoff.next_s())

    def _failed(self, error: Exception) -> None:
        """Count a try or a connection that ended, and say why."""
        counters = self._counters
        counters.unreached += self._sender is None
        counters.unresolved += isinstance(error, NameUnknown)
        counters.untrusted += isinstance(error, Untrusted)
        if isinstance(error, TurnedAway):
            counters.turned_away += 1
            self._attempt += 1
        self._broker.bad(str(error))

    async def _stay_in(self) -> None:
        """What is made without a connection is marked as not sent; when that cannot be written, less is noticed later."""
        with contextlib.suppress(SpoolError):
            await self._workers.on_disk(self._spool.stays_in)

    async def _until_lost_or_stopped(self) -> None:
        """One connection; told to stop while it is still being made, there is nobody to say goodbye to, and nothing to wait for."""
        connected = asyncio.create_task(self._reach_and_publish(), name=f"{self._office.key} connection")
        stopping = asyncio.create_task(self._stopping.wait(), name=f"{self._office.key} stop")
        try:
            await asyncio.wait({connected, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._sender is not None or connected.done():
                await connected
        finally:
            for task in (connected, stopping):
                task.cancel()
            await asyncio.gather(connected, stopping, return_exceptions=True)

    async def _reach_and_publish(self) -> None:
        login = await self._login()
        await self._connected(await self._workers.in_network(broker_access, self._office, login), login)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _login(self) -> Login | None:
        """The credentials to try now, read anew, for a command may have changed them; None: not enrolled."""
        if self._office.credentials is None:
            return None
        kept = await self._workers.on_disk(load_credentials, self._office.credentials)
        self._orders.kept = kept
        return kept.logins[self._attempt % len(kept.logins)]

    async def _connected(self, access: BrokerAccess, login: Login | None) -> None:
        """One connection, from its opening to its loss (raised), to the stop or to new credentials (returns)."""
        inbox = Inbox(self._office.root, self._counters)
        will = Will(
            self._topic(Leaf.PRESENCE), self._identity.presence(online=False, since_ns=self._clock.now_ns())
        )
        async with Connection.opened(access, will, inbox.put, self._workers.network) as connection:
            await self._subscribe(connection)
            await self._announce(connection, online=True)
            self._counters.connections += 1
            self._attempt = 0  # the next connection tries the newest again
            self._broker.good()
            await self._orders.catch_up(connection, inbox)
            self._queue.reconcile(await self._workers.on_disk(self._spool.held))
            self._orders.pay(connection, login)
            try:
                await self._until_stopped(connection, inbox, login)
            except NewCredentials:  # we leave in order, so that nobody says we are gone: we are back at once
                self._attempt = 0
                self._backoff.reset()
                return
            try:
                async with asyncio.timeout(GOODBYE_S):
                    await self._announce(connection, online=False)
            except TimeoutError:
                connection.abort("no answer to our goodbye")  # then the will says it

    async def _until_stopped(self, connection: Connection, inbox: Inbox, login: Login | None) -> None:
        """Run the connection's tasks; whichever ends first ends all.

        Raises:
            NewCredentials: a command brought others.
            ConnectionLost: why it was lost.
        """
        self._sender = sender = self._new_sender(connection)
        work = {
            "stop": self._stopping.wait(),
            "watch": self._watch(connection),
            "words": self._orders.speak(connection),
            "inbox": self._orders.obey(connection, inbox, sender.hub_is_there),
            "sender": sender.run(),
            "proof": self._prove(connection, login),
        }
        tasks = [asyncio.create_task(step, name=f"{self._office.key} {name}") for name, step in work.items()]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _watch(self, connection: Connection) -> None:
        """Say when the connection is lost; ask again for `stored` when it has long been silent.

        Raises:
            ConnectionLost: why it was lost.
        """
        while True:
            try:
                async with asyncio.timeout(ASK_AGAIN_S):
                    raise ConnectionLost(await connection.lost())
            except TimeoutError:
                if self._queue.awaiting:
                    await self._subscribe(connection)

    async def _prove(self, connection: Connection, login: Login | None) -> None:
        """Tell the hub that the new credentials are in use, so that those before can end; then look whether they are the newest.

        Raises:
            NewCredentials: others are to be tried.
            ConnectionLost: why it was lost.
        """
        path, backoff = self._office.credentials, Backoff(base_s=2.0, cap_s=300.0)
        if path is None or login is None:
            raise ConnectionLost(await connection.lost())
        while (kept := self._orders.kept) is not None and kept.previous is not None and login == kept.current:
            try:
                self._orders.kept = await self._workers.in_network(confirm, kept, path)
                self._proof.good()
            except (DeskError, CredentialsError) as error:
                self._proof.bad(f"{error}; the credentials before stay valid meanwhile")
                await asyncio.sleep(backoff.next_s())
        while True:
            await asyncio.sleep(NEWEST_AGAIN_S)
            with contextlib.suppress(CredentialsError):  # what cannot be read now opens no door
                if (await self._workers.on_disk(load_credentials, path)).current != login:
                    raise NewCredentials

    async def _subscribe(self, connection: Connection) -> None:
        await connection.subscribe(self._topic(leaf) for leaf in (Leaf.STORED, Leaf.PLAN, Leaf.COMMAND))

    async def _announce(self, connection: Connection, *, online: bool) -> None:
        payload = self._identity.presence(online=online, since_ns=self._clock.now_ns(), left=not online)
        code = await connection.publish(self._topic(Leaf.PRESENCE), payload, retain=True)
        if code >= FAILURE:
            raise ConnectionLost(f"the broker does not let us say that we are here (reason 0x{code:02x})")

    def _new_sender(self, connection: Connection) -> Sender:
        return Sender(
            connection,
            self._office,
            self._spool,
            self._queue,
            boot=self._identity.boot,
            clock=self._clock,
            workers=self._workers,
            counters=self._counters,
            reception=self._reception,
            in_meeting=self._in_meeting,
        )

    def _topic(self, leaf: Leaf) -> str:
        return topic(self._office.root, self._office.site, self._office.probe, leaf)
