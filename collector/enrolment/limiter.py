"""Who has failed too often has to wait: a bucket for each address, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

ATTEMPTS: Final = 10.0
PER_SECOND: Final = 1 / 6
ADDRESSES: Final = 10_000


class Limiter:
    """Failures by address. Only failures count, for a whole state may come from behind one address."""

    def __init__(
        self, attempts: float = ATTEMPTS, per_second: float = PER_SECOND, most: int = ADDRESSES
    ) -> None:
        self._attempts = attempts
        self._per_second = per_second
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def may_try(self, address: str, now_s: float) -> bool:
        """Whether this address has an attempt left (monotonic time)."""
        return self._now(address, now_s) >= 1

    def failed(self, address: str, now_s: float) -> None:
        """It has failed once more."""
        self._left[address] = (max(self._now(address, now_s) - 1, 0.0), now_s)
        self._left.move_to_end(address)
        while len(self._left) > self._most:
            self._left.popitem(last=False)

    def _now(self, address: str, now_s: float) -> float:
        left, at_s = self._left.get(address, (self._attempts, now_s))
        return min(self._attempts, left + (now_s - at_s) * self._per_second)
