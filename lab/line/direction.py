"""One direction of an emulated line: decides the fate of each packet, knows no sockets and no clock."""

from __future__ import annotations

import math
from enum import IntEnum
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from lab.line.impairment import CLEAR

if TYPE_CHECKING:
    from lab.line.impairment import Impairment

IP_UDP_BYTES: Final = 28
"""IPv4 and UDP headers: a bottleneck carries them too."""
COPY_GAP_NS: Final = 500_000
"""A duplicate follows the first copy by so much."""
HOLD_GAPS: Final = 1.5
"""A packet that is to be overtaken is held back by so many gaps between packets."""
_HOLD_LEAST_NS: Final = 1_000_000
_HOLD_MOST_NS: Final = 500_000_000
_MS: Final = 1e6


class Fate(IntEnum):
    """What became of a packet on its way; the values are those of the truth log."""

    DELIVERED = 0
    LOST = 1
    QUEUE_FULL = 2
    OUTAGE = 3
    OVERSIZE = 4  # larger than a relay's buffer
    UNSENT = 5  # the relay's own fault: it had to drop, or the far end refused


class Decision(NamedTuple):
    """The fate of one packet, and when it leaves the line."""

    fate: Fate
    deliver_ns: int | None = None
    copy_ns: int | None = None


_OUTAGE: Final = Decision(Fate.OUTAGE)
_LOST: Final = Decision(Fate.LOST)
_QUEUE_FULL: Final = Decision(Fate.QUEUE_FULL)


class Direction:
    """The decision core of one direction; seeded, so that the same packets at the same times meet the same fates.

    Each cause draws from a generator of its own: putting loss on a line does not change its jitter.
    """

    __slots__ = (
        "_arrived_ns", "_bad", "_bad_share", "_busy_ns", "_delay_ns", "_density", "_duplicate",
        "_floor_ns", "_jitter_ns", "_loss", "_ns_per_byte", "_queue_ns", "_rates", "_state", "_swap",
    )  # fmt: skip

    def __init__(self, seed: str, state: Impairment = CLEAR) -> None:
        self._loss, self._jitter_ns, self._duplicate, self._swap = (
            Random(f"{seed}/{cause}").random for cause in ("loss", "jitter", "duplicate", "reorder")
        )
        self._bad = False
        self._arrived_ns = -(1 << 62)
        self._busy_ns = -(1 << 62)
        self._floor_ns = -(1 << 62)
        self.state = state

    @property
    def state(self) -> Impairment:
        """What the line does now; may be set at any time, and holds from the next packet on."""
        return self._state

    @state.setter
    def state(self, state: Impairment) -> None:
        self._state = state
        self._delay_ns = int(state.delay_ms * _MS)
        self._density = max(state.loss_density, state.loss_ratio)
        self._bad_share = state.loss_ratio / self._density if state.loss_ratio else 0.0
        # Rate (per ns) at which the memory of the Gilbert state fades: 1/bad + 1/good sojourn.
        burst_ns = state.loss_burst_ms * _MS
        self._rates = (
            1.0 / (burst_ns * (1.0 - self._bad_share)) if burst_ns and self._bad_share < 1.0 else 0.0
        )
        self._ns_per_byte = 8e9 / state.rate_bps if state.rate_bps is not None else 0.0
        self._queue_ns = int(state.queue_ms * _MS)
        if not state.loss_ratio:
            self._bad = False
        if state.rate_bps is None:
            self._busy_ns = -(1 << 62)

    def decide(self, now_ns: int, size: int) -> Decision:
        """The fate of a UDP payload of `size` bytes that arrives at `now_ns`."""
        state = self._state
        gap_ns = now_ns - self._arrived_ns
        self._arrived_ns = now_ns
        if state.outage:
            return _OUTAGE
        if state.loss_ratio and self._is_lost(gap_ns):
            return _LOST
        at_ns = now_ns
        if self._ns_per_byte:
            queued = self._queued(now_ns, size)
            if queued is None:
                return _QUEUE_FULL
            at_ns = queued
        at_ns += self._delay_ns
        if state.jitter_ms:
            at_ns -= int(state.jitter_ms * _MS * math.log(1.0 - self._jitter_ns()))
        at_ns = max(at_ns, self._floor_ns)
        if state.reorder_ratio and self._swap() < state.reorder_ratio:
            # Held back beyond the next packet, without holding that one back.
            at_ns += min(max(int(HOLD_GAPS * gap_ns), _HOLD_LEAST_NS), _HOLD_MOST_NS)
        else:
            self._floor_ns = at_ns
        if state.duplicate_ratio and self._duplicate() < state.duplicate_ratio:
            return Decision(Fate.DELIVERED, at_ns, at_ns + COPY_GAP_NS)
        return Decision(Fate.DELIVERED, at_ns)

    def _is_lost(self, gap_ns: int) -> bool:
        """Gilbert-Elliott: move the state over the gap (exact two-state Markov transition), then draw.

        P(bad at t+gap | state) = share + ([bad] - share) exp(-gap (1/bad_ns + 1/good_ns)).
        """
        if not self._rates:
            return self._loss() < self._state.loss_ratio
        share = self._bad_share
        memory = math.exp(-self._rates * gap_ns) if gap_ns > 0 else 1.0
        self._bad = self._loss() < share + (self._bad - share) * memory
        return self._bad and (self._density >= 1.0 or self._loss() < self._density)

    def _queued(self, now_ns: int, size: int) -> int | None:
        """When the bottleneck has sent the packet; None when its queue is full."""
        start_ns = max(self._busy_ns, now_ns)
        if start_ns - now_ns > self._queue_ns:
            return None
        self._busy_ns = start_ns + int((size + IP_UDP_BYTES) * self._ns_per_byte)
        return self._busy_ns
