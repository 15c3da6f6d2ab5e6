"""Reading replies and send stamps of all sessions in one go, and turning the raw memory into packed records.

The kernel stamps each packet when it comes, so nothing is gained by waking up for it: sockets are read ten times
a second, each with one system call.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from probes.kernel.kernel_stamps import (
    CMSG_DATA,
    IP_RECVERR,
    IPV6_RECVERR,
    ORIGIN_TIMESTAMPING,
    SCM_TIMESTAMPING_SIZE,
    SO_RXQ_OVFL,
    SO_TIMESTAMPING,
    tos_of,
)
from probes.kernel.plain_datagrams import PlainDatagrams
from probes.kernel.system import HAS_BATCHES, MSG_ERRQUEUE, MSG_TRUNC, control_space
from probes.measuring.record_layout import REPLY_STRUCT, STAMPED_STRUCT, ReplyFlag
from probes.measuring.session_datagrams import SessionDatagrams
from probes.stamp.packets import BASE, TWAMP_REFLECTOR_MIN
from probes.stamp.stamp_auth import is_authentic
from probes.stamp.stamp_tlv import (
    CLASS_OF_SERVICE,
    FACTS,
    FACTS_TLV,
    SERVICE_TLV,
    SERVICE_VALUE,
    SIGNED_BASE,
    SIGNED_FACTS_AT,
    SIGNED_MAC_AT,
    SIGNED_PADDING_AT,
    UNRECOGNISED,
)
from probes.stamp.timestamps import MASK32, SECOND_NS
from telemetry.sources import StampSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from probes.measuring.session_sender import SessionSender

SLOTS: Final = 128
ROUNDS: Final = 32
"""System calls for one session in one go: more than its receive buffer holds, so that no flood keeps us from sending."""
_RECORDS: Final = 4096
"""With so many to hand, they are handed over."""
_WITH_FACTS: Final = BASE + FACTS_TLV.size
_SECOND_MESSAGE: Final = control_space(SCM_TIMESTAMPING_SIZE)
_TWO_MESSAGES: Final = _SECOND_MESSAGE + CMSG_DATA
_CONTROL: Final = 192
_OCTETS: Final = SIGNED_PADDING_AT + SERVICE_TLV.size
"""As much of a reply as is ever read."""

_WIRE: Final = struct.Struct("!IQHHQIQ8xBB2xBBBxI")
"""A reply with our own TLV behind it (layouts in `stamp` and `stamp_tlv`): number, T3, error estimate, SSID, T2, sender's
number, T1; the TLV's flags and type, mode, T2 by, T3 by, instance."""
_SIGNED_WIRE: Final = struct.Struct("!I12xQHH4xQ8xI12xQ40xBB2xBBBxI")
"""The same in the authenticated mode (layout in `stamp_auth`)."""
_STAMP: Final = struct.Struct(f"={CMSG_DATA - 8}xiiqq")
"""Of the first control message: level, kind, seconds, ns."""
_COUNTER: Final = struct.Struct("=iiI")
"""Of the second, behind its length: level, kind, drops."""
_NUMBERED: Final = struct.Struct("=ii4xB7xI")
"""The same as an extended error: level, kind, origin, number of the send stamp."""
_SECOND_AT: Final = _TWO_MESSAGES - 8
_NO_FACTS: Final = (0, 0, 0, 0)


class _Read(NamedTuple):
    """What holds for all that is read in one go."""

    generation: int
    flags: int


class ReplyReader:
    """Reads every session's socket; hands records to `replies` and `stamps` as packed arrays (`record_layout`)."""

    def __init__(self, replies: Callable[[bytes], None], stamps: Callable[[bytes], None]) -> None:
        self._replies_out, self._stamps_out = replies, stamps
        self._tray = (SessionDatagrams if HAS_BATCHES else PlainDatagrams)(SLOTS, _OCTETS, _CONTROL)
        self.not_authentic = 0
        """Replies of signed sessions that were not signed with their key; only ever grows."""

    def read(
        self, senders: Iterable[SessionSender], now_ns: int, generation: int, *, ambiguous: bool
    ) -> None:
        """Read all that waits at the senders' sockets; `now_ns` (monotonic) marks whom was heard."""
        reading = _Read(generation & 0xFFFF, ReplyFlag.AMBIGUOUS if ambiguous else 0)
        records = bytearray()
        for sender in senders:
            for _ in range(ROUNDS if sender.fileno >= 0 else 0):
                got = self._receive(sender, MSG_TRUNC)
                if got:
                    sender.heard_ns = now_ns
                for slot in range(got):
                    records += self._reply(slot, sender, reading)
                if len(records) >= _RECORDS * REPLY_STRUCT.size:
                    records = _hand_over(records, self._replies_out)
                if got < SLOTS:
                    break
        _hand_over(records, self._replies_out)

    def read_stamps(self, senders: Iterable[SessionSender]) -> None:
        """Read the send stamps that wait in the senders' error queues."""
        records = bytearray()
        for sender in senders:
            waiting = sender.stamps is StampSource.KERNEL and sender.fileno >= 0
            for _ in range(ROUNDS if waiting else 0):
                got = self._receive(sender, MSG_ERRQUEUE)
                for slot in range(got):
                    records += self._stamped(slot, sender)
                if len(records) >= _RECORDS * STAMPED_STRUCT.size:
                    records = _hand_over(records, self._stamps_out)
                if got < SLOTS:
                    break
        _hand_over(records, self._stamps_out)

    def _receive(self, sender: SessionSender, flags: int) -> int:
        try:
            return self._tray.receive(sender.sock, flags)
        except OSError:  # ICMP: nobody listens there
            sender.refused()
            return 0

    def _stamp_ns(self, slot: int, told: int) -> int:
        """Kernel stamp of a slot; 0 where there is none. `told`: octets of its control data."""
        if told < _SECOND_MESSAGE:
            return 0
        level, kind, seconds, ns = _STAMP.unpack_from(self._tray.control, slot * _CONTROL)
        return seconds * SECOND_NS + ns if kind == SO_TIMESTAMPING and level == socket.SOL_SOCKET else 0

    def _stamped(self, slot: int, sender: SessionSender) -> bytes:
        """The record of a send stamp; nothing when it is none."""
        told = self._tray.control_length(slot)
        t1_ns = self._stamp_ns(slot, told)
        if told < _TWO_MESSAGES + 16 or t1_ns <= 0:
            return b""
        level, kind, origin, number = _NUMBERED.unpack_from(self._tray.control, slot * _CONTROL + _SECOND_AT)
        of_ip = (level, kind) in {(socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)}
        if not of_ip or origin != ORIGIN_TIMESTAMPING:
            return b""
        return STAMPED_STRUCT.pack(t1_ns, sender.number, sender.stamp_base + number & MASK32)

    def _reply(self, slot: int, sender: SessionSender, reading: _Read) -> bytes:
        """The record of a reply; nothing when it is none."""
        tray = self._tray
        length, told = tray.length(slot), tray.control_length(slot)
        at = slot * tray.octets
        if sender.key:
            if not self._is_authentic(at, length, sender.key):
                self.not_authentic += 1
                return b""
            layout, known = _SIGNED_WIRE, self._is_intact(at, length, sender)
            service_at = SIGNED_MAC_AT
        elif length < TWAMP_REFLECTOR_MIN:
            return b""
        else:
            layout, known, service_at = _WIRE, length >= _WITH_FACTS, _WITH_FACTS
        number, t3, estimate, ssid, t2, sequence, t1, tlv_flags, tlv, *facts = layout.unpack_from(
            tray.data, at
        )
        mode, t2_by, t3_by, instance = (
            facts if known and tlv == FACTS and not tlv_flags & UNRECOGNISED else _NO_FACTS
        )
        asked = self._dscp_told(at + service_at, length - service_at) if sender.dscp and known else 0
        t4_ns, flags = self._stamp_ns(slot, told), reading.flags
        if sender.stamps is not StampSource.KERNEL:
            t4_ns, flags = time.time_ns(), flags | ReplyFlag.USER_STAMP
        return REPLY_STRUCT.pack(
            t1, t2, t3, t4_ns, sender.number, sequence, number, instance, self._drops(slot, told), estimate,
            ssid, min(length, 0xFFFF), reading.generation, mode, t2_by, t3_by, flags,
            asked, self._dscp_back(slot, told) if asked else 0,
        )  # fmt: skip

    def _dscp_told(self, at: int, room: int) -> int:
        """DSCP with which the request arrived, plus 1; 0 where the reflector has not answered our Class of Service TLV."""
        if room < SERVICE_TLV.size:
            return 0
        flags, kind, size, value, _ = SERVICE_TLV.unpack_from(self._tray.data, at)
        answered = kind == CLASS_OF_SERVICE and size == SERVICE_VALUE and not flags & UNRECOGNISED
        return (value >> 4 & 0x3F) + 1 if answered else 0

    def _dscp_back(self, slot: int, told: int) -> int:
        """DSCP with which a reply came that was asked to be marked as well, plus 1; 0 where the kernel does not tell."""
        at = slot * _CONTROL
        found = tos_of(self._tray.control[at : at + min(told, _CONTROL)])
        return 0 if found is None else (found >> 2) + 1

    def _drops(self, slot: int, told: int) -> int:
        """The socket's count of datagrams dropped so far, where the kernel tells it."""
        if told < _TWO_MESSAGES + 4:
            return 0
        level, kind, drops = _COUNTER.unpack_from(self._tray.control, slot * _CONTROL + _SECOND_AT)
        return int(drops) if kind == SO_RXQ_OVFL and level == socket.SOL_SOCKET else 0

    def _is_authentic(self, at: int, length: int, key: bytes) -> bool:
        """Whether a reply was signed with the session's key. One that was not is taken for no reply at all."""
        return length >= SIGNED_BASE and is_authentic(key, self._tray.data[at : at + SIGNED_BASE])

    def _is_intact(self, at: int, length: int, sender: SessionSender) -> bool:
        """Whether the TLVs behind a signed reply are the reflector's own; others are not read."""
        from probes.stamp.stamp_tlv_codec import is_intact  # noqa: PLC0415 - only offices with keys need it

        end = _OCTETS if sender.dscp else SIGNED_PADDING_AT
        if length < end:
            return False
        octets = self._tray.data[at : at + end]
        return is_intact(sender.key, int.from_bytes(octets[:4], "big"), bytes(octets[SIGNED_FACTS_AT:]))


def _hand_over(records: bytearray, out: Callable[[bytes], None]) -> bytearray:
    """Give records away, if there are any; room for the next."""
    if records:
        out(bytes(records))
    return bytearray()
