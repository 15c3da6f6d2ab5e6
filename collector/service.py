"""The collector: reports in from the broker, committed, acknowledged, confirmed; presence in, plans out.

The order of things is the guarantee: examine, commit, *then* acknowledge. Killed at any point, what was not
acknowledged comes again, and what comes twice is stored once.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from collector.beat import Heart
from collector.broker.address import Kind
from collector.clock_keeping import ClockKeeping
from collector.committer import Committer
from collector.confirmer import Confirmer
from collector.enrolment.orders import Orders
from collector.enrolment.roll import RollKeeper
from collector.ground import Ground
from collector.inbox import Admission, Fairness, Inbox
from collector.lanes import Lanes
from collector.leading import Leading
from collector.link import CONNACK_S, LinkOptions
from collector.mqtt import Bridge, Membership, Patience
from collector.observation.parts import Parts
from collector.observation.service import Observation
from collector.planning import Planning
from collector.presence import Attendance
from collector.quota import Quota
from collector.refusals import Refusals
from collector.rehearsing.service import Rehearsals
from collector.seat import Seat
from collector.standing import Standing
from collector.trouble import Trouble
from collector.upkeep import Upkeep
from telemetry.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from paho.mqtt.properties import Properties

    from collector.batch import Batch
    from collector.broker.address import BrokerAddress
    from collector.counters import Counters
    from collector.enrolment.keys import KeyRing
    from collector.message import Message
    from collector.mqtt import BridgeCounters, Sending
    from config.live import LiveConfig
    from config.settings import Metrics, Settings
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import ReportStore

log = logging.getLogger(__name__)

LEAVE_S: Final = 10.0
"""Leaving in order may take so long."""
_QUIET_S: Final = 0.3
"""A broker may still send what it had queued for us; when nothing came for so long, that was all."""
_TICK_S: Final = 0.01
_LOOK_S: Final = 0.5


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
        metrics: Metrics | None = None,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        """`committed` is called on the event loop after every batch that was stored."""
        settings = live.current.settings
        root = settings.broker.root
        membership = membership or Membership.alone(root)
        self._committed = committed
        folder = state.path.parent
        leading = Leading(Seat(folder) if membership.shared else None)
        self._standing = Standing(folder, shared=membership.shared)
        self._ground = Ground(live, store, state, clock or SystemClock(), root, leading)
        self._inbox = Inbox(
            settings.collector.queue_reports, settings.collector.queue_bytes, _fairness(live, root)
        )
        self._bridge = Bridge(
            _options(settings, broker, keepalive_s),
            root,
            membership,
            self._on_message,
            now_ns=self._ground.clock.now_ns,
            patience=Patience(settings.collector.stalled_s, settings.collector.retry_s),
        )
        self._bridge.on_connected = self._on_connected
        self._roll = RollKeeper(
            self._ground, self._withdraw, settings.must_enrol if must_enrol is None else must_enrol
        )
        self._orders = Orders(self._ground, self._order, keys)
        self._rehearsals = Rehearsals(self._ground, keys)
        self._committer = Committer(
            self._ground, self._inbox, self._bridge, self._on_batch, lambda: self._roll.current
        )
        self._clock_keeping = ClockKeeping(self._ground, self._committer.clocks)
        self._confirmer = Confirmer(self._ground, self._bridge, self._is_revoked)
        self._planning = Planning(self._ground, self._bridge, self._is_revoked, lambda: self._roll.current)
        self._attendance = Attendance(self._ground)
        self._upkeep = Upkeep(self._ground)
        self._refusals = Refusals()
        self._heart = Heart(self._ground, membership.role, self.detail, self._of_group)
        self._stopping = asyncio.Event()
        self._broker = broker
        self._stands = False
        parts = Parts(
            *(self._ground, self._inbox, self._bridge, self._confirmer, self._attendance),
            *(self._planning.withheld, str(broker.kind)),
        )
        self._observation = Observation(parts, metrics or settings.metrics, self._checks())

    @property
    def counters(self) -> Counters:
        """What was done since the start."""
        return self._ground.counters

    @property
    def bridge(self) -> BridgeCounters:
        """How the connection to the broker fares."""
        return self._bridge.counters

    def stop(self) -> None:
        """End `run` in order: take nothing more, commit and acknowledge what is here, tell who is to be told."""
        self._stopping.set()

    async def run(self) -> None:
        """Collect until stopped or cancelled.

        Raises:
            MixedError: collectors of the other kind, alone or sharing, are at work on the same data.
            OSError: the data folder cannot be written.
        """
        waiting = Trouble("another collector is at work on this data", "waiting until it is gone", "standing")
        try:
            async with self._observation.served():
                while not self._standing.take():
                    if self._stopping.is_set():
                        return
                    waiting.failed(RuntimeError("this one works alone, too"))
                    await asyncio.sleep(_LOOK_S)
                waiting.worked()
                self._stands = True
                await self._collect()
        finally:
            self._ground.close()
            self._standing.release()

    async def _collect(self) -> None:
        await self._roll.recall()
        await self._committer.recall()
        await self._clock_keeping.recall()
        await self._attendance.recall()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(duty, name=f"collector.{name}") for name, duty in self._duties().items()
            ]
            await self._stopping.wait()
            try:
                async with asyncio.timeout(LEAVE_S):
                    await self._leave()
            except TimeoutError:
                log.warning(
                    "not everything could be stored within %.0f s; the probes send it again",
                    LEAVE_S,
                    extra={"event": "collector.left-unstored"},
                )
            for task in tasks:
                task.cancel()
        await self._heart.leave()

    async def _leave(self) -> None:
        if self._ground.leading.shared:
            await self._bridge.leave()
        else:
            self._bridge.pause()  # the broker keeps the session, and in it what comes
        quiet_s = 0.0
        while quiet_s < (_QUIET_S if self._ground.leading.shared else _TICK_S):
            await asyncio.sleep(_TICK_S)
            quiet_s = 0.0 if self._inbox.messages else quiet_s + _TICK_S
        await self._confirmer.settle()
        await self._clock_keeping.keep()
        await self._heart.beat()

    def _duties(self) -> dict[str, Coroutine[Any, Any, None]]:
        return {
            "leading": self._ground.leading.run(lambda: self.bridge.connected),
            "bridge": self._bridge.run(),
            "commits": self._committer.run(),
            "clocks": self._clock_keeping.run(),
            "confirmations": self._confirmer.run(),
            "plans": self._planning.run(),
            "silence": self._attendance.watch(),
            "upkeep": self._upkeep.run(),
            "roll": self._roll.run(),
            "orders": self._orders.run(),
            "rehearsals": self._rehearsals.run(),
            "heart": self._heart.run(),
            "observation": self._observation.run(),
        }

    def _checks(self) -> dict[str, Callable[[], str]]:
        """What must be well for this collector to do its duty; each says what is wrong."""
        return {
            "standing": lambda: (
                self._heart.trouble.error if self._stands else "waits for another collector to end"
            ),
            "broker": lambda: "" if self.bridge.connected else "not connected, or not subscribed",
            "store": lambda: self._committer.problem or self._confirmer.trouble.error,
        }

    def detail(self) -> dict[str, object]:
        """The counters with the state of queue and broker, as they go with the heartbeat; of one alone, also what is of all."""
        shared = self._ground.leading.shared
        return {
            **self.counters.detail(),
            "queue_messages": self._inbox.messages,
            "queue_bytes": self._inbox.bytes,
            "queue_high_messages": self._inbox.high_messages,
            "queue_high_bytes": self._inbox.high_bytes,
            **self._inbox.detail(),
            "broker": f"{self._broker.kind} {self._broker}",
            "metrics_address": self._observation.address,
            "bridge": asdict(self.bridge),
            "orders": asdict(self._orders.counters),
            "unconfirmed_probes": self._confirmer.pending,
            **self._planning.withheld.detail(),
            **self._committer.detail(),
            "trouble": [trouble.error for trouble in self._troubles() if trouble.error],
            **({"leads": self._ground.leading.now} if shared else self._of_all()),
        }

    def _of_group(self) -> dict[str, object] | None:
        """What the leader says for all; None until it knows where the leader before had got to."""
        return self._of_all() if self._confirmer.speaks else None

    def _of_all(self) -> dict[str, object]:
        """What is known by whoever leads only: holes and silence."""
        holes = self._confirmer.holes
        of_all: dict[str, object] = {
            "holes_noticed": holes.counts.noticed,
            "holes_filled": holes.counts.filled,
            "holes_suspicious": holes.suspicious,
            "holes_open": holes.open,
            "holes_by_site": holes.by_site(),
            "silent": {silent.site: silent.since_ns for silent in self._attendance.silence.silent},
        }
        if self._ground.leading.shared:
            of_all["hole_watch"] = holes.handover().plain()
        return of_all

    def _troubles(self) -> tuple[Trouble, ...]:
        duties = (
            self._committer,
            self._clock_keeping,
            self._confirmer,
            self._attendance,
            self._upkeep,
            self._planning,
            self._roll,
            self._orders,
            self._rehearsals,
        )
        return (
            *(duty.trouble for duty in duties),
            self._planning.making,
            self._confirmer.hearing,
            self._attendance.hearing,
            self._ground.leading.trouble,
        )

    def _on_message(self, message: Message) -> None:
        if self._inbox.put(message) is Admission.DEFERRED:
            self._bridge.defer(message)
        elif self._inbox.full:
            self._bridge.pause()

    def _withdraw(self, topic: str, payload: bytes) -> Sending:
        return self._bridge.publish(topic, payload, retain=True)

    def _is_revoked(self, site: str, probe: str) -> bool:
        return self._roll.current.is_revoked(site, probe)

    def _order(self, topic: str, payload: bytes, properties: Properties) -> Sending:
        return self._bridge.publish(topic, payload, retain=False, properties=properties)

    def _on_connected(self) -> None:
        self._confirmer.again()
        self._planning.again()

    async def _on_batch(self, batch: Batch) -> None:
        self._committed()
        self._observation.note(batch)
        ours = self._attendance.ours(batch)
        self.counters.absorb(ours)
        self._refusals.note(batch.refused, self._ground.clock.now_ns())
        await self._attendance.record(ours)
        await self._orders.note(ours)
        self._confirmer.note(batch)
        self._planning.note(batch)


def _fairness(live: LiveConfig, root: str) -> Fairness:
    settings = live.current.settings.collector
    quota = Quota(settings.site_queue_reports, settings.site_queue_bytes)
    lanes = Lanes(root, lambda: live.current.registry)
    return Fairness(lanes.of, quota, settings.backlog_share_ratio)


def _options(settings: Settings, broker: BrokerAddress, keepalive_s: int) -> LinkOptions:
    return LinkOptions(
        host=broker.host,
        port=broker.port,
        receive_maximum=min(65_535, settings.collector.queue_reports),
        keepalive_s=keepalive_s,
        connack_s=min(CONNACK_S, settings.collector.stalled_s),
        user=settings.broker.user,
        password=settings.broker.password,
        login=broker.login,
        ca=settings.broker.ca if broker.kind is Kind.EXTERNAL else "",
    )
