"""What a fault does to the lines that it hits, in the words of the operator: used by the script and by hand."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from lab.line.impairment import CLEAR, DelayMs, Impairment, Ratio, laid_over


class Effect(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One cause of trouble. What is absent stays as it was."""

    direction: Literal["up", "down", "both"] = "both"
    """`up`: office to headquarters; `down`: back."""
    loss_ratio: Ratio | None = None
    """Share of packets lost, in each direction named."""
    loss_burst_ms: DelayMs | None = None
    """Mean length of a burst of losses; 0: losses are independent."""
    delay_ms: DelayMs | None = None
    """More delay, in each direction named (twice as much in the round trip when both are)."""
    jitter_ms: DelayMs | None = None
    """More RFC 3550 jitter, in each direction named."""
    duplicate_ratio: Ratio | None = None
    reorder_ratio: Ratio | None = None
    rate_mbps: Annotated[float, Meta(ge=0.001, le=1e6)] | None = None
    """IP-layer rate of a bottleneck."""
    queue_ms: Annotated[float, Meta(gt=0.0, le=10_000.0)] | None = None
    """Length of its queue."""
    outage: bool = False
    """Nothing passes; of a whole office: its MQTT connection is cut too."""

    @property
    def is_nothing(self) -> bool:
        """Whether it names no trouble at all."""
        return self == Effect(direction=self.direction)

    def merged(self, newer: Effect) -> Effect:
        """This effect with what a newer one on the same lines says."""
        said = {
            name: value
            for name, value in msgspec.structs.asdict(newer).items()
            if value is not None and not (name == "outage" and not value)
        }
        return msgspec.structs.replace(self, **said)

    def on(self, direction: str, weight: float = 1.0) -> Impairment:
        """What it does in one direction (`up`, `down`) at a weight of 0 to 1 (ramps: half an effect is half the loss)."""
        if self.direction not in ("both", direction) or weight <= 0.0:
            return CLEAR
        rate = None if self.rate_mbps is None else self.rate_mbps * 1e6
        optional = {} if self.queue_ms is None else {"queue_ms": self.queue_ms}
        return Impairment(
            delay_ms=(self.delay_ms or 0.0) * weight,
            jitter_ms=(self.jitter_ms or 0.0) * weight,
            loss_ratio=(self.loss_ratio or 0.0) * weight,
            loss_burst_ms=self.loss_burst_ms or 0.0,
            duplicate_ratio=(self.duplicate_ratio or 0.0) * weight,
            reorder_ratio=(self.reorder_ratio or 0.0) * weight,
            rate_bps=rate,
            outage=self.outage,
            **optional,
        )


def overlaid(base: Impairment, *above: Impairment) -> Impairment:
    """A base state with everything that lies over it."""
    for state in above:
        base = laid_over(base, state)
    return base
