"""What the link does while the tools measure it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from lab.line.impairment import CLEAR, Impairment


@dataclass(frozen=True, slots=True)
class Scenario:
    """One state of the link, and what else goes on."""

    name: str
    up: Impairment
    down: Impairment
    crowded: bool = False
    """A TCP transfer up the same link, so that its bottleneck has a queue."""
    busy: float = 0.0
    """Share of every core that other work takes."""


_UP_MS: Final = 12.0
_DOWN_MS: Final = 8.0


def _line(state: Impairment = CLEAR) -> tuple[Impairment, Impairment]:
    """The same trouble both ways, on a line with its own delays."""
    return replace(state, delay_ms=_UP_MS), replace(state, delay_ms=_DOWN_MS)


SCENARIOS: Final = (
    Scenario("clean", *_line()),
    Scenario("jitter", *_line(Impairment(jitter_ms=5.0))),
    Scenario(
        "random loss",
        Impairment(delay_ms=_UP_MS, loss_ratio=0.02),
        Impairment(delay_ms=_DOWN_MS, loss_ratio=0.01),
    ),
    Scenario("burst loss", *_line(Impairment(loss_ratio=0.03, loss_burst_ms=120.0, loss_density=0.8))),
    Scenario("reordering", *_line(Impairment(reorder_ratio=0.03))),
    Scenario(
        "bottleneck",
        Impairment(delay_ms=_UP_MS, rate_bps=3e6, queue_ms=80.0),
        Impairment(delay_ms=_DOWN_MS, rate_bps=8e6, queue_ms=80.0),
        crowded=True,
    ),
    Scenario("CPU 30 %", *_line(Impairment(jitter_ms=2.0, loss_ratio=0.005)), busy=0.3),
)
