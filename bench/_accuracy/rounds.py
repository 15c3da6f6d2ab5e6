"""One scenario once: all tools over the same 15 s, each held against the log of its own packets."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from bench._accuracy.beside import beside
from bench._accuracy.plan import IP_OCTETS, LOST_DOWN, LOST_UP, PACKETS, RTT_P50, RTT_P99, SECONDS
from telemetry.metrics.percentile import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench._accuracy.plan import Seen
    from bench._accuracy.scenarios import Scenario
    from lab.tun.link import TunLink
    from lab.tun.truth import TunTruth

SETTLED_NS: Final = 7_000_000_000
"""The link is in its state so long before the tools begin."""
_WINDOW_NS: Final = SECONDS * 1_000_000_000


class Tool(Protocol):
    """One measuring tool on the link."""

    name: str

    def start(self) -> None:
        """Start what runs all the time."""

    def begin(self) -> None:
        """Start measuring for the time that all measure."""

    def end(self) -> None:
        """Wait until it is done."""

    def seen(self, start_ns: int) -> Seen:
        """What it says of the span that began then."""

    def truth(self, truth: TunTruth, start_ns: int) -> Seen:
        """What the log says of its packets."""

    def line_ns(self, truth: TunTruth, start_ns: int) -> NDArray[np.int64]:
        """Round trips of its packets by the log, time on the line; empty when it makes none."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one tool said, what is true of its own packets, and what of all tools' packets together."""

    seen: Seen
    true: Seen
    of_all: Seen

    @property
    def errors(self) -> Seen:
        """How far off it was, by column."""
        return {c: abs(self.seen[c] - self.true[c]) for c in self.seen if c in self.true}

    @property
    def off_the_span(self) -> Seen:
        """How far it was from what all test packets of the span met: its own error, and that of its sample."""
        return {c: abs(self.seen[c] - self.of_all[c]) for c in self.seen if c in self.of_all}


def once(link: TunLink, tools: Sequence[Tool], scenario: Scenario) -> dict[str, Told]:
    """Set the link, let every tool measure, and compare."""
    start_ns = (time.time_ns() + SETTLED_NS + _WINDOW_NS - 1) // _WINDOW_NS * _WINDOW_NS
    link.set(up=scenario.up, down=scenario.down)
    with beside(link, scenario):
        time.sleep(max(start_ns - time.time_ns(), 0) / 1e9)
        for tool in tools:
            tool.begin()
        for tool in tools:
            tool.end()
    seen = {tool.name: tool.seen(start_ns) for tool in tools}
    truth = link.truth()
    of_all = _of_all(truth, tools, start_ns)
    return {tool.name: Told(seen[tool.name], tool.truth(truth, start_ns), of_all) for tool in tools}


def _of_all(truth: TunTruth, tools: Sequence[Tool], start_ns: int) -> Seen:
    """Round trips and losses of all test packets of the span; losses as those of so many packets as one tool sends."""
    trips = np.concatenate([tool.line_ns(truth, start_ns) for tool in tools])
    p50, p99 = nearest_rank(trips, (0.50, 0.99)).tolist()
    out = {RTT_P50: p50 / 1e3, RTT_P99: p99 / 1e3}
    flow = truth.everything().sent_between(start_ns, start_ns + _WINDOW_NS)
    for column, packets in ((LOST_UP, flow.up), (LOST_DOWN, flow.down)):
        tests = packets.part(
            packets.records["size"] == IP_OCTETS
        )  # a transfer's are full, or bare acknowledgements
        out[column] = tests.lost / tests.sent * PACKETS
    return out
