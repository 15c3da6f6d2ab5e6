"""The collector: reports in from the broker, committed, acknowledged, confirmed; presence in, plans out.

The order of things is the guarantee: examine, commit, *then* acknowledge. Killed at any point, what was not
acknowledged comes again, and what comes twice is stored once.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from collector.beat import Heart, LeaseLostError
from collector.broker.address import Kind
from collector.committer import Committer
from collector.confirmer import Confirmer
from collector.enrolment.orders import Orders
from collector.enrolment.roll import RollKeeper
from collector.ground import Ground
from collector.inbox import Inbox
from collector.link import LinkOptions
from collector.mqtt import Bridge, Membership
from collector.planning import Planning
from collector.presence import Attendance
from collector.upkeep import Upkeep
from telemetry.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from paho.mqtt.properties import Properties

    from collector.broker.address import BrokerAddress
    from collector.commits import Batch
    from collector.counters import Counters
    from collector.enrolment.keys import KeyRing
    from collector.message import Message
    from collector.mqtt import BridgeCounters, Sending
    from collector.trouble import Trouble
    from config.live import LiveConfig
    from config.settings import Settings
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import ReportStore

QUEUE_BYTES: Final = 64 * 1024 * 1024
"""Payload bytes held at most, whatever the number of messages."""


class Collector:
    """One collector: owns the store's writer and one connection to the broker."""

    def __init__(  # noqa: PLR0913 - what it is made of, each a port of its own
        self,
        live: LiveConfig,
        store: ReportStore,
        state: StateDb,
        broker: BrokerAddress,
        *,
        clock: WallClock | None = None,
        membership: Membership | None = None,
        keepalive_s: int = 60,
        keys: KeyRing | None = None,
        must_enrol: bool | None = None,
    ) -> None:
        settings = live.current.settings
        root = settings.broker.root
        self._ground = Ground(live, store, state, clock or SystemClock(), root)
        self._inbox = Inbox(settings.collector.queue_reports, QUEUE_BYTES)
        membership = membership or Membership.alone(root)
        self._bridge = Bridge(
            _options(settings, broker, keepalive_s),
            root,
            membership,
            self._on_message,
            self._ground.clock.now_ns,
        )
        self._bridge.on_connected = self._on_connected
        self._roll = RollKeeper(
            self._ground, self._withdraw, settings.must_enrol if must_enrol is None else must_enrol
        )
        self._orders = Orders(self._ground, self._order, keys)
        self._committer = Committer(
            self._ground, self._inbox, self._bridge, self._on_batch, lambda: self._roll.current
        )
        self._confirmer = Confirmer(self._ground, self._bridge)
        self._planning = Planning(self._ground, self._bridge)
        self._attendance = Attendance(self._ground)
        self._upkeep = Upkeep(self._ground)
        self._heart = Heart(self._ground, membership.role, self.detail)
        self._broker = broker

    @property
    def counters(self) -> Counters:
        """What was done since the start."""
        return self._ground.counters

    @property
    def bridge(self) -> BridgeCounters:
        """How the connection to the broker fares."""
        return self._bridge.counters

    async def run(self) -> None:
        """Collect until cancelled.

        Raises:
            LeaseLostError: another collector has taken over.
        """
        try:
            await self._heart.take_lease()
            try:
                await self._collect()
            finally:
                await self._heart.release()
        finally:
            self._ground.close()

    async def _collect(self) -> None:
        await self._roll.recall()
        await self._attendance.recall()
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, duty in self._duties().items():
                    tasks.create_task(duty, name=f"collector.{name}")
        except* LeaseLostError as lost:
            raise LeaseLostError(str(lost.exceptions[0])) from None

    def _duties(self) -> dict[str, Coroutine[Any, Any, None]]:
        return {
            "bridge": self._bridge.run(),
            "commits": self._committer.run(),
            "confirmations": self._confirmer.run(),
            "plans": self._planning.run(),
            "silence": self._attendance.watch(),
            "upkeep": self._upkeep.run(),
            "roll": self._roll.run(),
            "orders": self._orders.run(),
            "heart": self._heart.run(),
        }

    def detail(self) -> dict[str, object]:
        """The counters with the state of queue, broker, holes and silence, as they go with the heartbeat."""
        return {
            **self.counters.detail(),
            "queue_messages": self._inbox.messages,
            "queue_bytes": self._inbox.bytes,
            "queue_high_messages": self._inbox.high_messages,
            "queue_high_bytes": self._inbox.high_bytes,
            "broker": f"{self._broker.kind} {self._broker}",
            "bridge": asdict(self.bridge),
            "orders": asdict(self._orders.counters),
            "unconfirmed_probes": self._confirmer.pending,
            "holes_noticed": self._confirmer.holes.counts.noticed,
            "holes_filled": self._confirmer.holes.counts.filled,
            "holes_open": self._confirmer.holes.open,
            "holes_by_site": self._confirmer.holes.by_site(),
            "silent": {silent.site: silent.since_ns for silent in self._attendance.silence.silent},
            "trouble": [trouble.error for trouble in self._troubles() if trouble.error],
        }

    def _troubles(self) -> tuple[Trouble, ...]:
        duties = (
            self._committer,
            self._confirmer,
            self._attendance,
            self._upkeep,
            self._planning,
            self._roll,
            self._orders,
        )
        return (*(duty.trouble for duty in duties), self._planning.making)

    def _on_message(self, message: Message) -> None:
        self._inbox.put(message)
        if self._inbox.full:
            self._bridge.pause()

    def _withdraw(self, topic: str, payload: bytes) -> Sending:
        return self._bridge.publish(topic, payload, retain=True)

    def _order(self, topic: str, payload: bytes, properties: Properties) -> Sending:
        return self._bridge.publish(topic, payload, retain=False, properties=properties)

    def _on_connected(self) -> None:
        self._confirmer.again()
        self._planning.again()

    async def _on_batch(self, batch: Batch) -> None:
        self.counters.absorb(batch)
        await self._attendance.record(batch)
        await self._orders.note(batch)
        self._confirmer.note(batch)
        self._planning.note(batch)


def _options(settings: Settings, broker: BrokerAddress, keepalive_s: int) -> LinkOptions:
    return LinkOptions(
        host=broker.host,
        port=broker.port,
        receive_maximum=min(65_535, settings.collector.queue_reports),
        keepalive_s=keepalive_s,
        user=settings.broker.user,
        password=settings.broker.password,
        login=broker.login,
        ca=settings.broker.ca if broker.kind is Kind.EXTERNAL else "",
    )
