"""What the server took but may still lose with its process: remembered until it is safe, sent again when it died."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from telemetry.store.server.journal import Made


class Sent(NamedTuple):
    """One step of the shipper: when it was taken (monotonic s), and what the journal may be told once it is safe."""

    at_s: float
    commit: int | None = None
    slots: tuple[Made, ...] = ()
    hours: tuple[tuple[str, int], ...] = ()


class Unsettled:
    """Sent and not safe yet, in order. Bounded by what is sent within the time to settle."""

    def __init__(self) -> None:
        self._sent: deque[Sent] = deque()
        self.slots: set[Made] = set()
        self.hours: set[tuple[str, int]] = set()
        self.commit: int | None = None
        """The last commit that was sent; None when all that was sent is safe."""

    def __len__(self) -> int:
        return len(self._sent)

    def add(self, sent: Sent) -> None:
        """Remember a step."""
        self._sent.append(sent)
        self.slots.update(sent.slots)
        self.hours.update(sent.hours)
        if sent.commit is not None:
            self.commit = sent.commit

    def oldest_s(self) -> float | None:
        """When the oldest was taken."""
        return self._sent[0].at_s if self._sent else None

    def safe(self, until_s: float) -> list[Sent]:
        """Take out the steps that were taken by then."""
        out = []
        while self._sent and self._sent[0].at_s <= until_s:
            sent = self._sent.popleft()
            self.slots.difference_update(sent.slots)
            self.hours.difference_update(sent.hours)
            out.append(sent)
        if not any(sent.commit is not None for sent in self._sent):
            self.commit = None
        return out

    def forget(self) -> None:
        """The server died: everything is to be sent again."""
        self.__init__()  # type: ignore[misc]
