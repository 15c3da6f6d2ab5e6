"""How often somebody may try to sign in: a bounded table of buckets (GCRA: one number each)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from telemetry.windows import SECOND_NS

BURST: Final = 8
"""Failed attempts at once."""
EVERY_NS: Final = 30 * SECOND_NS
"""And one more in so long."""
MOST: Final = 20_000
"""Sources and names remembered; of more the oldest are forgotten."""


class Attempts:
    """Failed attempts by key (a source, or a name from a source)."""

    def __init__(self, burst: int = BURST, every_ns: int = EVERY_NS, most: int = MOST) -> None:
        self._burst_ns = burst * every_ns
        self._every_ns = every_ns
        self._most = most
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def wait_ns(self, keys: tuple[str, ...], now_ns: int) -> int:
        """How long until any of these may try again; 0: now."""
        latest = max((self._full_at.get(key, now_ns) for key in keys), default=now_ns)
        return max(0, latest + self._every_ns - self._burst_ns - now_ns)

    def failed(self, keys: tuple[str, ...], now_ns: int) -> None:
        """An attempt by these has failed."""
        for key in keys:
            self._full_at[key] = max(self._full_at.pop(key, now_ns), now_ns) + self._every_ns
        while len(self._full_at) > self._most:
            self._full_at.popitem(last=False)

    def give_back(self, keys: tuple[str, ...]) -> None:
        """An attempt that was counted as failed beforehand has not failed."""
        for key in keys:
            if key in self._full_at:
                self._full_at[key] -= self._every_ns
