"""The embedded broker's sessions: bounded, in order, and honest about what they could not keep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collector.broker.embedded.limits import Account, Limits
from collector.broker.embedded.packets import Publish, Wish
from collector.broker.embedded.properties import Property
from collector.broker.embedded.reasons import Reason
from collector.broker.embedded.router import Router

if TYPE_CHECKING:
    from collector.broker.embedded.session import Session


class Line:
    """A connection that writes down what it was sent."""

    def __init__(self, *, writable: bool = True, takes: int = 10**9) -> None:
        self.is_writable = writable
        self.takes = takes
        self.sent: list[Publish] = []

    def send_publish(self, message: Publish) -> bool:
        if len(message.payload) > self.takes:
            return False
        self.sent.append(message)
        return True

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.sent]


class Rig:
    """A router with one subscriber."""

    def __init__(self, limits: Limits | None = None, *, expiry_s: int = 60, qos: int = 1) -> None:
        self.account = Account()
        self.router = Router(limits or Limits(), self.account)
        self.reader = self.join("reader", expiry_s)
        self.router.subscribe(self.reader, Wish("t/#", qos))

    def join(self, name: str, expiry_s: int = 60) -> Session:
        taken = self.router.session(name, clean=True)
        assert taken is not None
        taken[0].expiry_s = expiry_s
        return taken[0]

    def say(self, payload: bytes, qos: int = 1, now_s: float = 0.0, **more: object) -> Reason:
        return self.router.publish(Publish("t/x", payload, qos, **more), "writer", now_s)  # type: ignore[arg-type]


def test_a_full_queue_refuses_rather_than_forgets() -> None:
    """The publisher is told that it was not taken, so that it still has it: nothing acknowledged is lost."""
    rig = Rig(Limits(session_messages=3))
    assert [rig.say(b"%d" % i) for i in range(5)] == [Reason.SUCCESS] * 3 + [Reason.QUOTA_EXCEEDED] * 2
    assert (rig.account.refused, rig.account.dropped) == (2, 2)
    line = Line()
    rig.reader.resume(line, 0.0)
    assert line.payloads() == [b"0", b"1", b"2"]


@pytest.mark.parametrize("limits", [Limits(session_bytes=2000), Limits(total_bytes=2000)])
def test_bytes_are_bounded_per_session_and_in_all(limits: Limits) -> None:
    """A few large messages fill a queue as well; what was delivered makes room."""
    rig = Rig(limits)
    assert [rig.say(b"x" * 700) for _ in range(3)] == [Reason.SUCCESS, Reason.SUCCESS, Reason.QUOTA_EXCEEDED]
    line = Line()
    rig.reader.resume(line, 0.0)
    for message in line.sent:
        rig.reader.acknowledged(message.mid, 0.0)
    assert (rig.account.waiting_bytes, rig.reader.bytes_held) == (0, 0)
    assert rig.say(b"x" * 700) is Reason.SUCCESS


def test_qos_0_is_dropped_and_counted_when_the_reader_is_slow() -> None:
    """Nobody has a claim on it, but everybody may see how many there were."""
    rig = Rig(Limits(session_messages=2), qos=0)
    rig.reader.resume(Line(writable=False), 0.0)
    assert [rig.say(b"x", qos=0) for _ in range(5)] == [Reason.SUCCESS] * 5
    assert rig.account.dropped == 3


def test_qos_0_does_not_wait_for_who_is_away() -> None:
    """It is not even counted as dropped: it was never promised."""
    rig = Rig()
    rig.say(b"x", qos=0)
    assert (len(rig.reader.waiting), rig.account.dropped) == (0, 0)


def test_the_client_s_window_is_kept() -> None:
    """No more than Receive Maximum unacknowledged (MQTT 5, 4.9), whatever waits."""
    rig = Rig()
    rig.reader.receive_maximum = 3
    line = Line()
    rig.reader.resume(line, 0.0)
    for i in range(10):
        rig.say(b"%d" % i)
    assert line.payloads() == [b"0", b"1", b"2"]
    rig.reader.acknowledged(line.sent[1].mid, 0.0)
    assert line.payloads() == [b"0", b"1", b"2", b"3"]
    rig.reader.acknowledged(999, 0.0)
    assert len(line.sent) == 4


def test_what_was_not_acknowledged_comes_again_first_and_marked() -> None:
    """With the same packet identifiers, in the same order, as duplicates; then the rest."""
    rig = Rig()
    rig.reader.receive_maximum = 3
    first = Line()
    rig.reader.resume(first, 0.0)
    for i in range(5):
        rig.say(b"%d" % i)
    rig.reader.acknowledged(first.sent[0].mid, 0.0)
    rig.reader.detach(0.0)
    second = Line()
    rig.reader.resume(second, 0.0)
    assert second.sent[:3] == [replace(message, dup=True) for message in first.sent[1:4]]
    for message in list(second.sent):
        rig.reader.acknowledged(message.mid, 0.0)
    assert second.payloads() == [b"1", b"2", b"3", b"4"]


def test_a_message_too_large_for_its_reader_is_dropped_and_counted() -> None:
    """It must not block the others (3.1.2.11.4)."""
    rig = Rig()
    line = Line(takes=10)
    rig.reader.resume(line, 0.0)
    rig.say(b"x" * 100)
    rig.say(b"y")
    assert line.payloads() == [b"y"]
    assert (rig.account.dropped, len(rig.reader.inflight), rig.account.waiting_bytes > 0) == (1, 1, True)


def test_expired_messages_are_not_sent_and_the_rest_of_a_life_is_told() -> None:
    """Counted as expired, not as dropped."""
    rig = Rig()
    rig.say(b"brief", properties=((int(Property.MESSAGE_EXPIRY), 5),))
    rig.say(b"long", properties=((int(Property.MESSAGE_EXPIRY), 50),))
    line = Line()
    rig.reader.resume(line, 20.0)
    assert line.payloads() == [b"long"]
    assert line.sent[0].properties == ((0x02, 30),)
    assert (rig.account.expired, rig.account.dropped) == (1, 0)


def test_sessions_end_in_time_and_leave_nothing_behind() -> None:
    """Subscriptions, queue and memory go with them."""
    rig = Rig(expiry_s=10)
    rig.reader.detach(100.0)
    rig.say(b"x")
    rig.router.end_expired(109.9)
    assert "reader" in rig.router.sessions
    rig.router.end_expired(110.0)
    assert rig.router.sessions == {}
    assert rig.account.waiting_bytes == 0
    assert rig.say(b"x") is Reason.NO_MATCHING_SUBSCRIBERS


def test_overlapping_subscriptions_deliver_once_at_the_best_qos() -> None:
    """One message, one delivery (3.3.4)."""
    rig = Rig(qos=0)
    rig.router.subscribe(rig.reader, Wish("t/x", 1))
    rig.router.subscribe(rig.reader, Wish("+/x", 0))
    line = Line()
    rig.reader.resume(line, 0.0)
    rig.say(b"x")
    assert [message.qos for message in line.sent] == [1]


def test_a_group_prefers_members_that_are_there() -> None:
    """An absent member takes messages only when nobody else can; a dead one does not swallow a share."""
    rig = Rig()
    there, away = rig.join("there"), rig.join("away")
    for member in (away, there):
        rig.router.subscribe(member, Wish("$share/g/t/x", 1))
    line = Line()
    there.resume(line, 0.0)
    away.detach(0.0)
    for i in range(10):
        rig.say(b"%d" % i)
    assert (len(line.sent), len(away.waiting)) == (10, 0)
    there.detach(0.0)
    rig.say(b"late")
    assert len(away.waiting) + len(there.waiting) == 1


def test_retained_messages_are_bounded() -> None:
    """The next one is refused, not forgotten; clearing makes room."""
    rig = Rig(Limits(retained=2))
    for name in ("a", "b"):
        assert rig.router.publish(Publish(name, b"x", 1, True), "", 0.0) is Reason.SUCCESS
    assert rig.router.publish(Publish("c", b"x", 1, True), "", 0.0) is Reason.QUOTA_EXCEEDED
    assert rig.router.publish(Publish("a", b"new", 1, True), "", 0.0) is Reason.SUCCESS
    rig.router.publish(Publish("b", b"", 1, True), "", 0.0)
    assert rig.router.publish(Publish("c", b"x", 1, True), "", 0.0) is Reason.SUCCESS


def test_sessions_and_subscriptions_are_bounded() -> None:
    """Who comes last is refused."""
    rig = Rig(Limits(sessions=1, subscriptions=2))
    assert rig.router.session("second", clean=True) is None
    assert rig.router.subscribe(rig.reader, Wish("u", 1))[0] is Reason.GRANTED_QOS_1
    assert rig.router.subscribe(rig.reader, Wish("v", 1))[0] is Reason.QUOTA_EXCEEDED
    assert rig.router.subscribe(rig.reader, Wish("a/#/b", 1))[0] is Reason.FILTER_INVALID
    assert rig.router.unsubscribe(rig.reader, "v") is Reason.NO_SUBSCRIPTION_EXISTED
