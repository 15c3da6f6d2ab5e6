"""What became of the messages of one commit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collector.outcome import Answered, RefusalCode, Refused, Said
    from telemetry.store.protocol import Received


class Fresh(NamedTuple):
    """What is remembered of one live report that was stored."""

    start_ns: int
    received_ns: int
    age_ms: int | None
    """Time from its making to its sending, by the probe's monotonic clock; None when not told."""


@dataclass(slots=True)
class Batch:
    """What became of the messages of one commit."""

    messages: int = 0
    live: int = 0
    backlog: int = 0
    stored: int = 0
    duplicates: int = 0
    redated: int = 0
    opaque_items: int = 0
    took_s: float = 0.0
    newest: dict[tuple[str, str], Received] = field(default_factory=dict)
    """The last report of each probe, duplicates included: its epoch is to be confirmed."""
    fresh: list[Fresh] = field(default_factory=list)
    """The live reports that were stored, as far as their lag is concerned."""
    said: list[Said] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def refused_by_code(self) -> Counter[RefusalCode]:
        """How many were refused, by reason."""
        return Counter(refused.code for refused in self.refused)
