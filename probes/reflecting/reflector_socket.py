"""One bound address of the reflector: receive a batch, turn each request into its reply in place, send the batch.

What the kernel tells of a request is read in `reflector_batch`, T3 and the sending are in `reflector_departures`, TLVs in
`reflector_tlvs`, rehearsals in `reflector_knocks`.
"""

from __future__ import annotations

import struct
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from probes.kernel.datagram_batch import SOCKADDR
from probes.kernel.kernel_stamps import enable_drop_counter, enable_receive_stamps
from probes.reflecting.bounced import looks_like_reply
from probes.reflecting.reflector_batch import OCTETS, SLOTS, RequestBatch
from probes.reflecting.reflector_bind import bind
from probes.reflecting.reflector_counters import ReflectorCounters
from probes.reflecting.reflector_departures import Departures
from probes.reflecting.reflector_knocks import Knocks
from probes.reflecting.reflector_sessions import ReflectorSessions
from probes.reflecting.reflector_tlvs import Asked, TlvAnswers
from probes.reflecting.source_guard import Gate, SourceGuard
from probes.stamp.packets import BASE, MULTIPLIER_MASK, PTP_FLAG, REFLECTOR, TWAMP_SENDER_MIN
from probes.stamp.stamp_auth import BASE as SIGNED_BASE
from probes.stamp.stamp_auth import REFLECTOR as SIGNED_REFLECTOR
from probes.stamp.stamp_auth import SENDER as SIGNED_SENDER
from probes.stamp.stamp_auth import SIGNED, is_authentic, truncated_mac
from probes.stamp.timestamps import MASK32, NTP_EPOCH, SECOND_NS, TAI_UTC_SECONDS

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from probes.reflecting.reflector_policy import ReflectorPolicy
    from probes.reflecting.reflector_sessions import ReflectorSession
    from probes.rehearsing.reception import Reception

ROUNDS: Final = 16
"""Batches per wake-up, so that one busy address does not starve the others."""

_REQUEST: Final = struct.Struct("!IQHHI")
"""Sequence, T1, error estimate, SSID, and the four octets that hold T2's seconds in a reply."""
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
        sock = self._sock = bind(host, port)
        self.address: tuple[str, int] = sock.getsockname()[:2]
        if kernel_stamps:
            enable_receive_stamps(sock)
        enable_drop_counter(sock)
        self._stateful = stateful
        self._sessions = ReflectorSessions()
        counters = self._counters = ReflectorCounters()
        self._estimate = 1
        self._keys = dict(policy.keys)
        self._signed_only = policy.authenticated_only
        self._guard = SourceGuard(sock.family, policy)
        field = ptp_field if policy.ptp else ntp_field
        self._format = PTP_FLAG if policy.ptp else 0
        batch = self._batch = RequestBatch(sock, field, counters)
        self._requests, self._data, self._names = batch.requests, batch.data, batch.names
        self._departures = Departures(sock, batch, field, counters)
        self._tlvs = TlvAnswers(batch, self.address[1], self._departures.marked, counters)
        self._knocks = None if reception is None else Knocks(reception, batch, counters)

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
        self._tlvs.synchronised = bool(error_estimate & 0x8000)
        self._sessions.sweep(now_ns)

    def close(self) -> None:
        """Give the socket back."""
        self._sock.close()

    def answer_waiting(self) -> None:
        """Answer what is in the socket's buffer, up to a bound."""
        requests, departures, fileno = self._requests, self._departures, self._sock.fileno()
        for _ in range(ROUNDS):
            try:
                got = requests.receive(fileno)
            except OSError:  # an ICMP error for an earlier reply: says nothing about the packets behind it
                continue
            if not got:
                departures.calm()
                return
            self._counters.received += got
            if got == 1 and departures.lag.is_due(now := time.monotonic_ns()):
                self._answer_observed(now)
            else:
                departures.send(self._answer(got))
            requests.clear(got)
            if self._knocks is not None:
                self._knocks.open_sessions(self._sock, self._answer_strays)
            if got < SLOTS:
                return

    def _answer_observed(self, now_ns: int) -> None:
        """Answer the one request of the batch, and learn from the kernel when the reply left."""
        self._departures.observe(now_ns)
        self._departures.send(self._answer(1))
        self._departures.learn()

    def _answer(self, got: int) -> list[int]:
        """Turn the requests of a batch into replies; the slots that hold one."""
        now = time.monotonic_ns()
        lengths = self._requests.lengths[:got].tolist()
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
        self._batch.replies.lengths[slot] = length
        if self._keys and length >= SIGNED_BASE and data[at + 4 : at + 16] == _UNDATED:
            return self._answer_signed(slot, at, length, now_ns)
        if self._signed_only:
            if self._knocks is not None and self._knocks.is_one(at, length):
                return self._knocks.answer(slot, at, length, self._keys)
            self._counters.unsigned += 1
            return False
        return self._answer_plain(slot, at, length, now_ns)

    def _answer_strays(self, sock: socket.socket, asked: bytes) -> None:
        """What came to a new socket before it knew its peer was meant for ours: answer it from the same address."""
        batch = self._batch
        got = batch.requests.receive(sock.fileno())
        if batch.info is not None:
            for slot in range(got):
                batch.info.answer_from(batch.info.as_asked(asked), batch.reply_control, slot)
        self._counters.received += got
        self._departures.send(self._answer(got))
        batch.requests.clear(got)

    def _turned_away(self, gate: Gate) -> None:
        if gate is Gate.NOT_ALLOWED:
            self._counters.not_allowed += 1
        else:
            self._counters.limited += 1

    def _answer_plain(self, slot: int, at: int, length: int, now_ns: int) -> bool:
        data = self._data
        sequence, t1, estimate, ssid, t2_seconds = _REQUEST.unpack_from(data, at)
        if not estimate & MULTIPLIER_MASK:
            if self._knocks is not None and self._knocks.is_one(at, length):
                return self._knocks.answer(slot, at, length, self._keys)
            self._counters.bad_multiplier += 1
            return False
        if t2_seconds and looks_like_reply(data[at : at + length]):
            self._counters.replies += 1
            return False
        t2, ttl, source = self._batch.stamp_and_ttl(slot)
        session = self._session(slot, ssid, now_ns) if self._stateful else None
        number = sequence if session is None else _numbered(session, now_ns)
        if length > BASE and not self._tlvs.answer_usual(slot, length, source, session):
            self._departures.date()  # a TLV may ask for T3 of the reply before this one
            asked = Asked(slot, sequence, number, source, session, self._keys.get(ssid))
            self._tlvs.answer(asked, at + BASE, at + length)
        REFLECTOR.pack_into(
            data, at, number, 0, self._estimate, ssid, t2, sequence, t1, estimate, 0, ttl, 0, 0, 0
        )  # fmt: skip
        self._departures.undated.append((at, number, session))
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
        t2, ttl, source = self._batch.stamp_and_ttl(slot)
        session = self._session(slot, ssid, now_ns) if self._stateful else None
        number = sequence if session is None else _numbered(session, now_ns)
        if length > SIGNED_BASE:
            asked = Asked(slot, sequence, number, source, session, key, signed=True)
            self._tlvs.answer(asked, at + SIGNED_BASE, at + length)
        t3 = self._departures.signed_t3()
        SIGNED_REFLECTOR.pack_into(
            data, at, number, t3, self._estimate, ssid, t2, sequence, t1, estimate, ttl
        )
        data[at + SIGNED : at + SIGNED_BASE] = truncated_mac(key, data[at : at + SIGNED])
        if session is not None:
            session.previous = number, t3
        return True

    def _session(self, slot: int, ssid: int, now_ns: int) -> ReflectorSession | None:
        key = (*self._batch.session_key(slot), ssid)
        return self._sessions.get(key) or self._sessions.open(key, now_ns)


def _numbered(session: ReflectorSession, now_ns: int) -> int:
    """The session's next number, which is thereby used."""
    number = session.next_sequence
    session.next_sequence = number + 1 & MASK32
    session.answered += 1
    session.seen_ns = now_ns
    return number
