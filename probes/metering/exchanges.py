"""A session's records of one frame, matched: which reply belongs to which packet, and with which four stamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from probes.measuring.record_layout import ReplyFlag, SentFlag
from probes.stamp.packets import PTP_FLAG
from probes.stamp.timestamp_arrays import ntp64_array, ptp64_array, unix_ns_array, unix_ns_of_ptp_array
from telemetry.arrays import np
from telemetry.windows import LATE_NS, MS_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLAUSIBLE_NS: Final = 100 * MS_NS
"""A kernel send stamp lies so close behind the user stamp, or it belongs to another packet."""
SLACK_NS: Final = MS_NS // 10
"""Round trips below zero by no more than this are taken for zero: the far clock was slewed meanwhile."""
_U32: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class FrameRecords:
    """What is known of one session when one of its frames is closed."""

    sent: NDArray[np.void]
    """`SENT` records of the frame, n >= 1, sequence without a hole."""
    ahead: NDArray[np.void]
    """`SENT` records that follow, of later frames; their replies show what the last packets' numbers mean."""
    stamped: NDArray[np.void]
    replies: NDArray[np.void]
    """`REPLY` records in order of arrival."""
    ssid: int


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Replies matched with their packets, in order of arrival, copies included; the frame's and those ahead."""

    index: NDArray[np.int64]
    """Packet, counted from the frame's first."""
    rows: NDArray[np.void]
    """The `REPLY` records."""
    t1_ns: NDArray[np.int64]
    t2_ns: NDArray[np.int64]
    t3_ns: NDArray[np.int64]
    kernel_t1: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    """Whether the four stamps give delays."""
    straddles: NDArray[np.bool_]
    """Not usable because a clock stepped between the stamps."""
    generation: NDArray[np.int64]
    foreign: int
    """Replies that answer nothing that we sent: wrong SSID, or another time stamp than the packet's."""

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Exchanges:
        """The chosen ones, by mask or by position; itself when that is all of them, as it mostly is."""
        if chosen.dtype == np.bool_:
            if chosen.all():
                return self
            chosen = np.flatnonzero(chosen)
        elif len(chosen) == len(self.index) and bool((np.diff(chosen) > 0).all()):
            return self
        return Exchanges(
            self.index[chosen], self.rows[chosen], self.t1_ns[chosen], self.t2_ns[chosen], self.t3_ns[chosen],
            self.kernel_t1[chosen], self.usable[chosen], self.straddles[chosen], self.generation[chosen],
            self.foreign,
        )  # fmt: skip

    @property
    def t4_ns(self) -> NDArray[np.int64]:
        """Receive stamps; 0 where there is none."""
        t4: NDArray[np.int64] = self.rows["t4_ns"]
        return t4

    @property
    def residence_ns(self) -> NDArray[np.int64]:
        """Time at the reflector; 0 where it does not say."""
        return self.t3_ns - self.t2_ns

    @property
    def rtt_ns(self) -> NDArray[np.int64]:
        """(T4-T1)-(T3-T2)."""
        return self.t4_ns - self.t1_ns - self.residence_ns


def match(records: FrameRecords) -> Exchanges:
    """Match replies with packets. Late ones (over 3 s) and those that answer nothing of ours are left out."""
    sent = np.concatenate((records.sent, records.ahead)) if len(records.ahead) else records.sent
    base = int(sent["sequence"][0]) & _U32
    rows, index = _known(records.replies, base, len(sent))
    ours = (rows["t1"] == _written(sent)[index]) & ((rows["ssid"] == records.ssid) | (rows["ssid"] == 0))
    t1, kernel = _send_stamps(sent, records.stamped, base)
    t1, kernel = t1[index], kernel[index]
    ambiguous = (rows["flags"] & ReplyFlag.AMBIGUOUS) != 0
    ambiguous |= sent["generation"][index] != rows["generation"]
    in_time = ambiguous | (rows["t4_ns"] - t1 <= LATE_NS) | (rows["t4_ns"] == 0)
    taken = ours & in_time
    t2, t3 = _far_stamps(rows)
    rtt = rows["t4_ns"] - t1 - (t3 - t2)
    odd = (t3 < t2) | (t3 - t2 > LATE_NS) | (rtt < -SLACK_NS)
    straddles = (rows["t4_ns"] > 0) & (ambiguous | odd)
    usable = (rows["t4_ns"] > 0) & ~straddles
    generation = rows["generation"].astype(np.int64)
    matched = Exchanges(
        index, rows, t1, t2, t3, kernel, usable, straddles, generation, int(np.count_nonzero(~ours))
    )
    return matched if bool(taken.all()) else matched.part(taken)


def _written(sent: NDArray[np.void]) -> NDArray[np.uint64]:
    """The time stamp that each packet carried, as on the wire."""
    ptp = (sent["flags"] & SentFlag.PTP) != 0
    stamps = ntp64_array(sent["t1_ns"])
    return np.where(ptp, ptp64_array(sent["t1_ns"]), stamps) if bool(ptp.any()) else stamps


def _known(replies: NDArray[np.void], base: int, packets: int) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Replies to packets `0..packets-1` and which those are; 32-bit numbers wrap."""
    index = (replies["sequence"].astype(np.int64) - base) & _U32
    known = index < packets
    return (replies, index) if bool(known.all()) else (replies[known], index[known])


def _send_stamps(
    sent: NDArray[np.void], stamped: NDArray[np.void], base: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """T1 of each packet, the kernel's where there is one that can be right."""
    t1 = sent["t1_ns"].copy()
    kernel = np.zeros(len(sent), dtype=np.bool_)
    rows, index = _known(stamped, base, len(sent))
    fits = rows["t1_ns"] - t1[index]
    right = (fits >= 0) & (fits < PLAUSIBLE_NS)
    t1[index[right]] = rows["t1_ns"][right]
    kernel[index[right]] = True
    return t1, kernel


def _far_stamps(rows: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """T2 and T3 as Unix time; both 0 where the reflector left either out."""
    t2, t3 = unix_ns_array(rows["t2"]), unix_ns_array(rows["t3"])
    ptp = (rows["estimate"] & PTP_FLAG) != 0
    if ptp.any():
        t2 = np.where(ptp, unix_ns_of_ptp_array(rows["t2"]), t2)
        t3 = np.where(ptp, unix_ns_of_ptp_array(rows["t3"]), t3)
    absent = (rows["t2"] == 0) | (rows["t3"] == 0)
    if absent.any():
        t2, t3 = np.where(absent, 0, t2), np.where(absent, 0, t3)
    return t2, t3


def refused(sent: NDArray[np.void]) -> NDArray[np.bool_]:
    """Packets that the kernel would not send."""
    mask: NDArray[np.bool_] = (sent["flags"] & SentFlag.REFUSED) != 0
    return mask
