"""Publishing the plans: retained, when they change, and again when the broker may have forgotten them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.mqtt import Sending
from telemetry.codec import encode_control
from telemetry.topics import Leaf, topic
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from config.config import Config
    from telemetry.control import Plan

FIRST_PROBE: Final = "p1"
"""The id that a site's first probe has by default: it gets its plan before it has ever spoken."""

MAX_PROBES: Final = 64
"""Of one site that are told a plan: where nobody is enrolled, anybody may invent names."""

Probe = tuple[str, str]


class Planner:
    """Knows which plan each probe was told last."""

    def __init__(self, root: str, publish: Callable[[str, bytes], Sending]) -> None:
        self._root = root
        self._publish = publish
        self._plans: dict[str, Plan] = {}
        self._made_for: tuple[Config, int] | None = None
        self._probes: dict[str, set[str]] = {}
        self._told: dict[Probe, bytes] = {}
        self._stale = True

    def outdated(self, config: Config, now_ns: int) -> bool:
        """Whether plans must be made: another configuration, or another hour."""
        made_for = self._made_for
        return made_for is None or made_for[0] is not config or made_for[1] != now_ns // HOUR_NS

    def adopt(self, plans: Mapping[str, Plan], config: Config, now_ns: int) -> None:
        """Take over the plans made for a configuration and an hour."""
        self._plans = dict(plans)
        self._made_for = (config, now_ns // HOUR_NS)
        self._stale = True

    def heard(self, site: str, probe: str) -> None:
        """A probe exists: it gets its site's plan."""
        probes = self._probes.setdefault(site, {FIRST_PROBE})
        if probe not in probes and len(probes) < MAX_PROBES:
            probes.add(probe)
            self._stale = True

    def arrived(self, site: str, probe: str) -> None:
        """A probe has come on line: its plan is told again, whatever somebody has put in its place meanwhile."""
        self.heard(site, probe)
        if self._told.pop((site, probe), None) is not None:
            self._stale = True

    def again(self, told: Iterable[Probe] = ()) -> None:
        """The broker may have forgotten what it kept; others have told these probes, of whom some may be planned no more."""
        self._told = dict.fromkeys(told, b"")
        for site, probe in self._told:
            self.heard(site, probe)
        self._stale = True

    def tell(self) -> list[tuple[Probe, Plan]]:
        """Publish what is new to someone; who was told what. What the broker did not take is told next time."""
        if not self._stale:
            return []
        self._stale = False
        told = self._tell_planned()
        self._withdraw()
        return told

    def _tell_planned(self) -> list[tuple[Probe, Plan]]:
        told: list[tuple[Probe, Plan]] = []
        for site, plan in self._plans.items():
            payload = encode_control(plan)
            probes = ((site, probe) for probe in sorted(self._probes.setdefault(site, {FIRST_PROBE})))
            told += [(p, plan) for p in probes if self._told.get(p) != payload and self._say(p, payload)]
        return told

    def _withdraw(self) -> None:
        """Sites that are not linked any more have no plan."""
        for site, probe in [probe for probe in self._told if probe[0] not in self._plans]:
            if self._say((site, probe), b""):
                del self._told[site, probe]

    def _say(self, probe: Probe, payload: bytes) -> bool:
        if self._publish(topic(self._root, *probe, Leaf.PLAN), payload) is Sending.HELD:
            self._stale = True
            return False
        self._told[probe] = payload
        return True
