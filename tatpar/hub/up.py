"""Everything on one machine: `Up` brings the broker, the reflectors, the rooms of the hub and, if asked, the lab.

The hub's rooms (collector, watch, alerts, wall) are tasks of one process; what measures, relays or reflects
runs in processes of its own, so that the hub's work never delays a packet.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import structs

from alerts.service import Alerts
from collector.broker import bring
from collector.enrolment.issuing import reflector_keys
from collector.service import Collector
from collector.standing import MixedError, see_that_nobody_shares
from dashboards.wall.app import create_app
from dashboards.wall.serve import address, listen, serve_on, warning_for
from lab.running.fleet import Fleet
from tatpar.hub.answering import ack_routes, answering, hears
from tatpar.hub.failures import note_failure
from tatpar.hub.keeping import kept
from tatpar.hub.lab_past import check_script, give_a_past
from tatpar.hub.reflecting import local_binds, reflecting, running_already
from tatpar.hub.transport import ring, warnings
from tatpar.verdicts.underway import failing
from tatpar.watching.mirror import mirroring
from tatpar.watching.watch import Watch
from telemetry.bell import Bell
from telemetry.clock import SystemClock
from telemetry.state.db import StateDb
from telemetry.state.errors import StateError
from telemetry.state.file import STATE_FILE
from telemetry.state.holder import new_holder
from telemetry.store.errors import StoreError
from telemetry.store.open import open_reader, open_writer

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Any

    from collector.broker.address import BrokerAddress
    from config.live import LiveConfig
    from config.settings import Broker
    from tatpar.hub.keeping import Failure
    from tatpar.watching.mirror import Mirror
    from telemetry.store.protocol import ReportStore, StoreReader


LAB_HISTORY_WEEKS: Final = 4
MOST_REMARKS: Final = 5


class AlreadyRunningError(RuntimeError):
    """Another `tatpar up` works on the same data."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What the operator chose on the command line."""

    data_dir: Path
    lab: bool = False
    host: str | None = None
    port: int | None = None
    truth: bool = False
    history_weeks: int = LAB_HISTORY_WEEKS


class Up:
    """One hub on one machine; `run` keeps it going until cancelled."""

    def __init__(self, live: LiveConfig, options: UpOptions, say: Callable[[str], None]) -> None:
        """Take what the operator wrote; `say` is given one line for each thing that is up.

        Raises:
            ConfigError: the lab's script is wrong.
        """
        self._options = options
        self._say = say
        self._clock = SystemClock()
        self._live = live
        self._committed, self._spoken = Bell(), Bell()
        self._holder = new_holder()
        self._lab_keys: dict[str, tuple[int, bytes]] = {}
        if options.lab:
            check_script(live.current)
            linked = enumerate(live.current.registry.linked(), start=1)
            self._lab_keys = {site.id: (number, secrets.token_bytes(32)) for number, site in linked}

    async def run(self) -> None:
        """Bring everything up, keep it up, and take it down in order when cancelled.

        Raises:
            AlreadyRunningError: the data folder is in use.
            AddressInUseError: the wall's port is taken.
            BrokerError, StoreError, StateError: a room could not be brought up.
            OSError: the data folder cannot be written, or a reflector's port is taken.
        """
        options = self._options
        options.data_dir.mkdir(parents=True, exist_ok=True)
        remarks = self._live.current.calendar.remarks
        for remark in remarks[:MOST_REMARKS]:
            self._say(f"meetings: {remark}")
        if len(remarks) > MOST_REMARKS:
            self._say(f"meetings: {len(remarks) - MOST_REMARKS} more remarks: tatpar meetings --check")
        with _only_one(options.data_dir), contextlib.closing(self._listener()) as listener:
            if options.lab and options.history_weeks:
                await give_a_past(self._live.current, options.data_dir, options.history_weeks, self._say)
            async with AsyncExitStack() as stack:
                settings = self._live.current.settings
                store = open_writer(settings.store, options.data_dir)
                stack.callback(store.close)
                self._warn(listener.getsockname()[0])
                broker = await stack.enter_async_context(bring(self._broker(), options.data_dir))
                desk = stack.enter_context(contextlib.closing(self._desk())) if self._has_desk else None
                self._say(f"broker: {broker.kind} on {broker}")
                ends = await stack.enter_async_context(self._reflectors())
                await self._rooms((listener, desk), broker, store, ends)

    def _listener(self) -> socket.socket:
        """The wall's port, taken first, so that a taken one is said before anything else starts."""
        wall = self._live.current.settings.wall
        host = self._options.host or wall.host
        port = wall.port if self._options.port is None else self._options.port
        return listen(host, port)

    def _warn(self, host: str) -> None:
        """Say what is open, or shut for everybody."""
        settings = self._live.current.settings
        with self._state() as state:  # a damaged one is told now, not by every room again and again
            if warning := warning_for(host, settings.wall, state):
                self._say(warning)
        for warning in warnings(settings):
            self._say(warning)

    @asynccontextmanager
    async def _reflectors(self) -> AsyncIterator[Mapping[str, tuple[str, int]]]:
        """A reflector for every end in the lab; else for those whose address is one of this machine's."""
        config = self._live.current
        binds = dict.fromkeys(config.headquarters, ("127.0.0.1", 0))
        if not self._options.lab:
            binds = await asyncio.to_thread(local_binds, config.headquarters.values())
        there = await asyncio.to_thread(running_already, binds)
        for end, (host, port) in there.items():
            self._say(f"reflector of {end}: one that runs at {host}:{port} already")
        own = {end: address for end, address in binds.items() if end not in there}
        log_file = self._options.data_dir / "logs" / "reflector.log"
        capacity_bps = config.settings.rehearsal.hub_capacity_bps
        keys = self._keys_file_text if self._knows_keys else None
        async with reflecting(own, log_file, keys=keys, rehearsal_bps=capacity_bps) as bound:
            for end, (host, port) in bound.items():
                self._say(f"reflector of {end}: {host}:{port}")
            yield {**bound, **there}

    @property
    def _knows_keys(self) -> bool:
        """Whether our reflectors can know offices by their keys."""
        data_dir = self._options.data_dir
        return self._options.lab or ring(self._live.current.settings, data_dir) is not None

    def _keys_file_text(self) -> str:
        """The keys of all offices, for our reflectors."""
        if self._options.lab:
            return "".join(f"{ssid} {key.hex()}  # {site}\n" for site, (ssid, key) in self._lab_keys.items())
        keys = ring(self._live.current.settings, self._options.data_dir)
        with self._state() as state:
            lines = [] if keys is None else reflector_keys(state, keys, self._clock.now_ns())
        return "".join(f"{line}\n" for line in lines)

    async def _rooms(
        self,
        doors: tuple[socket.socket, socket.socket | None],
        broker: BrokerAddress,
        store: ReportStore,
        ends: Mapping[str, tuple[str, int]],
    ) -> None:
        """Every room a task; one that fails is started again, and does not take the others with it."""
        listener, desk = doors
        rooms: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "collector": lambda: self._collect(store, broker),
            "watch": self._watch,
            "alerts": self._alert,
            "wall": lambda: self._wall(listener),
        }
        if hears(self._live.current.settings.alerts.delivery):
            rooms["acknowledgements"] = self._hear
        if desk is not None:
            rooms["enrolment desk"] = lambda: self._enrol(desk, broker)
        if self._options.lab:
            rooms["fleet"] = lambda: self._fleet(broker, ends)
        async with asyncio.TaskGroup() as group:
            for name, room in rooms.items():
                group.create_task(
                    kept(name, room, failed=self._failed, noted=self._noted), name=f"up: {name}"
                )
            self._say(f"wall: {address(listener)}")

    def _failed(self, failure: Failure) -> None:
        """Put back a young change of the configuration, unless the trouble is with files or the network."""
        if failure.error is not None and not isinstance(failure.error, OSError | StoreError | StateError):
            self._live.put_back(f"{failure.room}: {failure.why}")

    def _noted(self, failure: Failure) -> bool:
        """Write a failure down; False when the state database cannot be written."""
        try:
            with self._state() as state:
                note_failure(state, failure, self._clock.now_ns())
        except StateError:
            return False
        return True

    async def _collect(self, store: ReportStore, broker: BrokerAddress) -> None:
        with self._state() as state:
            lab = self._options.lab  # its offices are emulated on this machine, nobody enrols them
            keys = None if lab else ring(self._live.current.settings, self._options.data_dir)
            must_enrol = False if lab else None
            await Collector(
                *(self._live, store, state, broker),
                clock=self._clock,
                keys=keys,
                must_enrol=must_enrol,
                committed=self._committed.ring,
            ).run()

    async def _enrol(self, listener: socket.socket, broker: BrokerAddress) -> None:
        from tatpar.hub.desk import serve_desk  # noqa: PLC0415 - cryptography is loaded only where there is a desk

        with self._state() as state:
            settings = self._live.current.settings
            await serve_desk(settings, self._options.data_dir, state, (broker.host, broker.port), listener)

    @property
    def _has_desk(self) -> bool:
        return bool(self._live.current.settings.desk_host) and not self._options.lab

    def _desk(self) -> socket.socket:
        settings = self._live.current.settings
        port = settings.enrolment.port
        try:
            listener = listen(settings.desk_host, port)
        except OSError as error:
            why = getattr(error.__cause__, "strerror", None) or error
            raise OSError(
                f"the enrolment desk cannot listen on port {port}: {why}; set enrolment.port"
            ) from error
        self._say(f"enrolment desk: {', '.join(settings.desk_names)}, port {port}")
        return listener

    def _broker(self) -> Broker:
        """The settings' broker; in the lab, whose offices are emulated on this machine, without the door for others."""
        broker = self._live.current.settings.broker
        return structs.replace(broker, public_host="") if self._options.lab else broker

    async def _watch(self) -> None:
        with (
            self._reader() as reader,
            self._reader() as past,
            self._state() as state,
            self._mirror(state) as mirror,
        ):
            watch = Watch(
                *(self._live, reader, state, self._clock),
                history_reader=past,
                committed=self._committed,
                spoken=self._spoken,
                reports_dir=self._options.data_dir / "reports",
                mirror=mirror,
                shelf=self._options.data_dir,
                holder=self._holder,
            )
            await watch.run()

    def _mirror(self, state: StateDb) -> AbstractContextManager[Mirror | None]:
        return mirroring(self._live, self._options.data_dir, state)

    async def _alert(self) -> None:
        with self._state() as state:
            await Alerts(self._live, state, self._clock, news=self._spoken, holder=self._holder).run()

    async def _hear(self) -> None:
        with self._state() as state:
            await answering(self._live, state, self._options.data_dir, self._say, self._clock)

    async def _wall(self, listener: socket.socket) -> None:
        with self._reader() as reader, self._state() as state:
            more = ack_routes(self._live, state, self._options.data_dir, self._clock)
            ask = failing(self._live, self._options.data_dir, state)
            app = create_app(self._live, reader, state, self._clock, more=more, failing=ask)
            await serve_on(app, listener)

    async def _fleet(self, broker: BrokerAddress, ends: Mapping[str, tuple[str, int]]) -> None:
        options = self._options
        where = (broker.host, broker.port)
        async with Fleet(
            *(self._live.current, options.data_dir, where, ends), truth=options.truth, keys=self._lab_keys
        ) as fleet:
            count = len(fleet.places.sites)
            measure = "office measures" if count == 1 else "offices measure"
            self._say(f"fleet: {count} emulated {measure} real packets (tatpar lab break SITE --loss 0.05)")
            await fleet.run()

    def _state(self) -> contextlib.closing[StateDb]:
        return contextlib.closing(StateDb(self._options.data_dir / STATE_FILE))

    def _reader(self) -> contextlib.closing[StoreReader]:
        return contextlib.closing(open_reader(self._live.current.settings.store, self._options.data_dir))


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for ourselves; the kernel lets go of it however we end."""
    with (data_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise AlreadyRunningError(
                f"{data_dir}: another `tatpar up` (pid {lock.read().strip() or '?'}) works on this folder; "
                "stop it, or give this one another with --data"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            see_that_nobody_shares(data_dir)
        except MixedError as error:
            raise AlreadyRunningError(str(error)) from None
        yield
