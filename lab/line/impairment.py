"""What a line does to packets: the state of one direction, as an operator or a script sets it.

Two halves of a state can be laid over one another (`laid_over`): the office's own character, the hour's
congestion, a fault put on by hand. Losses combine as independent ones, delays add, the least rate rules.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]
MOST_DELAY_MS: Final = 10_000.0
DelayMs = Annotated[float, Meta(ge=0.0, le=MOST_DELAY_MS)]

DEFAULT_QUEUE_MS: Final = 200.0
"""Length of a bottleneck's queue when none is said: what a home router of the cheap kind holds."""


class Impairment(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The state of one direction of an emulated line.

    Jitter is an additional delay, exponentially distributed with mean `jitter_ms`. The mean absolute difference
    of two such delays is their mean, so that RFC 3550 interarrival jitter tends to `jitter_ms` as long as
    packets are spaced wider than the jitter (a line keeps the order of its packets; only `reorder_ratio` breaks it).

    Loss is Gilbert-Elliott in continuous time: the line is in its bad state for `loss_burst_ms` at a time on the
    mean and loses `loss_density` of what is sent then, nothing otherwise; `loss_ratio` is the long-run mean
    whatever the packet rate. Without `loss_burst_ms` losses are independent of each other.
    """

    delay_ms: DelayMs = 0.0
    jitter_ms: DelayMs = 0.0
    loss_ratio: Ratio = 0.0
    loss_burst_ms: DelayMs = 0.0
    loss_density: Ratio = 1.0
    duplicate_ratio: Ratio = 0.0
    reorder_ratio: Ratio = 0.0
    """Share of packets held back until the next one has overtaken them."""
    rate_bps: Annotated[float, Meta(ge=1_000.0, le=1e12)] | None = None
    """IP-layer rate of the bottleneck; None: none."""
    queue_ms: Annotated[float, Meta(gt=0.0, le=10_000.0)] = DEFAULT_QUEUE_MS
    """Length of the bottleneck's queue, as the time it takes to drain; what does not fit is lost (tail drop)."""
    outage: bool = False
    """Nothing passes."""


CLEAR: Final = Impairment()


def together(a: float, b: float) -> float:
    """Ratio of packets hit by either of two independent causes."""
    return a + b - a * b


def laid_over(below: Impairment, above: Impairment) -> Impairment:
    """Both states at once. The burstiness is that of the state that loses more."""
    if above is CLEAR or above == CLEAR:
        return below
    burst = above if above.loss_ratio >= below.loss_ratio else below
    rates = [rate for rate in (below.rate_bps, above.rate_bps) if rate is not None]
    narrow = above if above.rate_bps is not None and above.rate_bps == min(rates) else below
    return Impairment(
        delay_ms=min(below.delay_ms + above.delay_ms, MOST_DELAY_MS),
        jitter_ms=min(below.jitter_ms + above.jitter_ms, MOST_DELAY_MS),
        loss_ratio=together(below.loss_ratio, above.loss_ratio),
        loss_burst_ms=burst.loss_burst_ms,
        loss_density=burst.loss_density,
        duplicate_ratio=together(below.duplicate_ratio, above.duplicate_ratio),
        reorder_ratio=together(below.reorder_ratio, above.reorder_ratio),
        rate_bps=min(rates) if rates else None,
        queue_ms=narrow.queue_ms,
        outage=below.outage or above.outage,
    )
