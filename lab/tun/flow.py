"""The figures of one flow on a link that carries all IP, each from the stamps of the kernel at the two ends of the link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from lab.line.direction import Fate
from lab.tun.log import ABSENT, HEAD
from telemetry.metrics.jitter import smoothed
from telemetry.metrics.reordering import reordered_count

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Number(NamedTuple):
    """Where a request and its reply carry the same number: offsets from the transport header, and octets."""

    up_at: int
    down_at: int
    octets: int


ICMP_ECHO: Final = Number(6, 6, 2)
"""Sequence number (RFC 792, RFC 4443); begins anew after 65,536 echoes."""
STAMP: Final = Number(8, 32, 4)
"""Sequence number and Session-Sender Sequence Number, unauthenticated (RFC 8762 4.2.1, 4.3.1), behind the UDP header."""


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """Exchanges of which both ways were completed, in order of sending; columns of shape (n,)."""

    number: NDArray[np.int64]
    up_in_ns: NDArray[np.int64]
    up_out_ns: NDArray[np.int64]
    down_in_ns: NDArray[np.int64]
    down_out_ns: NDArray[np.int64]

    @property
    def line_ns(self) -> NDArray[np.int64]:
        """Time on the line, both ways: what a tool reports that takes the far end's time off."""
        return (self.up_out_ns - self.up_in_ns) + (self.down_out_ns - self.down_in_ns)

    @property
    def whole_ns(self) -> NDArray[np.int64]:
        """Time between leaving the office and coming back, the far end's own time included, as a ping sees it."""
        return self.down_out_ns - self.up_in_ns

    def sent_between(self, start_ns: int, end_ns: int) -> RoundTrips:
        """Those whose request left in `[start_ns, end_ns)`."""
        mine = (self.up_in_ns >= start_ns) & (self.up_in_ns < end_ns)
        return RoundTrips(*(getattr(self, name)[mine] for name in RoundTrips.__slots__))


@dataclass(frozen=True, slots=True)
class Packets:
    """What one direction did to the packets of a flow."""

    records: NDArray[np.void]
    """Of `log.RECORD`, in order of sealing, copies included."""
    transport_at: NDArray[np.int64]

    def part(self, mine: NDArray[np.bool_]) -> Packets:
        """Some of them."""
        return Packets(self.records[mine], self.transport_at[mine])

    def sent_between(self, start_ns: int, end_ns: int) -> Packets:
        """Those that came to the link in `[start_ns, end_ns)`."""
        at = self.records["in_ns"]
        return self.part((at >= start_ns) & (at < end_ns))

    @property
    def sent(self) -> int:
        """Packets that came to the link."""
        return int(np.count_nonzero(self.records["copy"] == 0))

    @property
    def received(self) -> int:
        """Packets that came out, copies not counted."""
        return int(np.count_nonzero((self.records["copy"] == 0) & self._out))

    @property
    def lost(self) -> int:
        """Packets that did not come out."""
        return self.sent - self.received

    @property
    def duplicated(self) -> int:
        """Extra copies that came out."""
        return int(np.count_nonzero((self.records["copy"] != 0) & self._out))

    @property
    def unstamped(self) -> int:
        """Records to which a stamp of the kernel is missing; the delays below leave them out."""
        missing = (self.records["in_ns"] == ABSENT) | (self._out & (self.records["out_ns"] == ABSENT))
        return int(np.count_nonzero(missing))

    @property
    def _out(self) -> NDArray[np.bool_]:
        return np.asarray(self.records["fate"] == Fate.DELIVERED)

    def delivered(self) -> NDArray[np.void]:
        """Records of packets that came out, first copies, stamped at both ends, in order of sending."""
        fit = self._out & (self.records["copy"] == 0)
        fit &= (self.records["in_ns"] != ABSENT) & (self.records["out_ns"] != ABSENT)
        rows = self.records[fit]
        return np.asarray(rows[np.argsort(rows["in_ns"], kind="stable")])

    @property
    def delay_ns(self) -> NDArray[np.int64]:
        """Time on the line of each packet that came out, in order of sending."""
        rows = self.delivered()
        return np.asarray(rows["out_ns"] - rows["in_ns"])

    def jitter(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """RFC 3550 J (ms) after each packet but the first, in order of arrival, and when each packet was sent (ns)."""
        rows = self.delivered()
        rows = rows[np.argsort(rows["out_ns"], kind="stable")]
        transit = (rows["out_ns"] - rows["in_ns"]).astype(np.float64)
        return np.asarray(rows["in_ns"][1:]), smoothed(np.diff(transit)) / 1e6

    @property
    def ipdv_ns(self) -> NDArray[np.int64]:
        """Differences of delay of packets that follow each other in sending and both came out (RFC 3393)."""
        first = self.records[self.records["copy"] == 0]
        first = first[np.argsort(first["in_ns"], kind="stable")]
        fit = (first["fate"] == Fate.DELIVERED) & (first["in_ns"] != ABSENT) & (first["out_ns"] != ABSENT)
        delay = np.where(fit, first["out_ns"] - first["in_ns"], 0)
        return np.asarray(np.diff(delay)[fit[1:] & fit[:-1]])

    @property
    def reordered(self) -> int:
        """Packets that came out behind a later one (RFC 4737)."""
        order = np.argsort(self.delivered()["out_ns"], kind="stable")
        return reordered_count(order) if len(order) else 0

    def numbers(self, at: int, octets: int) -> NDArray[np.int64]:
        """An unsigned number in network order, `at` so many octets behind the start of the transport header.

        Shape (n,); -1 where the log does not reach so far into the packet.
        """
        head = self.records["head"]
        begin = self.transport_at + at
        known = begin + octets <= np.minimum(self.records["kept"], HEAD)
        rows = np.arange(len(head))
        out = np.zeros(len(head), dtype=np.int64)
        for place in range(octets):
            out = out << 8 | head[rows, np.where(known, begin + place, 0)]
        return np.where(known, out, -1)

    def first_out(self, at: int, octets: int) -> tuple[NDArray[np.int64], NDArray[np.void]]:
        """Of each number the copy that came out first: numbers, rising, and records."""
        out = self._out & (self.records["in_ns"] != ABSENT) & (self.records["out_ns"] != ABSENT)
        mine = self.part(out)
        order = np.argsort(mine.records["out_ns"], kind="stable")
        numbers, places = np.unique(mine.numbers(at, octets)[order], return_index=True)
        return numbers, np.asarray(mine.records[order][places])


@dataclass(frozen=True, slots=True)
class Flow:
    """Both directions of one flow."""

    up: Packets
    down: Packets

    def sent_between(self, start_ns: int, end_ns: int) -> Flow:
        """The packets that came to the link in a span, either way."""
        return Flow(self.up.sent_between(start_ns, end_ns), self.down.sent_between(start_ns, end_ns))

    def round_trips(self, number: Number) -> RoundTrips:
        """Requests that went up and their replies that came down, matched by the number both carry."""
        up_numbers, up = self.up.first_out(number.up_at, number.octets)
        down_numbers, down = self.down.first_out(number.down_at, number.octets)
        both, at_up, at_down = np.intersect1d(
            up_numbers, down_numbers, assume_unique=True, return_indices=True
        )
        up, down = up[at_up], down[at_down]
        order = np.argsort(up["in_ns"], kind="stable")
        order = order[(both[order] >= 0) & (down["in_ns"][order] >= up["out_ns"][order])]
        up, down = up[order], down[order]
        return RoundTrips(both[order], up["in_ns"], up["out_ns"], down["in_ns"], down["out_ns"])
