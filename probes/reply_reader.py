"""Reading replies and send stamps of all sessions in one go, and turning the raw memory into records by numpy.

The kernel stamps each packet when it comes, so nothing is gained by waking up for it: sockets are read ten times
a second, each with one system call, and the whole lot is taken apart at once.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.datagram_batch import DatagramBatch
from probes.kernel_stamps import (
    CMSG_DATA,
    IP_RECVERR,
    IPV6_RECVERR,
    ORIGIN_TIMESTAMPING,
    SCM_TIMESTAMPING_SIZE,
    SO_RXQ_OVFL,
    SO_TIMESTAMPING,
)
from probes.records import REPLY, STAMPED, ReplyFlag
from probes.stamp import BASE, TWAMP_REFLECTOR_MIN
from probes.stamp_auth import is_authentic
from probes.stamp_tlv import (
    FACTS,
    FACTS_TLV,
    SIGNED_BASE,
    SIGNED_FACTS_AT,
    SIGNED_MAC_AT,
    SIGNED_PADDING_AT,
    UNRECOGNISED,
)
from probes.stamp_tlv_codec import is_intact
from probes.timestamps import SECOND_NS
from telemetry.messages import StampSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from probes.session_sender import SessionSender

SLOTS: Final = 1024
_WITH_FACTS: Final = BASE + FACTS_TLV.size
_SECOND_MESSAGE: Final = socket.CMSG_SPACE(SCM_TIMESTAMPING_SIZE)
_TWO_MESSAGES: Final = _SECOND_MESSAGE + CMSG_DATA
_CONTROL: Final = 192
_TRUNC: Final = int(socket.MSG_TRUNC)
_ERRQUEUE: Final = int(socket.MSG_ERRQUEUE)

_WIRE: Final = np.dtype({
    "names": ["number", "t3", "estimate", "ssid", "t2", "sequence", "t1",
              "tlv_flags", "tlv_type", "mode", "t2_by", "t3_by", "instance"],
    "formats": [">u4", ">u8", ">u2", ">u2", ">u8", ">u4", ">u8", "u1", "u1", "u1", "u1", "u1", ">u4"],
    "offsets": [0, 4, 12, 14, 16, 24, 28, 44, 45, 48, 49, 50, 52],
    "itemsize": _WITH_FACTS,
})  # fmt: skip
"""A reply with our own TLV behind it (layouts in `stamp` and `stamp_tlv`)."""

_SIGNED_WIRE: Final = np.dtype({
    "names": list(_WIRE.names or ()),
    "formats": [">u4", ">u8", ">u2", ">u2", ">u8", ">u4", ">u8", "u1", "u1", "u1", "u1", "u1", ">u4"],
    "offsets": [0, 16, 24, 26, 32, 48, 64, 112, 113, 116, 117, 118, 120],
    "itemsize": SIGNED_MAC_AT,
})  # fmt: skip
"""The same in the authenticated mode (layout in `stamp_auth`)."""

_ANCILLARY: Final = np.dtype({
    "names": ["level", "kind", "seconds", "ns", "level2", "kind2", "drops", "origin", "stamp_number"],
    "formats": ["=i4", "=i4", "=i8", "=i8", "=i4", "=i4", "=u4", "u1", "=u4"],
    "offsets": [
        CMSG_DATA - 8, CMSG_DATA - 4, CMSG_DATA, CMSG_DATA + 8,
        _TWO_MESSAGES - 8, _TWO_MESSAGES - 4, _TWO_MESSAGES, _TWO_MESSAGES + 4, _TWO_MESSAGES + 12,
    ],
    "itemsize": _CONTROL,
})  # fmt: skip
"""A stamp, then either the drop counter or the extended error that numbers a send stamp."""


class ReplyReader:
    """Reads every session's socket; hands records to `replies` and `stamps` as packed arrays."""

    def __init__(
        self, replies: Callable[[NDArray[np.void]], None], stamps: Callable[[NDArray[np.void]], None]
    ) -> None:
        self._replies_out, self._stamps_out = replies, stamps
        self._batch = DatagramBatch(SLOTS, SIGNED_PADDING_AT, _CONTROL)
        self._wire = self._batch.data[:, :_WITH_FACTS].view(_WIRE)[:, 0]
        self._signed_wire = self._batch.data[:, :SIGNED_MAC_AT].view(_SIGNED_WIRE)[:, 0]
        self._keys: list[tuple[int, int, bytes]] = []
        """First slot, the slot behind the last, key: where replies of signed sessions lie."""
        self.not_authentic = 0
        """Replies of signed sessions that were not signed with their key; only ever grows."""
        self._ancillary = self._batch.control.view(_ANCILLARY)[:, 0]
        self._session: NDArray[np.uint32] = np.zeros(SLOTS, dtype=np.uint32)
        self._stamp_base: NDArray[np.uint32] = np.zeros(SLOTS, dtype=np.uint32)
        self._user_stamped: NDArray[np.bool_] = np.zeros(SLOTS, dtype=np.bool_)

    def read(
        self, senders: Iterable[SessionSender], now_ns: int, generation: int, *, ambiguous: bool
    ) -> None:
        """Read all that waits at the senders' sockets; `now_ns` (monotonic) marks whom was heard."""
        used = 0
        for sender in senders:
            if sender.fileno < 0:
                continue
            while True:
                got = self._receive(sender, used, _TRUNC)
                if not got:
                    break
                sender.heard_ns = now_ns
                self._session[used : used + got] = sender.number
                self._user_stamped[used : used + got] = sender.stamps is not StampSource.KERNEL
                if sender.key:
                    self._keys.append((used, used + got, sender.key))
                used += got
                if used < SLOTS:
                    break
                self._take_replies(used, generation, ambiguous=ambiguous)
                used = 0
        self._take_replies(used, generation, ambiguous=ambiguous)

    def read_stamps(self, senders: Iterable[SessionSender]) -> None:
        """Read the send stamps that wait in the senders' error queues."""
        used = 0
        for sender in senders:
            if sender.stamps is not StampSource.KERNEL or sender.fileno < 0:
                continue
            while True:
                got = self._receive(sender, used, _ERRQUEUE)
                if not got:
                    break
                self._session[used : used + got] = sender.number
                self._stamp_base[used : used + got] = sender.stamp_base & 0xFFFF_FFFF
                used += got
                if used < SLOTS:
                    break
                self._take_stamps(used)
                used = 0
        self._take_stamps(used)

    def _receive(self, sender: SessionSender, start: int, flags: int) -> int:
        try:
            return self._batch.receive(sender.fileno, start, flags)
        except OSError:  # ICMP: nobody listens there
            sender.refused()
            return 0

    def _stamp_ns(self, used: int) -> NDArray[np.int64]:
        """Kernel stamp of each slot; 0 where there is none."""
        a = self._ancillary[:used]
        there = (a["kind"] == SO_TIMESTAMPING) & (a["level"] == socket.SOL_SOCKET)
        there &= self._batch.control_lengths[:used] >= _SECOND_MESSAGE
        return np.where(there, a["seconds"] * SECOND_NS + a["ns"], 0)

    def _take_stamps(self, used: int) -> None:
        if not used:
            return
        a = self._ancillary[:used]
        numbered = (a["kind2"] == IP_RECVERR) & (a["level2"] == socket.IPPROTO_IP)
        numbered |= (a["kind2"] == IPV6_RECVERR) & (a["level2"] == socket.IPPROTO_IPV6)
        numbered &= a["origin"] == ORIGIN_TIMESTAMPING
        numbered &= self._batch.control_lengths[:used] >= _TWO_MESSAGES + 16
        out = np.zeros(used, dtype=STAMPED)
        out["t1_ns"] = self._stamp_ns(used)
        out["session"] = self._session[:used]
        out["sequence"] = self._stamp_base[:used] + a["stamp_number"]
        self._batch.clear(used)
        self._stamps_out(out[numbered & (out["t1_ns"] > 0)])

    def _take_replies(self, used: int, generation: int, *, ambiguous: bool) -> None:
        if not used:
            return
        wire, a = self._wire[:used], self._ancillary[:used]
        enough = self._batch.lengths[:used] >= TWAMP_REFLECTOR_MIN
        known = self._batch.lengths[:used] >= _WITH_FACTS
        if self._keys:
            wire = wire.copy()
            self._take_signed(wire, enough, known)
        out = np.zeros(used, dtype=REPLY)
        for name in ("t1", "t2", "t3", "sequence", "number", "estimate", "ssid"):
            out[name] = wire[name]
        out["session"] = self._session[:used]
        out["octets"] = np.minimum(self._batch.lengths[:used], 0xFFFF)
        out["generation"] = generation & 0xFFFF
        out["flags"] = ReplyFlag.AMBIGUOUS if ambiguous else 0
        out["t4_ns"] = self._stamp_ns(used)
        user = self._user_stamped[:used]
        if user.any():
            out["t4_ns"][user] = time.time_ns()
            out["flags"][user] |= np.uint8(ReplyFlag.USER_STAMP)
        facts = known & (wire["tlv_type"] == FACTS)
        facts &= wire["tlv_flags"] & UNRECOGNISED == 0
        for name in ("mode", "t2_by", "t3_by", "instance"):
            out[name] = np.where(facts, wire[name], 0)
        counted = (a["kind2"] == SO_RXQ_OVFL) & (a["level2"] == socket.SOL_SOCKET)
        counted &= self._batch.control_lengths[:used] >= _TWO_MESSAGES + 4
        out["drops"] = np.where(counted, a["drops"], 0)
        self._batch.clear(used)
        self._replies_out(out[enough])

    def _take_signed(
        self, wire: NDArray[np.void], enough: NDArray[np.bool_], known: NDArray[np.bool_]
    ) -> None:
        """Check the replies of signed sessions one by one, and put their fields where those of others stand.

        What is not authentic is taken for no reply at all; TLVs that are not intact are not read.
        """
        for first, end, key in self._keys:
            wire[first:end] = self._signed_wire[first:end]
            for slot in range(first, end):
                octets = self._batch.data[slot].data
                length = min(int(self._batch.lengths[slot]), SIGNED_PADDING_AT)
                enough[slot] = length >= SIGNED_BASE and is_authentic(key, octets[:SIGNED_BASE])
                self.not_authentic += not enough[slot]
                known[slot] = length == SIGNED_PADDING_AT and is_intact(
                    key, int(wire["number"][slot]), bytes(octets[SIGNED_FACTS_AT:length])
                )
        self._keys.clear()
