"""Why a window breaks: one bit a cause, with the reason it becomes and where its limit stands."""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Final

from telemetry.decisions import ReasonCode

if TYPE_CHECKING:
    from config.profiles import Limits


class Cause(IntFlag):
    """Bits of a window's causes. An outage stands alone: what else it would break says nothing."""

    OUTAGE = 1
    LOSS_UP = 2
    LOSS_DOWN = 4
    LOSS = 8
    """Direction not known."""
    BURST_UP = 16
    BURST_DOWN = 32
    BURST = 64
    JITTER_UP = 128
    JITTER_DOWN = 256
    RTT = 512
    RTT_FLOOR = 1024
    """Above the line's own floor."""


CAUSES: Final[tuple[Cause, ...]] = tuple(Cause)
"""In order of precedence: where two say the same, the first is named."""

REASON: Final[dict[Cause, ReasonCode]] = {cause: ReasonCode[str(cause.name)] for cause in CAUSES}

RATIO_CAUSES: Final = Cause.LOSS_UP | Cause.LOSS_DOWN | Cause.LOSS
BURST_CAUSES: Final = Cause.BURST_UP | Cause.BURST_DOWN | Cause.BURST
DELAY_CAUSES: Final = Cause.JITTER_UP | Cause.JITTER_DOWN | Cause.RTT | Cause.RTT_FLOOR

USUAL_METRIC: Final = {
    Cause.LOSS_UP: "up_loss_ratio",
    Cause.LOSS_DOWN: "down_loss_ratio",
    Cause.LOSS: "loss_ratio",
    Cause.JITTER_UP: "up_jitter_ms",
    Cause.JITTER_DOWN: "down_jitter_ms",
    Cause.RTT: "rtt_p95_ms",
    Cause.RTT_FLOOR: "rtt_p95_ms",
}
"""The metric of the past (`history.METRICS`) that says what is usual; of bursts and outages it keeps none. That of `RTT_FLOOR`
is the whole round trip: compare it with a whole one, or take the floor off."""


def limit_of(cause: Cause, limits: Limits) -> float | None:
    """The limit that a cause is judged by, in the unit of `unit_of`; None where the profile has none."""
    if cause is Cause.OUTAGE:
        return None
    if cause & RATIO_CAUSES:
        return limits.loss_ratio
    if cause & BURST_CAUSES:
        return limits.burst_loss_ratio
    if cause is Cause.RTT_FLOOR:
        return limits.rtt_above_floor_ms
    return limits.rtt_ms if cause is Cause.RTT else limits.jitter_ms


def unit_of(cause: Cause) -> str:
    """Unit of a cause's value and limit, as `Reason.unit`."""
    if cause is Cause.OUTAGE:
        return "s"
    return "ms" if cause & DELAY_CAUSES else "ratio"
