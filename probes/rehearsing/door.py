"""Who may rehearse with this headquarters, and how much: the part of the reflector that admits a session.

It is no amplifier. Nothing is answered that is not signed with an office's key; no answer is longer than its
question; a session begins only when the source has read a challenge that was sent to its address, and then has a
rate, a length and a day's budget. What it may send down is counted against the headquarters' stated capacity.

    office                     headquarters
    HELLO  nonce, wish   ──▶
                         ◀──   CHALLENGE  cookie = HMAC(secret, source, nonce, time)
    START  nonce, cookie ──▶   the cookie is right, young and was not used before: a session, on a socket of its own
                         ◀──   GRANT  token, rates, seconds      (or DENY, reason)
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from probes.rehearsing.bodies import (
    COOKIE,
    Granted,
    Wish,
    granted_body,
    read_wish,
    wish_body,
)
from probes.rehearsing.wire import Control, Kind, pack, peeked_ssid, unpack
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SECONDS: Final = 180
"""A session's length; a ladder of eight rungs of 7 s takes a third of it."""
COOKIE_NS: Final = 5 * SECOND_NS
DAY_OCTETS: Final = 1_000_000_000
"""What one office may have sent to it in a day, from the first session on."""
SESSIONS: Final = 2
"""Of one office at once: the one that it has, and the one that it thinks is dead."""
MOST_USED: Final = 10_000


class Reason(IntEnum):
    """Why a session was denied."""

    BUSY = 1
    """The capacity is in use."""
    BUDGET = 2
    """This office has had its day's share."""
    TOO_MUCH = 3
    """More than the whole capacity."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A session as it was admitted."""

    ssid: int
    key: bytes
    token: int
    up_bps: int
    down_bps: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Knock:
    """What became of a packet at the door: an answer, a session, or neither."""

    reply: bytes = b""
    admitted: Terms | None = None


@dataclass(slots=True)
class DoorCounters:
    """Counts since the start."""

    challenged: int = 0
    admitted: int = 0
    denied: int = 0
    turned_away: int = 0
    """Not signed by an office, a wrong, old or used cookie, or no knock at all."""


@dataclass(slots=True)
class _Given:
    """What is reserved for a running session."""

    ssid: int
    up_bps: int
    down_bps: int
    until_ns: int


@dataclass(slots=True)
class _Day:
    begun_ns: int
    octets: int


class Door:
    """Decides over every knock; pure but for its random numbers."""

    def __init__(self, capacity_bps: float) -> None:
        """`capacity_bps`: what all sessions together may have, each way."""
        self.capacity_bps = capacity_bps
        self.counters = DoorCounters()
        self._secret = secrets.token_bytes(32)
        self._used: dict[bytes, int] = {}
        self._given: dict[int, _Given] = {}
        self._days: dict[int, _Day] = {}

    def knock(self, data: bytes, source: bytes, keys: Mapping[int, bytes], now_ns: int) -> Knock:
        """A packet from a source (address and port as octets) at a time (monotonic, ns)."""
        ssid = peeked_ssid(data)
        key = None if ssid is None else keys.get(ssid)
        packet = None if key is None else unpack(key, data)
        if packet is None or key is None or packet.kind not in {Kind.HELLO, Kind.START}:
            self.counters.turned_away += 1
            return Knock()
        wish = read_wish(packet.body)
        if packet.kind is Kind.HELLO:
            self.counters.challenged += 1
            cookie = self._cookie(source, packet.ssid, wish.nonce, now_ns)
            said = wish._replace(cookie=cookie, challenged_ns=now_ns)
            return Knock(pack(key, _answer(Kind.CHALLENGE, packet, wish_body(said))))
        if not self._is_good(wish, source, packet.ssid, now_ns):
            self.counters.turned_away += 1
            return Knock()
        self._used[wish.cookie] = now_ns + 2 * COOKIE_NS
        return self._decide(packet, key, wish, now_ns)

    def release(self, token: int, octets_sent: int, now_ns: int) -> None:
        """A session has ended, and so much was sent to the office."""
        given = self._given.pop(token, None)
        if given is not None:
            self._day(given.ssid, now_ns).octets += octets_sent

    def _decide(self, packet: Control, key: bytes, wish: Wish, now_ns: int) -> Knock:
        self._forget(now_ns)
        reason = self._objection(packet.ssid, wish, now_ns)
        if reason is not None:
            self.counters.denied += 1
            return Knock(pack(key, _answer(Kind.DENY, packet, granted_body(Granted(0, 0, reason)))))
        seconds = min(wish.seconds, MOST_SECONDS)
        token = secrets.randbits(63) | 1
        self._given[token] = _Given(
            packet.ssid, wish.up_bps, wish.down_bps, now_ns + (seconds + 10) * SECOND_NS
        )
        self.counters.admitted += 1
        return Knock(admitted=Terms(packet.ssid, key, token, wish.up_bps, wish.down_bps, seconds))

    def _objection(self, ssid: int, wish: Wish, now_ns: int) -> Reason | None:
        if max(wish.up_bps, wish.down_bps) > self.capacity_bps:
            return Reason.TOO_MUCH
        others = [one for one in self._given.values() if one.ssid != ssid]  # its own dead one counts no more
        for wanted, given in (
            (wish.up_bps, sum(one.up_bps for one in others)),
            (wish.down_bps, sum(one.down_bps for one in others)),
        ):
            if given + wanted > self.capacity_bps:
                return Reason.BUSY
        if sum(one.ssid == ssid for one in self._given.values()) >= SESSIONS:
            return Reason.BUSY
        return Reason.BUDGET if self._day(ssid, now_ns).octets > DAY_OCTETS else None

    def _day(self, ssid: int, now_ns: int) -> _Day:
        day = self._days.get(ssid)
        if day is None or now_ns - day.begun_ns > DAY_NS:
            day = self._days[ssid] = _Day(now_ns, 0)
        return day

    def _is_good(self, wish: Wish, source: bytes, ssid: int, now_ns: int) -> bool:
        if not 0 <= now_ns - wish.challenged_ns <= COOKIE_NS or wish.cookie in self._used:
            return False
        right = self._cookie(source, ssid, wish.nonce, wish.challenged_ns)
        return hmac.compare_digest(right, wish.cookie)

    def _cookie(self, source: bytes, ssid: int, nonce: bytes, at_ns: int) -> bytes:
        said = b"".join((len(source).to_bytes(2), source, ssid.to_bytes(2), nonce, at_ns.to_bytes(8)))
        return hmac.digest(self._secret, said, "sha256")[:COOKIE]

    def _forget(self, now_ns: int) -> None:
        """What has run out. A session that nobody released counts until its end."""
        self._given = {token: one for token, one in self._given.items() if one.until_ns > now_ns}
        if len(self._used) > MOST_USED:
            self._used = {cookie: until for cookie, until in self._used.items() if until > now_ns}


def _answer(kind: Kind, packet: Control, body: bytes) -> Control:
    return Control(kind, packet.step, packet.ssid, 0, time.time_ns(), packet.number, body)
