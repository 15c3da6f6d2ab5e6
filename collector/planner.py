"""Publishing the plans: retained, when they change, and again when the broker may have forgotten them."""

from __future__ import annotations

from collections import OrderedDict
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
"""Of one site that are told a plan: where nobody is enrolled, anybody may invent names.

Each would cost a retained message at the broker and a row here. Whoever is left out is counted and named (`plans.withheld`).
"""

Probe = tuple[str, str]


class Planner:
    """Knows which plan each probe was told last."""

    def __init__(
        self,
        root: str,
        publish: Callable[[str, bytes], Sending],
        is_revoked: Callable[[str, str], bool] = lambda _, __: False,
        withheld: Callable[[str, str], None] = lambda _, __: None,
        roll: Callable[[], object] = object,
    ) -> None:
        """Take what is asked and told.

        Args:
            root: of the topics.
            publish: sends a retained message.
            is_revoked: `(site, probe)`, asked as a plan is told: what was heard before may be noted after.
            withheld: `(site, probe)`, told each time that a probe is heard which gets no plan, its site having `MAX_PROBES`.
            roll: what `is_revoked` answers from: another object whenever an answer may have changed, without it at each call.
        """
        self._root = root
        self._publish = publish
        self._is_revoked = is_revoked
        self._withheld = withheld
        self._roll = roll
        self._plans: dict[str, Plan] = {}
        self._made_for: tuple[Config, int] | None = None
        self._probes: dict[str, set[str]] = {}
        self._full: dict[str, object] = {}
        """By site whose places were all found taken, the roll by which: while that holds, whoever is refused costs no look at all of them."""
        self._told: dict[str, dict[str, bytes]] = {}
        """By site and probe."""
        self._unsure: OrderedDict[str, None] = OrderedDict()
        """Sites of which some probe may not have been told what it should, in the order in which that came about."""

    def outdated(self, config: Config, now_ns: int) -> bool:
        """Whether plans must be made: another configuration, or another hour."""
        made_for = self._made_for
        return made_for is None or made_for[0] is not config or made_for[1] != now_ns // HOUR_NS

    def adopt(self, plans: Mapping[str, Plan], config: Config, now_ns: int) -> None:
        """Take over the plans made for a configuration and an hour."""
        self._plans = dict(plans)
        self._made_for = (config, now_ns // HOUR_NS)
        self._look_at_all()

    def heard(self, site: str, probe: str) -> None:
        """A probe exists: it gets its site's plan."""
        probes = self._probes.setdefault(site, {FIRST_PROBE})
        if probe in probes:
            return
        if len(probes) >= MAX_PROBES and self._is_full(site):
            self._withheld(site, probe)
            return
        probes.add(probe)
        self._unsure[site] = None

    def arrived(self, site: str, probe: str) -> None:
        """A probe has come on line: its plan is told again, whatever somebody has put in its place meanwhile."""
        self.heard(site, probe)
        if self._told.get(site, {}).pop(probe, None) is not None:
            self._unsure[site] = None

    def again(self, told: Iterable[Probe] = ()) -> None:
        """The broker may have forgotten what it kept; others have told these probes, of whom some may be planned no more."""
        self._told = {}
        for site, probe in told:
            self._told.setdefault(site, {})[probe] = b""
            self.heard(site, probe)
        self._look_at_all()

    def tell(self) -> list[tuple[Probe, Plan]]:
        """Publish what is new to someone; who was told what. From the first that the broker does not take, all wait for the next call."""
        told: list[tuple[Probe, Plan]] = []
        while self._unsure:
            site, _ = self._unsure.popitem(last=False)
            plan = self._plans.get(site)
            new = self._withdrawn(site) if plan is None else self._new(site, encode_control(plan))
            for probe, payload in new:
                if not self._say((site, probe), payload):
                    self._unsure[site] = None
                    self._unsure.move_to_end(site, last=False)
                    return told
                if plan is not None and payload:
                    told.append(((site, probe), plan))
        return told

    def _look_at_all(self) -> None:
        self._unsure = OrderedDict.fromkeys((*self._plans, *self._told))

    def _new(self, site: str, payload: bytes) -> list[tuple[str, bytes]]:
        """Probes that have not been told their site's plan, and the plan; nothing for those that were told and are revoked."""
        told = self._told.get(site, {})
        self._strike_off(site)
        gone = [(probe, b"") for probe in told if self._is_revoked(site, probe)]
        return gone + [(probe, payload) for probe in sorted(self._probes[site]) if told.get(probe) != payload]

    def _is_full(self, site: str) -> bool:
        """Whether no place is free, or can be freed; the places are gone through once for each roll."""
        roll = self._roll()
        if site in self._full and self._full[site] is roll:
            return True
        self._strike_off(site)
        if len(self._probes[site]) < MAX_PROBES:
            return False
        self._full[site] = roll
        return True

    def _strike_off(self, site: str) -> None:
        """Those of a site that are revoked; one that is enrolled again is heard again."""
        probes = self._probes.setdefault(site, {FIRST_PROBE})
        revoked = {probe for probe in probes if self._is_revoked(site, probe)}
        if revoked:
            probes -= revoked
            self._full.pop(site, None)

    def _withdrawn(self, site: str) -> list[tuple[str, bytes]]:
        """Probes of a site that is not linked any more: it has no plan."""
        return [(probe, b"") for probe in self._told.get(site, {})]

    def _say(self, probe: Probe, payload: bytes) -> bool:
        if self._publish(topic(self._root, *probe, Leaf.PLAN), payload) is Sending.HELD:
            return False
        site, name = probe
        told = self._told.setdefault(site, {})
        if payload:
            told[name] = payload
        else:
            told.pop(name, None)
        return True
