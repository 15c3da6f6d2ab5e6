"""What has arrived of one step, packet by packet, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.metrics.jitter import interarrival_jitter
from telemetry.metrics.percentile import nearest_rank
from telemetry.windows import MS_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.rehearsing.shape import Packets

BURST_NS: Final = 200 * MS_NS
LEAST_IN_BURST: Final = 10
"""Bursts are judged from 50 packets a second on, as everywhere in the house."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """N arrivals in order of arrival: number, time sent and time received (each by its own clock, ns), octets with headers."""

    number: NDArray[np.int64]
    sent_ns: NDArray[np.int64]
    received_ns: NDArray[np.int64]
    octets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True, slots=True)
class Came:
    """One direction of one step. Delays have no common zero: only their differences mean anything."""

    received: int
    """Distinct packets."""
    octets: int
    span_us: int
    """From the first to the last arrival."""
    jitter_us: int
    """Mean of RFC 3550 interarrival jitter."""
    worst_lost: int
    worst_sent: int
    """The worst 200 ms of sending."""
    p95_delay_ns: int | None
    least_delay_ns: int | None


class Arrivals:
    """Grows as packets arrive."""

    def __init__(self) -> None:
        self._parts: list[Arrived] = []
        self.received = 0
        """With copies."""
        self.expected = 0
        """One more than the highest number."""
        self._least_ns: int | None = None

    def add(self, part: Arrived) -> None:
        """Take a batch in."""
        if not len(part):
            return
        self._parts.append(part)
        self.received += len(part)
        self.expected = max(self.expected, int(part.number.max()) + 1)
        least = int((part.received_ns - part.sent_ns).min())
        self._least_ns = least if self._least_ns is None else min(least, self._least_ns)

    def take_least_ns(self) -> int | None:
        """The least delay since this was asked last."""
        least, self._least_ns = self._least_ns, None
        return least

    def came(self, planned: Packets, sent: int) -> Came:
        """What it comes to, when `sent` packets of the plan have left."""
        if not self._parts:
            lost = np.ones(sent, dtype=bool)
            return Came(0, 0, 0, 0, *_worst(planned, lost), None, None)
        number, sent_ns, received_ns, octets = (
            np.concatenate([getattr(part, name) for part in self._parts])
            for name in ("number", "sent_ns", "received_ns", "octets")
        )
        known = (number >= 0) & (number < sent)
        _, first = np.unique(number[known], return_index=True)
        number, sent_ns, received_ns, octets = (
            each[known][np.sort(first)] for each in (number, sent_ns, received_ns, octets)
        )
        if not len(number):
            return Came(0, 0, 0, 0, *_worst(planned, np.ones(sent, dtype=bool)), None, None)
        lost = np.ones(sent, dtype=bool)
        lost[number] = False
        delay = received_ns - sent_ns
        jitter = interarrival_jitter(sent_ns - sent_ns[0], received_ns - received_ns[0])
        return Came(
            received=len(number),
            octets=int(octets.sum()),
            span_us=int(received_ns.max() - received_ns.min()) // 1000,
            jitter_us=round(float(jitter.mean()) / 1000) if len(jitter) else 0,
            worst_lost=(worst := _worst(planned, lost))[0],
            worst_sent=worst[1],
            p95_delay_ns=int(nearest_rank(delay, [0.95])[0]),
            least_delay_ns=int(delay.min()),
        )


def _worst(planned: Packets, lost: NDArray[np.bool_]) -> tuple[int, int]:
    """Lost and sent in the worst 200 ms that has enough packets to be judged; (0, 0) when none has."""
    bin_ = planned.at_ns[: len(lost)] // BURST_NS
    sent = np.bincount(bin_)
    gone = np.bincount(bin_, weights=lost[: len(bin_)])
    enough = sent >= LEAST_IN_BURST
    if not enough.any():
        return 0, 0
    worst = int(np.argmax(np.where(enough, gone / np.maximum(sent, 1), -1.0)))
    return int(gone[worst]), int(sent[worst])


def bitrate_bps(came: Came, seconds: float) -> float:
    """Received, IP layer: over the length of the step, or over the longer time that its packets took to arrive."""
    return came.octets * 8 / max(seconds, came.span_us / 1e6)
