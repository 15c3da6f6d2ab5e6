"""The reflector's 32-bit numbers made rising over wraps and restarts, and whether it numbers replies at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from probes.metering.loss_direction import FIRST_RANK, RESTART_STRIDE
from probes.stamp.stamp_tlv import Mode
from telemetry.arrays import np
from telemetry.windows import LATE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WRAP: Final = 1 << 32
_HALF: Final = 1 << 31


class ReflectorNumbers:
    """Follows one session's reflector through its replies, in order of arrival."""

    def __init__(self) -> None:
        self._mode = Mode.UNKNOWN
        self._numbered = False
        """Seen to give numbers of its own."""
        self._restarts = 0
        self._instance = 0
        self._earlier_instance = 0
        self._top: tuple[int, int] | None = None
        """Greatest unwrapped number since the last restart, and that reply's T3."""

    @property
    def stateful(self) -> bool:
        """Whether its numbers say which way packets were lost.

        A reflector that does not say so itself is known to count once a number differs from the sender's. Until then
        it may just be repeating them: while nothing was lost on the way up, the two look the same.
        """
        if self._mode is not Mode.UNKNOWN:
            return self._mode is Mode.STATEFUL
        return self._numbered

    @property
    def _base(self) -> int:
        """Rank of number 0."""
        return self._restarts * RESTART_STRIDE + FIRST_RANK

    def follow(self, replies: NDArray[np.void], t3_ns: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
        """Rank of each reply (see `RESTART_STRIDE`), and how many restarts were noticed among them."""
        before = self._restarts
        modes = replies["mode"]
        if len(modes) and modes.any():
            said = modes[modes > 0]
            stateless = bool((said == Mode.STATELESS).any())
            self._mode = Mode.STATELESS if stateless else Mode.STATEFUL
        self._numbered |= bool((replies["number"] != replies["sequence"]).any())
        if not len(replies):
            return np.zeros(0, dtype=np.int64), 0
        quick = self._quick(replies, t3_ns)
        ranks = quick if quick is not None else self._slow(replies, t3_ns)
        return ranks, self._restarts - before

    def _quick(self, replies: NDArray[np.void], t3_ns: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Numbers that only rise, with no wrap and no other instance: nothing to follow but the last one."""
        number, instance = replies["number"].astype(np.int64), replies["instance"]
        if (instance != instance[0]).any() or (np.diff(number) < 0).any():
            return None
        known = int(instance[0])
        if self._instance and known and known != self._instance:
            return None
        wraps = 0
        if self._top is not None:
            wraps = self._top[0] // _WRAP
            if number[0] + wraps * _WRAP < self._top[0]:
                return None
        unwrapped = number + wraps * _WRAP
        self._instance = known or self._instance
        self._top = int(unwrapped[-1]), int(t3_ns[-1])
        return self._base + unwrapped

    def _slow(self, replies: NDArray[np.void], t3_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = zip(replies["number"].tolist(), replies["instance"].tolist(), t3_ns.tolist(), strict=True)
        return np.array([self._rank(*row) for row in rows], dtype=np.int64)

    def _rank(self, number: int, instance: int, t3_ns: int) -> int:
        if self._top is None:
            self._instance, self._top = instance, (number, t3_ns)
            return self._base + number
        top, top_t3_ns = self._top
        unwrapped = number + (top - number + _HALF) // _WRAP * _WRAP
        if instance and instance == self._earlier_instance:  # overtaken by the first reply after the restart
            return self._base - RESTART_STRIDE + number
        if instance and self._instance and instance != self._instance:
            self._restart(number, instance, t3_ns)
        elif unwrapped > top:
            self._top = unwrapped, t3_ns
            self._instance = instance or self._instance
            return self._base + unwrapped
        elif not instance and unwrapped < top and not 0 <= top_t3_ns - t3_ns < LATE_NS:
            # Numbered lower, yet not sent shortly before: not overtaken, but begun again.
            self._restart(number, instance, t3_ns)
        else:
            return self._base + unwrapped
        return self._base + number

    def _restart(self, number: int, instance: int, t3_ns: int) -> None:
        self._restarts += 1
        self._earlier_instance, self._instance = self._instance, instance
        self._top = number, t3_ns
