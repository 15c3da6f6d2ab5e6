"""One scenario once: all tools over the same 15 s, each held against the log of its own packets."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from bench._accuracy.beside import beside
from bench._accuracy.plan import SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench._accuracy.plan import Seen
    from bench._accuracy.scenarios import Scenario
    from lab.tun import TunLink
    from lab.tun_truth import TunTruth

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


@dataclass(frozen=True, slots=True)
class Told:
    """What one tool said, what is true of its own packets."""

    seen: Seen
    true: Seen

    @property
    def errors(self) -> Seen:
        """How far off it was, by column."""
        return {
            column: abs(self.seen[column] - self.true[column]) for column in self.seen if column in self.true
        }


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
    return {tool.name: Told(seen[tool.name], tool.truth(truth, start_ns)) for tool in tools}
