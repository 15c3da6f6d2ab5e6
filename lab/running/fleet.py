"""A whole emulated fleet: every linked office's agent, measuring real packets through emulated lines.

    office agents ──UDP──▶ lines (relay process) ──UDP──▶ reflectors
    (one process, one measuring process)  ──TCP──▶ lines ──TCP──▶ broker

The fleet owns two processes: `lab.line.lines` (the relays) and `lab.running.agents` (the offices). It tells the lines what to
be like as time passes, serves the control socket, and ends everything when it is left.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

import msgspec

from lab.errors import LabError
from lab.line.line_process import LineProcess
from lab.line.wire import LineSpec, SetUp
from lab.running.agents_message import EmulatedOffice, Offices
from lab.running.child import Child
from lab.running.control import control_server
from lab.running.desk import answer
from lab.running.director import Director
from lab.running.rooms import Rooms
from lab.running.scope import Places, ScopeError
from lab.running.script import fitting, load_script, script_path
from telemetry.clock import SystemClock
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from pathlib import Path

    from config.config import Config
    from lab.line.wire import LinesStatus
    from lab.running.director import Fault
    from lab.running.effect import Effect
    from lab.running.script import Script
    from telemetry.clock import WallClock

PROBE: Final = "p1"
_TICK_S: Final = 1.0
_FAREWELL_S: Final = 15.0
"""The offices spool what they have and say goodbye."""
_log = logging.getLogger(__name__)


class Fleet:
    """The emulated fleet of a deployment; `async with` starts it, `run` keeps it going."""

    def __init__(  # noqa: PLR0913 - each is a choice of the owner
        self,
        config: Config,
        data_dir: Path,
        broker: tuple[str, int],
        reflectors: Mapping[str, tuple[str, int]],
        *,
        sites: Sequence[str] | None = None,
        script: Script | None = None,
        truth: bool = False,
        agents: bool = True,
        clock: WallClock | None = None,
        keys: Mapping[str, tuple[int, bytes]] = MappingProxyType({}),
    ) -> None:
        """Prepare the fleet.

        Args:
            config: the deployment; its linked offices are emulated.
            data_dir: control socket, logs, spools and truth log go here.
            broker: where MQTT goes.
            reflectors: where the STAMP packets to each end go.
            sites: only these offices; None for all that are linked.
            script: instead of the deployment's `lab.toml` (`lab.running.script.QUIET`: lines that do nothing of themselves).
            truth: keep the packet-by-packet truth log in `<data>/truth`.
            agents: False leaves the offices out, for those who bring their own senders.
            clock: the time by which the script runs.
            keys: SSID and key of each office, by which the reflectors admit its rehearsals.

        Raises:
            ConfigError: the script is wrong.
            LabError: a site is not known, or not linked.
        """
        self._config = config
        self._data_dir = data_dir
        self._broker = broker
        self._reflectors = dict(reflectors)
        self.clock = clock or SystemClock()
        self._with_agents = agents
        self._keys = keys
        self.truth_dir: Path | None = data_dir / "truth" if truth else None
        linked = _linked(config, tuple(reflectors))
        self.places = linked if sites is None else _chosen(linked, sites)
        lab = config.settings.lab
        if script is None:
            script = load_script(script_path(config.file, lab.script), linked)
        script = fitting(script, self.places)
        self._seed = lab.seed
        self.director = Director(script, self.places, config.settings.deployment.timezone, lab.seed)
        self._lines = LineProcess(data_dir / "logs" / "lab-lines.log")
        self._agents = Child(
            "agents", "lab.running.agents", data_dir / "logs" / "lab-agents.log", patience_s=_FAREWELL_S
        )
        self.rooms = Rooms(site.id for site in self.places.sites)
        """The devices that the offices ask."""
        self._ports: dict[tuple[str, str], int] = {}
        self._broker_ports: dict[str, int] = {}
        self._stack = AsyncExitStack()
        self._telling = asyncio.Lock()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Start the lines, put them into their state, then start the offices."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        try:
            await self._stack.enter_async_context(control_server(self._data_dir, partial(answer, self)))
            self._stack.push_async_callback(self._lines.stop)
            await self._start_lines()
            await self._stack.enter_async_context(self.rooms)
            if self._with_agents:
                self._stack.push_async_callback(self._agents.stop)
                await self._start_agents()
            group = await self._stack.enter_async_context(_Background())
            group.start(self._follow_time(), "lab: follow time")
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        """Keep going until cancelled.

        Raises:
            LabError: one of the fleet's processes has ended by itself.
        """
        children = {"lines": self._lines.wait()}
        if self._with_agents:
            children["agents"] = self._agents.wait()
        tasks = {
            asyncio.create_task(wait, name=f"lab: {name} process"): name for name, wait in children.items()
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            name = tasks[done.pop()]
            raise LabError(
                f"the lab's {name} process has ended; see {self._data_dir / 'logs' / f'lab-{name}.log'}"
            )
        finally:
            for task in tasks:
                task.cancel()

    async def _start_lines(self) -> None:
        specs = tuple(
            LineSpec(site.id, end, self._reflectors[end])
            for site in self.places.sites
            for end in self.places.ends
        )
        setup = SetUp(
            seed=str(self._seed),
            lines=specs,
            broker=self._broker,
            truth=str(self.truth_dir) if self.truth_dir is not None else None,
        )
        ports = await self._lines.start(setup)
        self._ports = {(spec.site, spec.end): port for spec, port in zip(specs, ports.udp, strict=True)}
        self._broker_ports = ports.tcp
        await self._tell()

    async def _start_agents(self) -> None:
        spools = self._data_dir / "spool"
        spools.mkdir(parents=True, exist_ok=True)
        broker = self._config.settings.broker
        offices = Offices(
            root=broker.root,
            user=broker.user,
            password=broker.password,
            offices=tuple(
                EmulatedOffice(
                    site=site.id,
                    probe=PROBE,
                    broker_port=self._broker_ports[site.id],
                    ends={end: f"127.0.0.1:{self._ports[site.id, end]}" for end in self.places.ends},
                    spool=str(spools / f"{site.id}.db"),
                    ssid=self._keys.get(site.id, (0, b""))[0],
                    room=self.rooms.question(site.id),
                    secret=self._keys.get(site.id, (0, b""))[1].hex(),
                )
                for site in self.places.sites
            ),
        )
        await self._agents.start()
        await self._agents.ask(msgspec.json.encode(offices))

    async def _follow_time(self) -> None:
        """Tell the lines what the hour changes, and what a fault's end changes."""
        while True:
            end_ns = self.director.next_end_ns()
            wait_s = _TICK_S
            if end_ns is not None:
                wait_s = min(max((end_ns - self.clock.now_ns()) / SECOND_NS, 0.0), _TICK_S)
            self._changed.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
            try:
                await self._tell()
            except LabError as error:  # `run` tells the owner
                _log.error("%s", error, extra={"event": "lab.lines-failed", "reason": str(error)})
                return

    async def _tell(self) -> None:
        async with self._telling:
            await self._lines.tell(self.director.change(self.clock.now_ns()))

    # What tests and the control socket do.

    def relay_port(self, site: str, end: str) -> int:
        """The UDP port of an office's line to an end."""
        return self._ports[site, end]

    def broker_port(self, site: str) -> int:
        """The TCP port of an office's way to the broker."""
        return self._broker_ports[site]

    @property
    def lines_pid(self) -> int | None:
        """Process id of the relays while they run."""
        return self._lines.pid

    async def impair(self, scope: str, effect: Effect, for_s: float | None = None) -> Fault:
        """Lay an effect on the lines of a scope; in force when this returns.

        Raises:
            LabError: the scope names what is not there.
        """
        now_ns = self.clock.now_ns()
        until_ns = None if for_s is None else now_ns + round(for_s * SECOND_NS)
        try:
            found = self.places.scope(scope)
        except ScopeError as error:
            raise LabError(str(error)) from None
        fault = self.director.break_(found, effect, now_ns, until_ns)
        await self._tell()
        self._changed.set()
        return fault

    async def heal(self, scope: str | None = None) -> tuple[Fault, ...]:
        """Take away what was broken by hand on a scope, or everything; in force when this returns.

        Raises:
            LabError: the scope names what is not there.
        """
        try:
            found = None if scope is None else self.places.scope(scope)
        except ScopeError as error:
            raise LabError(str(error)) from None
        healed = self.director.heal(found)
        self.switch_rooms("all" if scope is None else scope, on=True)
        await self._tell()
        return healed

    def switch_rooms(self, scope: str, *, on: bool) -> tuple[str, ...]:
        """Switch the rooms' devices of a scope; which offices they are of.

        Raises:
            LabError: the scope names what is not there.
        """
        try:
            found = self.places.scope(scope)
        except ScopeError as error:
            raise LabError(str(error)) from None
        sites = tuple(dict.fromkeys(site.id for site, _ in self.places.lines(found)))
        self.rooms.switch(sites, on=on)
        return sites

    async def redirect(self, broker: tuple[str, int]) -> None:
        """New MQTT connections go to another broker."""
        self._broker = broker
        await self._lines.redirect(broker)

    async def status(self) -> LinesStatus:
        """What the lines have carried so far."""
        return await self._lines.status()

    async def flush_truth(self) -> None:
        """Have the truth log written out up to now."""
        await self._lines.flush_truth()


class _Background:
    """Tasks that live as long as the fleet; cancelled and awaited at its end."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    def start(self, work: Coroutine[None, None, None], name: str) -> None:
        """Run this until the fleet ends."""
        self._tasks.append(asyncio.create_task(work, name=name))

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _linked(config: Config, ends: tuple[str, ...]) -> Places:
    """Every linked office, in the order of the registry."""
    linked = list(config.registry.linked())
    return Places(linked, ends, {site.id: site.provider for site in linked if site.provider})


def _chosen(linked: Places, sites: Sequence[str]) -> Places:
    """Some of them.

    Raises:
        LabError: a site is not known, or not linked.
    """
    try:
        wanted = {linked.scope(site).name for site in sites}
    except ScopeError as error:
        raise LabError(str(error)) from None
    chosen = [site for site in linked.sites if site.id in wanted]
    return Places(chosen, linked.ends, {site.id: site.provider for site in chosen if site.provider})
