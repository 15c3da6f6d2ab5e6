"""The door: nobody is answered who does not hold a key, nobody gets more than was asked for, or more than there is."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from probes.rehearsing.bodies import Wish, read_granted, read_wish, wish_body
from probes.rehearsing.door import COOKIE_NS, DAY_OCTETS, Door, Reason
from probes.rehearsing.wire import CONTROL, Control, Kind, pack, unpack
from telemetry.windows import SECOND_NS

KEY, SSID = b"k" * 32, 7
KEYS = {SSID: KEY, 8: b"m" * 32, 9: b"n" * 32}
HERE, ELSEWHERE = b"here", b"elsewhere"
NOW = 10**15


def knock(kind: Kind, wish: Wish, ssid: int = SSID, key: bytes = b"") -> bytes:
    return pack(key or KEYS[ssid], Control(kind, 0, ssid, 0, 1, 1, wish_body(wish)))


def wish(bps: int = 1_000_000, **more: Any) -> Wish:
    return Wish(b"n" * 16, bytes(16), 0, bps, bps, 40)._replace(**more)


def challenged(door: Door, ssid: int = SSID, bps: int = 1_000_000) -> Wish:
    """The wish with the cookie in it."""
    asking = wish(bps, nonce=secrets.token_bytes(16))
    reply = door.knock(knock(Kind.HELLO, asking, ssid), HERE, KEYS, NOW).reply
    answer = unpack(KEYS[ssid], reply)
    assert answer is not None
    assert answer.kind is Kind.CHALLENGE
    return read_wish(answer.body)


def denied(door: Door, wanted: Wish, ssid: int = SSID) -> Reason:
    answer = unpack(KEYS[ssid], door.knock(knock(Kind.START, wanted, ssid), HERE, KEYS, NOW).reply)
    assert answer is not None
    assert answer.kind is Kind.DENY
    return Reason(read_granted(answer.body).seconds)


def test_the_right_way_in() -> None:
    """Challenged at its address, an office gets what it asked for, and no answer is longer than its question."""
    door = Door(10e6)
    assert len(door.knock(knock(Kind.HELLO, wish()), HERE, KEYS, NOW).reply) == CONTROL
    admitted = door.knock(knock(Kind.START, challenged(door)), HERE, KEYS, NOW + SECOND_NS).admitted
    assert admitted is not None
    assert (admitted.up_bps, admitted.down_bps, admitted.seconds) == (1_000_000, 1_000_000, 40)


@pytest.mark.parametrize(
    "how", ["forged", "unknown", "short", "data", "elsewhere", "late", "changed", "guessed"]
)
def test_all_others_get_nothing_at_all(how: str) -> None:
    """Neither an answer nor a session."""
    door = Door(10e6)
    good = challenged(door)
    changed = good._replace(down_bps=9_000_000, cookie=bytes(16))
    data = {
        "forged": knock(Kind.START, good, key=b"x" * 32),
        "unknown": knock(Kind.START, good, key=KEY)[:14] + b"\x00\x63" + knock(Kind.START, good)[16:],
        "short": knock(Kind.START, good)[:-1],
        "data": knock(Kind.DATA, good),
        "changed": knock(Kind.START, changed),
        "guessed": knock(Kind.START, wish(challenged_ns=NOW)),
    }.get(how, knock(Kind.START, good))
    source = ELSEWHERE if how == "elsewhere" else HERE
    found = door.knock(data, source, KEYS, NOW + (COOKIE_NS + 1 if how == "late" else 0))
    assert (found.reply, found.admitted) == (b"", None)
    assert door.counters.turned_away == 1


def test_a_cookie_is_good_once() -> None:
    """A recorded START sent again begins no second session."""
    door = Door(10e6)
    data = knock(Kind.START, challenged(door))
    assert door.knock(data, HERE, KEYS, NOW).admitted is not None
    assert door.knock(data, HERE, KEYS, NOW).admitted is None


def test_all_together_stay_below_the_capacity() -> None:
    """The third does not fit; when one is over, it does."""
    door = Door(2.5e6)
    first = door.knock(knock(Kind.START, challenged(door)), HERE, KEYS, NOW).admitted
    assert first is not None
    assert door.knock(knock(Kind.START, challenged(door, 8), 8), HERE, KEYS, NOW).admitted is not None
    assert denied(door, challenged(door, 9), 9) is Reason.BUSY
    door.release(first.token, 1000, NOW)
    assert door.knock(knock(Kind.START, challenged(door, 9), 9), HERE, KEYS, NOW).admitted is not None
    assert denied(door, challenged(door, bps=3_000_000)) is Reason.TOO_MUCH


def test_a_day_has_a_budget() -> None:
    """An office that has had its share waits for the next day."""
    door = Door(10e6)
    first = door.knock(knock(Kind.START, challenged(door)), HERE, KEYS, NOW).admitted
    assert first is not None
    door.release(first.token, DAY_OCTETS + 1, NOW)
    assert denied(door, challenged(door)) is Reason.BUDGET
