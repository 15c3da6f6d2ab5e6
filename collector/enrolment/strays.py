"""Who was refused at the enrolment desk without a token of ours: by address and reason, the latest few.

Tokens that are ours are on the record of the state database. These are not: whoever guesses would push everything else off it.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

MOST: Final = 20


class Strays:
    """The latest addresses with what they were refused for, when last, and how often since the start; for any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._latest: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def note(self, peer: str, reason: str, at_ns: int) -> None:
        """Once more; whoever was last heard longest ago is forgotten."""
        with self._lock:
            _, count = self._latest.pop((peer, reason), (0, 0))
            self._latest[peer, reason] = (at_ns, count + 1)
            if len(self._latest) > MOST:
                self._latest.popitem(last=False)

    def detail(self) -> list[dict[str, object]]:
        """As plain JSON values, for the heartbeat."""
        with self._lock:
            latest = list(self._latest.items())
        return [
            {"peer": peer, "reason": reason, "at_ns": at_ns, "count": count}
            for (peer, reason), (at_ns, count) in latest
        ]
