"""What the four stamps and two counters of a STAMP exchange say (RFC 8762 section 4; RFC 5357)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

T = TypeVar("T", int, "NDArray[np.int64]")


@dataclass(frozen=True, slots=True)
class Delays(Generic[T]):
    """Delays of an exchange in ns; one-way figures carry the offset between the two clocks."""

    rtt_ns: T
    up_ns: T
    down_ns: T
    residence_ns: T

    @property
    def offset_ns(self) -> T:
        """Clock of the far end minus ours, were both ways equally long."""
        return (self.up_ns - self.down_ns) // 2


def delays(t1: T, t2: T, t3: T, t4: T) -> Delays[T]:
    """Delays from the stamps (ns): numbers, or int64 arrays of one shape."""
    return Delays(rtt_ns=(t4 - t1) - (t3 - t2), up_ns=t2 - t1, down_ns=t4 - t3, residence_ns=t3 - t2)


@dataclass(frozen=True, slots=True)
class DirectionalLoss:
    """Losses between the first and the last reply received, by direction."""

    up: int
    down: int

    @property
    def total(self) -> int:
        """Losses of the round trip."""
        return self.up + self.down


def directional_loss(sender_seq: ArrayLike, reflector_seq: ArrayLike) -> DirectionalLoss:
    """Direction of loss from a stateful reflector's own numbers; exact when nothing was duplicated.

    Args:
        sender_seq: sender numbers of the replies, shape (n,).
        reflector_seq: the reflector's numbers of the same replies.
    """
    s = np.asarray(sender_seq, dtype=np.int64)
    r = np.asarray(reflector_seq, dtype=np.int64)
    if not len(s):
        return DirectionalLoss(0, 0)
    reflected = int(r.max() - r.min())
    return DirectionalLoss(up=int(s.max() - s.min()) - reflected, down=reflected + 1 - len(s))
