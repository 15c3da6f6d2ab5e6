"""Keeping the configuration fresh and the plans with it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING, Final

from collector.mqtt import Sending
from collector.planner import MAX_PROBES, Planner
from collector.plans import plan_everyone
from collector.trouble import Trouble
from collector.withheld import Withheld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.batch import Batch
    from collector.ground import Ground
    from collector.mqtt import Bridge
    from collector.planner import Probe
    from telemetry.control import Plan

log = logging.getLogger(__name__)
_TICK_S: Final = 1.0


class Planning:
    """Looks every second whether the operator's files, the hour or the connection have changed; the leader says plans."""

    def __init__(
        self,
        ground: Ground,
        bridge: Bridge,
        is_revoked: Callable[[str, str], bool],
        roll: Callable[[], object] = object,
    ) -> None:
        """`is_revoked(site, probe)`: it is told no plan; `roll`: what that answers from, another object after a change."""
        self._ground = ground
        self._bridge = bridge
        self._planner = Planner(ground.root, self._publish, is_revoked, self._withhold, roll)
        self.withheld = Withheld(ground.clock)
        """Sites that have too many probes just now."""
        self._term: int | None = None
        self.making = Trouble("plans cannot be made", "probes keep the last ones; trying again", "plans")
        self.trouble = Trouble(
            "plans cannot be written down", "probes have them; trying again with the next", "plans-record"
        )

    def note(self, batch: Batch) -> None:
        """Probes that spoke get their site's plan; those that came on line get it again.

        A retained plan that is not ours (garbled, or somebody else's) is thus mended within seconds of a probe's start, and
        with the next hour's plan at the latest.
        """
        for site, probe in batch.newest:
            self._planner.heard(site, probe)
        for said in batch.said:
            if said.presence is not None and said.presence.online:
                self._planner.arrived(said.site, said.probe)
            else:
                self._planner.heard(said.site, said.probe)

    def _withhold(self, site: str, probe: str) -> None:
        """Count a probe that gets no plan; of each site the first is named."""
        self._ground.counters.plans_withheld += 1
        if not self.withheld.note(site, probe):
            return
        log.warning(
            "%s has %d probes already: %s (and any more) is told no plan and measures at the base rate; its reports are"
            " stored. Revoke those that are gone: tatpar revoke %s --probe ID",
            site, MAX_PROBES, probe, site,
            extra={"event": "plans.withheld", "site": site, "probe": probe},
        )  # fmt: skip

    def again(self) -> None:
        """The connection is new: publish every plan once more."""
        self._planner.again()

    async def run(self) -> None:
        """Plan until cancelled. Whatever is wrong with a plan, reports go on being collected."""
        while True:
            try:
                await self._step()
            except Exception as error:
                if not self.making.error:
                    log.exception("plans", extra={"event": "plans.fault"})
                self.making.failed(error)
            else:
                self.making.worked()
            await asyncio.sleep(_TICK_S)

    async def _step(self) -> None:
        await asyncio.to_thread(self._ground.live.refresh)
        if self._ground.leading.term != self._term:
            self._term = self._ground.leading.term
            self._planner.again(await self._written())
        if self._term is None:
            return
        config, now_ns = self._ground.live.current, self._ground.clock.now_ns()
        if self._planner.outdated(config, now_ns):
            plans = await asyncio.to_thread(plan_everyone, config, now_ns)
            self._planner.adopt(plans, config, now_ns)
        told = self._planner.tell()
        if told:
            self._ground.counters.plans += len(told)
            await self._write(told)

    def _publish(self, name: str, payload: bytes) -> Sending:
        if not self._ground.leading.now:
            return Sending.HELD
        return self._bridge.publish(name, payload, retain=True)

    async def _written(self) -> Iterable[Probe]:
        """Who was told a plan by whoever planned before us."""
        try:
            return await self._ground.desk.run(self._ground.state.plans)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            self._ground.counters.state_failures += 1
            self.trouble.failed(error)
            return ()

    async def _write(self, told: list[tuple[Probe, Plan]]) -> None:
        try:
            await self._ground.desk.run(self._put, told)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            self._ground.counters.state_failures += 1
            self.trouble.failed(error)
        else:
            self.trouble.worked()

    def _put(self, told: list[tuple[Probe, Plan]]) -> None:
        for (site, probe), plan in told:
            self._ground.state.put_plan(site, probe, plan)
