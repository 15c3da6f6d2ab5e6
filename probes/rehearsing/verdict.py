"""Whether a direction held a rung: its figures against the limits of the call profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from probes.rehearsing.arrivals import bitrate_bps
from telemetry.messages import Rung
from telemetry.rehearsal_reasons import WhyNot

if TYPE_CHECKING:
    from probes.rehearsing.arrivals import Came
    from telemetry.rehearsing import RungWanted

LEAST_LOST: Final = 2
"""One packet lost proves nothing, whatever its share."""
LEAST_SHARE: Final = 0.9
"""Of the rate that was sent: below it the line does not carry the load, however it hides that."""


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a rung as it was: what left, what came, and its delay above the line's least (95th percentile)."""

    sent: int
    came: Came
    seconds: float
    wanted_bps: float
    growth_ms: float | None
    early: str = ""
    """Why it was broken off."""

    def rung(self, name: str, *, held: bool) -> Rung:
        """As it is reported."""
        return Rung(
            name=name,
            held=held,
            bitrate_bps=bitrate_bps(self.came, self.seconds),
            lost=max(self.sent - self.came.received, 0),
            sent=self.sent,
            delay_growth_ms=self.growth_ms,
        )


def breaches(
    wanted: RungWanted,
    up: Way | None,
    down: Way | None,
    idle_rtt_ms: float,
    loaded_rtt_ms: float | None = None,
) -> tuple[str, str]:
    """Why each way did not hold; empty when it did (or was not tried).

    The round trip has one limit for both ways: when it is passed, the way whose delay has grown more is at fault. Where
    the growth of neither is known, `loaded_rtt_ms` is the round trip under load, and both are.
    """
    said = [_alone(wanted, way) if way is not None else "" for way in (up, down)]
    tried = [i for i, way in enumerate((up, down)) if way is not None]
    grown = [0.0 if way is None else way.growth_ms or 0.0 for way in (up, down)]
    rtt_ms = idle_rtt_ms + sum(grown) if loaded_rtt_ms is None else loaded_rtt_ms
    if wanted.rtt_ms is not None and not any(said) and rtt_ms > wanted.rtt_ms:
        at_fault = tried if loaded_rtt_ms is not None else [max(tried, key=lambda i: grown[i])]
        for i in at_fault:
            said[i] = WhyNot.DELAY
    return said[0], said[1]


def _alone(wanted: RungWanted, way: Way) -> str:
    came, lost = way.came, way.sent - way.came.received
    if way.early:
        return way.early
    if wanted.loss_ratio is not None and lost >= LEAST_LOST and lost > wanted.loss_ratio * way.sent:
        return WhyNot.LOSS
    burst = wanted.burst_loss_ratio
    if burst is not None and came.worst_lost >= LEAST_LOST and came.worst_lost > burst * came.worst_sent:
        return WhyNot.BURST
    if wanted.jitter_ms is not None and came.jitter_us > wanted.jitter_ms * 1000:
        return WhyNot.JITTER
    if bitrate_bps(came, way.seconds) < LEAST_SHARE * way.wanted_bps:
        return WhyNot.RATE
    return ""
