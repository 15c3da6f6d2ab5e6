"""What has arrived of one step, packet by packet, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, fields
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
    """N arrivals in order of arrival: number, time sent and time received (each by its own clock, ns), octets with headers.

    `sure`: whether the time received is known. In the instant in which a clock is set it may not be: such a packet counts
    as received, and no delay is made of it.
    """

    number: NDArray[np.int64]
    sent_ns: NDArray[np.int64]
    received_ns: NDArray[np.int64]
    octets: NDArray[np.int64]
    sure: NDArray[np.bool_]

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
        delay = (part.received_ns - part.sent_ns)[part.sure]
        if len(delay):
            least = int(delay.min())
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
        number, sent_ns, received_ns, octets, sure = (
            np.concatenate([getattr(part, name) for part in self._parts]) for name in _FIELDS
        )
        known = (number >= 0) & (number < sent)
        _, first = np.unique(number[known], return_index=True)
        number, sent_ns, received_ns, octets, sure = (
            each[known][np.sort(first)] for each in (number, sent_ns, received_ns, octets, sure)
        )
        lost = np.ones(sent, dtype=bool)
        lost[number] = False
        return Came(
            len(number),
            int(octets.sum()),
            *_span_and_jitter_us(sent_ns[sure], received_ns[sure]),
            *_worst(planned, lost),
            *_delays((received_ns - sent_ns)[sure]),
        )


_FIELDS: Final = tuple(field.name for field in fields(Arrived))


def _span_and_jitter_us(sent_ns: NDArray[np.int64], received_ns: NDArray[np.int64]) -> tuple[int, int]:
    """From the first to the last arrival; the mean of the interarrival jitter. Both 0 when nothing arrived."""
    if not len(sent_ns):
        return 0, 0
    jitter = interarrival_jitter(sent_ns - sent_ns[0], received_ns - received_ns[0])
    span = int(received_ns.max() - received_ns.min()) // 1000
    return span, round(float(jitter.mean()) / 1000) if len(jitter) else 0


def _delays(delay_ns: NDArray[np.int64]) -> tuple[int | None, int | None]:
    """The 95th percentile and the least; None when nothing arrived."""
    if not len(delay_ns):
        return None, None
    return int(nearest_rank(delay_ns, [0.95])[0]), int(delay_ns.min())


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
