"""One bound address of the reflector: receive a batch, turn each request into its reply in place, send the batch."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from probes.datagram_batch import SOCKADDR, DatagramBatch, ReplyBatch
from probes.kernel_stamps import (
    IP_RECVTTL,
    SO_RXQ_OVFL,
    SO_TIMESTAMPNS,
    TIMESPEC,
    control_messages,
    enable_drop_counter,
    enable_receive_stamps,
)
from probes.packet_info import PacketInfo
from probes.reflector_counters import ReflectorCounters
from probes.reflector_sessions import ReflectorSessions
from probes.stamp import BASE, MULTIPLIER_MASK, REFLECTOR, TWAMP_SENDER_MIN
from probes.stamp_tlv import EXTRA_PADDING, FACTS, FACTS_TLV, FACTS_VALUE, PADDING_AT, UNRECOGNISED, Mode
from probes.timestamps import MASK32, NTP_EPOCH, SECOND_NS, ntp64
from telemetry.messages import StampSource

if TYPE_CHECKING:
    from probes.reflector_sessions import ReflectorSession

SLOTS: Final = 16
"""Datagrams per batch. All replies of a batch carry a T3 taken just before they are sent together, so a larger
batch would make the later ones' T3 early."""
ROUNDS: Final = 16
"""Batches per wake-up, so that one busy address does not starve the others."""
OCTETS: Final = 9216
"""Room for a jumbo frame; what does not fit is cut, and answered as far as it came."""
CONTROL: Final = 192
RECEIVE_BUFFER: Final = 4 << 20

_REQUEST: Final = struct.Struct("!IQHHI")
"""Sequence, T1, error estimate, SSID, and the four octets that hold T2's seconds in a reply."""
_T1_SECONDS: Final = struct.Struct("!4xI")
_COPIED_SECONDS: Final = struct.Struct("!28xI")
_TLV_START: Final = struct.Struct("!BBH")
_STAMP_AND_TTL: Final = struct.Struct("@Nii qq Nii i")
_INT: Final = struct.Struct("=I")
_KEYS: Final = {socket.AF_INET: struct.Struct("=Q"), socket.AF_INET6: struct.Struct("=IxxxxQQI")}
"""Family, port and address (and scope) out of a sockaddr."""
_NAME_SIZE: Final = {socket.AF_INET: 16, socket.AF_INET6: SOCKADDR}
_TTL: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TTL),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT),
}
_DAY_S: Final = 86_400


def bind(host: str, port: int) -> socket.socket:
    """A UDP socket bound to the first address that `host` names."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind(address)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def looks_like_reply(packet: memoryview) -> bool:
    """Whether a packet is another reflector's reply, come here by a forged source or a wrong port.

    A request has zeros, or arbitrary padding, where a reply has T2 and the copied T1: all within a day of the
    packet's own stamp only in a reply.
    """
    if len(packet) < BASE:
        return False
    (own,) = _T1_SECONDS.unpack_from(packet)
    (copied,) = _COPIED_SECONDS.unpack_from(packet)
    received = int.from_bytes(packet[16:20], "big")
    return max(abs(received - int(own)), abs(int(copied) - int(own))) < _DAY_S


class ReflectorSocket:
    """Receives, answers and counts on one address."""

    def __init__(self, host: str, port: int, *, stateful: bool, kernel_stamps: bool) -> None:
        self._sock = bind(host, port)
        family = self._sock.family
        self.address: tuple[str, int] = self._sock.getsockname()[:2]
        if kernel_stamps:
            enable_receive_stamps(self._sock)
        enable_drop_counter(self._sock)
        self._info = PacketInfo.enable(self._sock)
        self._stateful = stateful
        self._sessions = ReflectorSessions()
        self._counters = ReflectorCounters()
        self._estimate = 1
        self._key = _KEYS[family]
        self._ttl_level, self._ttl_kind = _TTL[family]
        self._batch = DatagramBatch(SLOTS, OCTETS, CONTROL)
        self._replies = ReplyBatch(self._batch, _NAME_SIZE[family], self._info.size if self._info else 0)
        self._data = self._batch.data.reshape(-1).data
        self._control = self._batch.control.reshape(-1).data
        self._names = self._batch.names.reshape(-1).data
        self._reply_control = self._replies.control.reshape(-1).data

    def fileno(self) -> int:
        """For epoll."""
        return self._sock.fileno()

    @property
    def counters(self) -> ReflectorCounters:
        """Counts up to now."""
        table = self._sessions
        return replace(
            self._counters,
            sessions=len(table),
            sessions_opened=table.opened,
            sessions_expired=table.expired,
            answered_stateless=table.refused,
        )

    def keep_house(self, error_estimate: int, now_ns: int) -> None:
        """Take over the clock's state and forget idle sessions."""
        self._estimate = error_estimate
        self._sessions.sweep(now_ns)

    def close(self) -> None:
        """Give the socket back."""
        self._sock.close()

    def answer_waiting(self) -> None:
        """Answer what is in the socket's buffer, up to a bound."""
        batch, fileno = self._batch, self._sock.fileno()
        for _ in range(ROUNDS):
            try:
                got = batch.receive(fileno)
            except OSError:  # an ICMP error for an earlier reply: says nothing about the packets behind it
                continue
            if not got:
                return
            self._counters.received += got
            wanted = self._answer(got)
            self._send(wanted)
            batch.clear(got)
            if got < SLOTS:
                return

    def _answer(self, got: int) -> list[int]:
        """Turn the requests of a batch into replies; the slots that hold one."""
        now = time.monotonic_ns()
        lengths = self._batch.lengths[:got].tolist()
        return [slot for slot, length in enumerate(lengths) if self._answer_one(slot, length, now)]

    def _answer_one(self, slot: int, length: int, now_ns: int) -> bool:
        data, at = self._data, slot * OCTETS
        if length < BASE:
            if length < TWAMP_SENDER_MIN:
                self._counters.too_short += 1
                return False
            data[at + length : at + BASE] = bytes(
                BASE - length
            )  # what the slot held before is not the sender's
            length = BASE  # RFC 8762 4.6: a shorter packet is answered with the base packet
        elif length > OCTETS:
            length = OCTETS
        sequence, t1, estimate, ssid, t2_seconds = _REQUEST.unpack_from(data, at)
        if not estimate & MULTIPLIER_MASK:
            self._counters.bad_multiplier += 1
            return False
        if t2_seconds and looks_like_reply(data[at : at + length]):
            self._counters.replies += 1
            return False
        t2, ttl, source = self._stamp_and_ttl(slot)
        session = self._session(slot, ssid, now_ns) if self._stateful else None
        number = sequence
        if session is not None:
            number = session.next_sequence
            session.next_sequence = number + 1 & MASK32
            session.seen_ns = now_ns
        if length >= PADDING_AT:
            self._answer_tlvs(at, length, source, session)
        seconds, rest = divmod(time.time_ns(), SECOND_NS)
        t3 = (seconds + NTP_EPOCH & MASK32) << 32 | (rest << 32) // SECOND_NS
        REFLECTOR.pack_into(
            data, at, number, t3, self._estimate, ssid, t2, sequence, t1, estimate, 0, ttl, 0, 0, 0
        )  # fmt: skip
        self._replies.lengths[slot] = length
        return True

    def _session(self, slot: int, ssid: int, now_ns: int) -> ReflectorSession | None:
        key = (*self._key.unpack_from(self._names, slot * SOCKADDR), ssid)
        return self._sessions.get(key) or self._sessions.open(key, now_ns)

    def _answer_tlvs(
        self, at: int, length: int, source: StampSource, session: ReflectorSession | None
    ) -> None:
        """Fill in our own TLV, and own up to knowing the padding behind it; others go back as they came."""
        data = self._data
        flags, kind, size = _TLV_START.unpack_from(data, at + BASE)
        if not flags & UNRECOGNISED:
            return
        if kind == FACTS and size == FACTS_VALUE:
            mode, instance = (Mode.STATELESS, 0) if session is None else (Mode.STATEFUL, session.instance)
            FACTS_TLV.pack_into(data, at + BASE, 0, FACTS, size, mode, source, StampSource.USER, 0, instance)
            if length >= PADDING_AT + _TLV_START.size and data[at + PADDING_AT + 1] == EXTRA_PADDING:
                data[at + PADDING_AT] &= ~UNRECOGNISED & 0xFF
        elif kind == EXTRA_PADDING:
            data[at + BASE] = flags & ~UNRECOGNISED

    def _stamp_and_ttl(self, slot: int) -> tuple[int, int, StampSource]:
        """T2 as NTP64, the TTL that the request came with (0 where unknown), and who took T2."""
        at = slot * CONTROL
        _, level, kind, seconds, ns, _, level2, kind2, ttl = _STAMP_AND_TTL.unpack_from(self._control, at)
        if (
            kind == SO_TIMESTAMPNS
            and kind2 == self._ttl_kind
            and level2 == self._ttl_level
            and level == socket.SOL_SOCKET
        ):
            t2 = (seconds + NTP_EPOCH & MASK32) << 32 | (ns << 32) // SECOND_NS
            return t2, ttl, StampSource.KERNEL
        return self._walk(slot)

    def _walk(self, slot: int) -> tuple[int, int, StampSource]:
        """The same when the kernel told more, or less, than usual."""
        at, size = slot * CONTROL, int(self._batch.control_lengths[slot])
        t2, ttl, source = 0, 0, StampSource.USER
        for level, kind, data in control_messages(self._control[at : at + min(size, CONTROL)]):
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, ns = TIMESPEC.unpack_from(data)
                t2, source = ntp64(seconds * SECOND_NS + ns), StampSource.KERNEL
            elif (level, kind) == (self._ttl_level, self._ttl_kind):
                (ttl,) = _INT.unpack_from(data)
            elif (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                (self._counters.rx_dropped,) = _INT.unpack_from(data)
            elif self._info is not None and self._info.matches(level, kind):
                self._info.answer_from(data, self._reply_control, slot)
        if source is StampSource.USER:
            self._counters.user_stamped += 1
            t2 = ntp64(time.time_ns())
        return t2, ttl, source

    def _send(self, slots: list[int]) -> None:
        """Send the replies, runs of neighbouring slots at once; one refused does not hold up the others."""
        fileno, index = self._sock.fileno(), 0
        while index < len(slots):
            first = slots[index]
            run = 1
            while index + run < len(slots) and slots[index + run] == first + run:
                run += 1
            went = self._replies.send(fileno, first, run)
            self._counters.answered += went
            if not went:
                self._counters.send_failed += 1
                went = 1
            index += went
