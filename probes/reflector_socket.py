"""One bound address of the reflector: receive a batch, turn each request into its reply in place, send the batch."""

from __future__ import annotations

import socket
import struct
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from probes.bounced import looks_like_reply
from probes.datagram_batch import SOCKADDR, DatagramBatch, ReplyBatch
from probes.kernel_stamps import (
    SO_RXQ_OVFL,
    SO_TIMESTAMPNS,
    TIMESPEC,
    control_messages,
    enable_drop_counter,
    enable_receive_stamps,
    tos_of,
)
from probes.packet_info import PacketInfo
from probes.reflector_bind import bind
from probes.reflector_counters import ReflectorCounters
from probes.reflector_sessions import ReflectorSessions
from probes.rehearsing.reception import Admitted
from probes.rehearsing.wire import is_ours
from probes.source_guard import Gate, SourceGuard
from probes.stamp import BASE, MULTIPLIER_MASK, PTP_FLAG, REFLECTOR, TWAMP_SENDER_MIN
from probes.stamp_auth import BASE as SIGNED_BASE
from probes.stamp_auth import REFLECTOR as SIGNED_REFLECTOR
from probes.stamp_auth import SENDER as SIGNED_SENDER
from probes.stamp_auth import SIGNED, is_authentic, truncated_mac
from probes.stamp_tlv import (
    CLASS_OF_SERVICE,
    EXTRA_PADDING,
    FACTS,
    FACTS_TLV,
    FACTS_VALUE,
    PADDING_AT,
    SERVICE_TLV,
    SERVICE_VALUE,
    UNRECOGNISED,
    Mode,
)
from probes.timestamps import MASK32, NTP_EPOCH, SECOND_NS, TAI_UTC_SECONDS
from probes.tlv_answers import Seen, answer, class_of_service
from telemetry.messages import StampSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from probes.reflector_policy import ReflectorPolicy
    from probes.reflector_sessions import ReflectorSession
    from probes.rehearsing.reception import Reception

SLOTS: Final = 16
"""Datagrams per batch. All replies of a batch carry a T3 taken just before they are sent together, so a larger
batch would make the later ones' T3 early."""
ROUNDS: Final = 16
"""Batches per wake-up, so that one busy address does not starve the others."""
OCTETS: Final = 9216
"""Room for a jumbo frame; what does not fit is cut, and answered as far as it came."""
CONTROL: Final = 192

_REQUEST: Final = struct.Struct("!IQHHI")
"""Sequence, T1, error estimate, SSID, and the four octets that hold T2's seconds in a reply."""
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
_TOS: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TOS),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
}
_ADDRESS: Final = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}
_PORT: Final = struct.Struct("!H")
_UNDATED: Final = bytes(12)
"""Where an unsigned packet has its time stamp, a signed one has zeros."""
_SIGNED_T2: Final = slice(32, 40)


def ntp_field(seconds: int, ns: int) -> int:
    """Unix time as NTP64."""
    return (seconds + NTP_EPOCH & MASK32) << 32 | (ns << 32) // SECOND_NS


def ptp_field(seconds: int, ns: int) -> int:
    """Unix time as truncated PTP, which counts in TAI."""
    return (seconds + TAI_UTC_SECONDS & MASK32) << 32 | ns


class ReflectorSocket:
    """Receives, answers and counts on one address."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        host: str,
        port: int,
        *,
        stateful: bool,
        kernel_stamps: bool,
        policy: ReflectorPolicy,
        reception: Reception | None = None,
    ) -> None:
        self._sock = bind(host, port)
        self._reception = reception
        self._admitted: list[Admitted] = []
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
        self._synchronised = False
        self._key = _KEYS[family]
        self._ttl_level, self._ttl_kind = _TTL[family]
        self._tos = _TOS[family]
        self._address = _ADDRESS[family]
        self._keys = dict(policy.keys)
        self._signed_only = policy.authenticated_only
        self._guard = SourceGuard(family, policy)
        self._field = ptp_field if policy.ptp else ntp_field
        self._format = PTP_FLAG if policy.ptp else 0
        self._marked: dict[int, int] = {}
        """Slots of the batch whose reply leaves with a DSCP of the sender's choice."""
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

    def set_keys(self, keys: Mapping[int, bytes]) -> None:
        """Know these offices from now on."""
        self._keys = dict(keys)

    def keep_house(self, error_estimate: int, now_ns: int) -> None:
        """Take over the clock's state and forget idle sessions."""
        self._estimate = error_estimate | self._format
        self._synchronised = bool(error_estimate & 0x8000)
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
            if self._admitted and self._reception is not None:
                self._open_sessions(self._reception)
            if got < SLOTS:
                return

    def _answer(self, got: int) -> list[int]:
        """Turn the requests of a batch into replies; the slots that hold one."""
        now = time.monotonic_ns()
        lengths = self._batch.lengths[:got].tolist()
        return [slot for slot, length in enumerate(lengths) if self._answer_one(slot, length, now)]

    def _answer_one(self, slot: int, length: int, now_ns: int) -> bool:
        data, at = self._data, slot * OCTETS
        if length < TWAMP_SENDER_MIN:
            self._counters.too_short += 1
            return False
        gate = self._guard.look(self._names, slot * SOCKADDR, now_ns, short=length < BASE)
        if gate is not Gate.OPEN:
            self._turned_away(gate)
            return False
        if length < BASE:
            data[at + length : at + BASE] = bytes(
                BASE - length
            )  # what the slot held before is not the sender's
            length = BASE  # RFC 8762 4.6: a shorter packet is answered with the base packet
        elif length > OCTETS:
            length = OCTETS
        self._replies.lengths[slot] = length
        if self._keys and length >= SIGNED_BASE and data[at + 4 : at + 16] == _UNDATED:
            return self._answer_signed(slot, at, length, now_ns)
        if self._signed_only:
            if self._reception is not None and is_ours(data[at : at + length]):
                return self._answer_knock(slot, at, length, self._reception)
            self._counters.unsigned += 1
            return False
        return self._answer_plain(slot, at, length, now_ns)

    def _answer_knock(self, slot: int, at: int, length: int, reception: Reception) -> bool:
        """A packet of a rehearsal: an answer no longer than itself, or a session on a socket of its own."""
        name = slot * SOCKADDR
        source = bytes(self._names[name + 2 : name + 4]) + bytes(
            self._names[name + self._address.start : name + self._address.stop]
        )
        reply, admitted = reception.knock(bytes(self._data[at : at + length]), source, self._keys)
        if admitted is not None:
            self._admitted.append(Admitted(admitted, self._whence(slot), self._as_received(slot)[1]))
        if not 0 < len(reply) <= length:
            self._counters.knocks += 1
            return False
        self._data[at : at + len(reply)] = reply
        self._replies.lengths[slot] = len(reply)
        return True

    def _open_sessions(self, reception: Reception) -> None:
        """Give each rehearsal that was admitted in this batch its socket."""
        while self._admitted:
            one = self._admitted.pop()
            try:
                with reception.socket_for(one, self._sock) as sock:
                    self._answer_strays(sock, one.asked)
                    reception.hand_over(one, sock)
            except OSError:
                self._counters.send_failed += 1
                reception.give_up(one)

    def _answer_strays(self, sock: socket.socket, asked: bytes) -> None:
        """What came to a new socket before it knew its peer was meant for ours: answer it from the same address."""
        batch = self._batch
        got = batch.receive(sock.fileno())
        if self._info is not None:
            for slot in range(got):
                self._info.answer_from(self._info.as_asked(asked), self._reply_control, slot)
        self._counters.received += got
        self._send(self._answer(got))
        batch.clear(got)

    def _turned_away(self, gate: Gate) -> None:
        if gate is Gate.NOT_ALLOWED:
            self._counters.not_allowed += 1
        else:
            self._counters.limited += 1

    def _answer_plain(self, slot: int, at: int, length: int, now_ns: int) -> bool:
        data = self._data
        sequence, t1, estimate, ssid, t2_seconds = _REQUEST.unpack_from(data, at)
        if not estimate & MULTIPLIER_MASK:
            if self._reception is not None and is_ours(data[at : at + length]):
                return self._answer_knock(slot, at, length, self._reception)
            self._counters.bad_multiplier += 1
            return False
        if t2_seconds and looks_like_reply(data[at : at + length]):
            self._counters.replies += 1
            return False
        t2, ttl, source = self._stamp_and_ttl(slot)
        session = self._session(slot, ssid, now_ns) if self._stateful else None
        number = sequence if session is None else _numbered(session, now_ns)
        if length > BASE and not self._answer_usual_tlvs(slot, length, source, session):
            key = self._keys.get(ssid)
            self._answer_tlvs(slot, (at + BASE, at + length), (sequence, number), source, session, key)
        seconds, rest = divmod(time.time_ns(), SECOND_NS)
        t3 = self._field(seconds, rest)
        REFLECTOR.pack_into(
            data, at, number, t3, self._estimate, ssid, t2, sequence, t1, estimate, 0, ttl, 0, 0, 0
        )  # fmt: skip
        if session is not None:
            session.previous = number, t3
        return True

    def _answer_signed(self, slot: int, at: int, length: int, now_ns: int) -> bool:
        """The authenticated mode: nothing is believed, and nothing kept, before the HMAC is seen to be right."""
        data = self._data
        sequence, t1, estimate, ssid = SIGNED_SENDER.unpack_from(data, at)
        key = self._keys.get(ssid)
        if key is None:
            self._counters.unknown_office += 1
            return False
        if not is_authentic(key, data[at : at + SIGNED_BASE]):
            self._counters.not_authentic += 1
            return False
        if not estimate & MULTIPLIER_MASK:
            self._counters.bad_multiplier += 1
            return False
        if any(data[at + _SIGNED_T2.start : at + _SIGNED_T2.stop]):  # zero in a request, and signed to be so
            self._counters.replies += 1
            return False
        t2, ttl, source = self._stamp_and_ttl(slot)
        session = self._session(slot, ssid, now_ns) if self._stateful else None
        number = sequence if session is None else _numbered(session, now_ns)
        if length > SIGNED_BASE:
            place = at + SIGNED_BASE, at + length
            self._answer_tlvs(slot, place, (sequence, number), source, session, key, signed=True)
        seconds, rest = divmod(time.time_ns(), SECOND_NS)
        t3 = self._field(seconds, rest)
        SIGNED_REFLECTOR.pack_into(
            data, at, number, t3, self._estimate, ssid, t2, sequence, t1, estimate, ttl
        )
        data[at + SIGNED : at + SIGNED_BASE] = truncated_mac(key, data[at : at + SIGNED])
        if session is not None:
            session.previous = number, t3
        return True

    def _session(self, slot: int, ssid: int, now_ns: int) -> ReflectorSession | None:
        key = (*self._key.unpack_from(self._names, slot * SOCKADDR), ssid)
        return self._sessions.get(key) or self._sessions.open(key, now_ns)

    def _answer_usual_tlvs(
        self, slot: int, length: int, source: StampSource, session: ReflectorSession | None
    ) -> bool:
        """The TLVs of our own probes, facts, perhaps Class of Service, and then padding to the end: nearly all packets have just these."""
        data, at = self._data, slot * OCTETS
        if length < PADDING_AT + _TLV_START.size:
            return False
        flags, kind, size = _TLV_START.unpack_from(data, at + BASE)
        padding_at = PADDING_AT
        flags2, kind2, padding = _TLV_START.unpack_from(data, at + padding_at)
        served = kind2 == CLASS_OF_SERVICE and padding == SERVICE_VALUE
        if served and length >= padding_at + SERVICE_TLV.size + _TLV_START.size:
            flags &= flags2
            padding_at += SERVICE_TLV.size
            flags2, kind2, padding = _TLV_START.unpack_from(data, at + padding_at)
        if (
            kind != FACTS
            or size != FACTS_VALUE
            or kind2 != EXTRA_PADDING
            or not flags & flags2 & UNRECOGNISED
        ):
            return False
        if padding_at + _TLV_START.size + padding != length:
            return False
        mode, instance = (Mode.STATELESS, 0) if session is None else (Mode.STATEFUL, session.instance)
        FACTS_TLV.pack_into(data, at + BASE, 0, FACTS, size, mode, source, StampSource.USER, 0, instance)
        data[at + padding_at] = flags2 & ~UNRECOGNISED
        if served:
            self._serve(slot, at + PADDING_AT)
        return True

    def _serve(self, slot: int, at: int) -> None:
        """Answer the Class of Service TLV that stands at `at`, and mark the reply as it asks."""
        begin = slot * CONTROL
        told = min(int(self._batch.control_lengths[slot]), CONTROL)
        tos = tos_of(self._control[begin : begin + told])
        value = self._data[at + _TLV_START.size : at + SERVICE_TLV.size]
        if tos is None or not class_of_service(value, tos):
            return
        self._data[at] &= ~UNRECOGNISED & 0xFF
        if value[0] >> 2:
            self._marked[slot] = value[0] >> 2 << 2

    def _answer_tlvs(  # noqa: PLR0913, PLR0917 - what a request is, and what is known of it
        self,
        slot: int,
        place: tuple[int, int],
        numbers: tuple[int, int],
        source: StampSource,
        session: ReflectorSession | None,
        key: bytes | None,
        *,
        signed: bool = False,
    ) -> None:
        """Answer TLVs at `place` in the batch's memory; `numbers`: the request's, the reply's."""
        tos, asked = self._as_received(slot)
        name = slot * SOCKADDR
        (port,) = _PORT.unpack_from(self._names, name + 2)
        said = answer(
            self._data[place[0] : place[1]],
            Seen(
                sequence=numbers[0],
                number=numbers[1],
                source=(bytes(self._names[name + self._address.start : name + self._address.stop]), port),
                destination=(asked, self.address[1]),
                tos=tos,
                synchronised=self._synchronised,
                t2_by=source,
                t3_by=StampSource.USER,
                instance=0 if session is None else session.instance,
                count=None if session is None else session.answered,
                previous=None if session is None else session.previous,
                key=key,
                signed=signed,
            ),
        )
        if not said.intact:
            self._counters.tlvs_not_intact += 1
        if said.dscp:
            self._marked[slot] = said.dscp << 2

    def _as_received(self, slot: int) -> tuple[int | None, bytes]:
        """DSCP and ECN of a request (None: the kernel did not tell), and the packed address that it was sent to."""
        at, size = slot * CONTROL, int(self._batch.control_lengths[slot])
        tos, asked = None, socket.inet_pton(self._sock.family, self.address[0].partition("%")[0])
        for level, kind, data in control_messages(self._control[at : at + min(size, CONTROL)]):
            if (level, kind) == self._tos:
                tos = data[0] if len(data) == 1 else int.from_bytes(data[:4], sys.byteorder)
            elif self._info is not None and self._info.matches(level, kind):
                asked = self._info.asked_address(data)
        return tos, asked

    def _stamp_and_ttl(self, slot: int) -> tuple[int, int, StampSource]:
        """T2 as it stands on the wire, the TTL that the request came with (0 where unknown), and who took T2."""
        at = slot * CONTROL
        _, level, kind, seconds, ns, _, level2, kind2, ttl = _STAMP_AND_TTL.unpack_from(self._control, at)
        if (
            kind == SO_TIMESTAMPNS
            and kind2 == self._ttl_kind
            and level2 == self._ttl_level
            and level == socket.SOL_SOCKET
        ):
            return self._field(seconds, ns), ttl, StampSource.KERNEL
        return self._walk(slot)

    def _walk(self, slot: int) -> tuple[int, int, StampSource]:
        """The same when the kernel told more, or less, than usual."""
        at, size = slot * CONTROL, int(self._batch.control_lengths[slot])
        t2, ttl, source = 0, 0, StampSource.USER
        for level, kind, data in control_messages(self._control[at : at + min(size, CONTROL)]):
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, ns = TIMESPEC.unpack_from(data)
                t2, source = self._field(seconds, ns), StampSource.KERNEL
            elif (level, kind) == (self._ttl_level, self._ttl_kind):
                (ttl,) = _INT.unpack_from(data)
            elif (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                (self._counters.rx_dropped,) = _INT.unpack_from(data)
            elif self._info is not None and self._info.matches(level, kind):
                self._info.answer_from(data, self._reply_control, slot)
        if source is StampSource.USER:
            self._counters.user_stamped += 1
            t2 = self._field(*divmod(time.time_ns(), SECOND_NS))
        return t2, ttl, source

    def _send(self, slots: list[int]) -> None:
        """Send the replies, runs of neighbouring slots at once; one refused does not hold up the others."""
        if self._marked:
            slots = [slot for slot in slots if not self._sent_marked(slot)]
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

    def _sent_marked(self, slot: int) -> bool:
        """Send a reply with the DSCP that its sender asked for; False when it asked for none."""
        tos = self._marked.pop(slot, None)
        if tos is None:
            return False
        level, kind = self._tos
        beside = [(level, kind, struct.pack("=i", tos))]
        if self._info is not None:
            size = self._info.size
            beside += control_messages(self._reply_control[slot * size : (slot + 1) * size])
        at = slot * OCTETS
        try:
            reply = self._data[at : at + int(self._replies.lengths[slot])]
            self._sock.sendmsg([reply], beside, socket.MSG_DONTWAIT, self._whence(slot))
            self._counters.answered += 1
        except OSError:
            self._counters.send_failed += 1
        return True

    def _whence(self, slot: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """Where a request came from, as sockets take it."""
        name = self._names[slot * SOCKADDR : (slot + 1) * SOCKADDR]
        (port,) = _PORT.unpack_from(name, 2)
        host = socket.inet_ntop(self._sock.family, name[self._address])
        if self._sock.family == socket.AF_INET:
            return host, port
        return host, port, 0, int.from_bytes(name[24:28], sys.byteorder)


def _numbered(session: ReflectorSession, now_ns: int) -> int:
    """The session's next number, which is thereby used."""
    number = session.next_sequence
    session.next_sequence = number + 1 & MASK32
    session.answered += 1
    session.seen_ns = now_ns
    return number
