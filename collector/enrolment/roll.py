"""The roll: which probes are enrolled, as the collector's intake asks it.

The broker's access list already keeps strangers out; this is the second look, which also holds for a broker that runs
elsewhere, and at once for a revoked probe whose connection still stands.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from collector.mqtt import Sending
from collector.trouble import Trouble
from telemetry.control import Presence
from telemetry.state.credentials import Standing
from telemetry.topics import Leaf, topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from collector.ground import Ground

LOOK_S: Final = 0.25
TIME_COUNTS_EVERY: Final = 40
"""Looks: a token that runs out changes no row, so the roll is read again every 10 s anyway."""

Probe = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Roll:
    """Who is enrolled at this moment; immutable, so that any thread may ask."""

    required: bool = False
    standings: Mapping[Probe, Standing] = field(default_factory=dict)

    def objection(self, site: str, probe: str) -> Standing | None:
        """What speaks against a probe: REVOKED also where enrolment is not required; LAPSED for unknown ones; or nothing."""
        standing = self.standings.get((site, probe))
        if self.is_revoked(site, probe):
            return Standing.REVOKED
        if self.required and standing in {None, Standing.LAPSED}:
            return Standing.LAPSED
        return None

    def is_revoked(self, site: str, probe: str) -> bool:
        """Whether it was enrolled once and is to be told nothing any more."""
        return self.standings.get((site, probe)) is Standing.REVOKED


class RollKeeper:
    """Reads the roll again whenever the state database has changed."""

    def __init__(
        self,
        ground: Ground,
        publish: Callable[[str, bytes], Sending],
        required: bool,  # noqa: FBT001 - the one question
    ) -> None:
        self._ground = ground
        self._publish = publish
        self._required = required
        self._revision = -1
        self.current = Roll(self._required)
        self._to_clear: dict[str, Probe] = {}
        """Topics of revoked probes whose retained message the broker has not yet let go of."""
        self.trouble = Trouble(
            "the list of enrolled probes cannot be read", "the last one counts; trying again", "roll"
        )

    async def recall(self) -> None:
        """Read it for the first time, before the first message.

        Raises:
            StateError: the state database cannot be read.
        """
        await self._ground.desk.run(self._read, closely=True)
        self._clear_topics([probe for probe in self.current.standings if self.current.is_revoked(*probe)])

    async def run(self) -> None:
        """Keep it until cancelled."""
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            before = self.current
            try:
                await self._ground.desk.run(self._read, closely=looks % TIME_COUNTS_EVERY == 0)
                await self._see_off(before)
                self._offer_clearing()
            except (sqlite3.Error, OSError, RuntimeError) as error:
                self._ground.counters.state_failures += 1
                self.trouble.failed(error)
            else:
                self.trouble.worked()

    def _read(self, *, closely: bool) -> None:
        revision = self._ground.state.revision()
        if closely or revision != self._revision:
            standings = self._ground.state.standings(self._ground.clock.now_ns())
            if standings != self.current.standings:
                self.current = Roll(self._required, standings)
            self._revision = revision

    async def _see_off(self, before: Roll) -> None:
        """Whoever was revoked is gone: nothing of it stays at the broker, and it counts as off line."""
        if self.current is before:
            return
        gone = [
            probe
            for probe, standing in self.current.standings.items()
            if standing is Standing.REVOKED and before.standings.get(probe) not in {None, Standing.REVOKED}
        ]
        self._clear_topics(gone)
        self._offer_clearing()
        for site, probe in gone:
            now_ns = self._ground.clock.now_ns()
            offline = Presence(online=False, since_ns=now_ns, left=True)
            await self._ground.desk.run(self._ground.state.set_presence, site, probe, offline, now_ns)

    def _clear_topics(self, probes: Iterable[Probe]) -> None:
        """Also at every start: they may have been revoked while nobody was here."""
        for site, probe in probes:
            for leaf in (Leaf.PRESENCE, Leaf.PLAN, Leaf.STORED):
                self._to_clear[topic(self._ground.root, site, probe, leaf)] = (site, probe)

    def _offer_clearing(self) -> None:
        """What the broker does not take now is offered again at the next look."""
        for name, probe in list(self._to_clear.items()):
            if self.current.is_revoked(*probe) and self._publish(name, b"") is Sending.HELD:
                return
            del self._to_clear[name]
