"""How often somebody may try to sign in: a bounded table of buckets (GCRA: one number each) whose waits grow."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from telemetry.windows import SECOND_NS

BURST: Final = 8
"""Failed attempts at once."""
EVERY_NS: Final = 30 * SECOND_NS
"""And one more in so long; twice as long each time that this fails too."""
LONGEST_NS: Final = 120 * SECOND_NS
"""To where the wait grows: behind one address there may be a whole office."""
MOST: Final = 20_000
"""Sources and names remembered; of more the oldest are forgotten."""


@dataclass(slots=True)
class _Bucket:
    full_at_ns: int
    fillings: int = 0
    """How often it was filled to the brim since it was last empty."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What an attempt has cost, so that exactly this can be given back."""

    key: str
    cost_ns: int
    filled: bool


class Attempts:
    """Failed attempts by key (a source, or a name from a source)."""

    def __init__(
        self, burst: int = BURST, every_ns: int = EVERY_NS, most: int = MOST, longest_ns: int = LONGEST_NS
    ) -> None:
        self._burst_ns = burst * every_ns
        self._every_ns = every_ns
        self._most = most
        self._longest_ns = longest_ns
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_ns(self, keys: tuple[str, ...], now_ns: int) -> int:
        """How long until any of these may try again; 0: now."""
        found = [self._buckets[key].full_at_ns for key in keys if key in self._buckets]
        latest_ns = max(found, default=now_ns)
        return max(0, latest_ns + self._every_ns - self._burst_ns - now_ns)

    def failed(self, keys: tuple[str, ...], now_ns: int) -> tuple[Charge, ...]:
        """An attempt by these has failed."""
        charges = tuple(self._charge(key, now_ns) for key in keys)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return charges

    def give_back(self, charges: tuple[Charge, ...]) -> None:
        """An attempt that was counted as failed beforehand has not failed."""
        for charge in charges:
            if (bucket := self._buckets.get(charge.key)) is not None:
                bucket.full_at_ns -= charge.cost_ns
                bucket.fillings = max(0, bucket.fillings - charge.filled)

    def _charge(self, key: str, now_ns: int) -> Charge:
        bucket = self._buckets.pop(key, None)
        if bucket is None or bucket.full_at_ns <= now_ns:
            bucket = _Bucket(now_ns)
        self._buckets[key] = bucket
        filled = bucket.full_at_ns + self._every_ns - now_ns >= self._burst_ns
        cost_ns = self._every_ns
        if filled:
            cost_ns = min(self._every_ns << min(bucket.fillings, 20), max(self._longest_ns, self._every_ns))
            bucket.fillings += 1
        bucket.full_at_ns += cost_ns
        return Charge(key, cost_ns, filled)
