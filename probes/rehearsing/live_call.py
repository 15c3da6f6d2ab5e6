"""Whether a call is going on at this office: what a rehearsal must never disturb."""

from __future__ import annotations

from typing import Protocol


class LiveCallSeen(Protocol):
    """What a rehearsal needs of the live-call meter."""

    def seen_within(self, ns: int) -> bool:
        """Whether packets of a call were seen in the last so many nanoseconds."""
        ...


class NobodyLooks:
    """Where no meter runs: no call is ever seen, and the calendar alone protects."""

    def seen_within(self, ns: int) -> bool:  # noqa: ARG002 - as the protocol has it
        """Never."""
        return False
