"""Which sites have more probes just now than are told a plan: for the log once when it begins, and for who asks.

A count since the start cannot say whether it still goes on; a probe that is measuring speaks every 15 s, so one that has
not been heard for `LASTS_NS` is gone, or has its plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from telemetry.clock import WallClock

LASTS_NS: Final = 120 * SECOND_NS
"""Eight windows: so long after it was heard last a probe counts as one that gets no plan."""
NAMED: Final = 3
"""Sites in one heartbeat, and in what is told of it."""


class Withheld:
    """By site the probe that was heard last and got no plan: sites are registered ones, names of probes anybody may invent."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._heard: dict[str, tuple[str, int]] = {}

    def note(self, site: str, probe: str) -> bool:
        """A probe was heard that gets no plan; whether that is news of its site."""
        before, now_ns = self._heard.get(site), self._clock.monotonic_ns()
        self._heard[site] = (probe, now_ns)
        return before is None or before[1] < now_ns - LASTS_NS

    def now(self) -> dict[str, str]:
        """By site the last probe of late that got no plan; what is over is forgotten."""
        since_ns = self._clock.monotonic_ns() - LASTS_NS
        over = [site for site, (_, at_ns) in self._heard.items() if at_ns < since_ns]
        for site in over:
            del self._heard[site]
        return {site: probe for site, (probe, _) in self._heard.items()}

    def detail(self) -> dict[str, object]:
        """For the heartbeat: how many sites, and some of them."""
        now = self.now()
        return {"withheld_sites": len(now), "withheld": dict(sorted(now.items())[:NAMED])}
