"""The order of sending: live first, everything in the end, nothing twice at once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.publishing.office_settings import Patience
from probes.publishing.send_queue import HOPELESS_AFTER, WINDOW, SendQueue
from telemetry.intervals import IntervalSet
from telemetry.windows import SECOND_NS

RESEND_NS = round(Patience().resend_s * SECOND_NS)
RESEND_CAP_NS = round(Patience().resend_cap_s * SECOND_NS)


def with_backlog(*spans: tuple[int, int]) -> SendQueue:
    queue = SendQueue()
    queue.reconcile(IntervalSet(spans))
    return queue


def test_live_report_waits_for_its_moment_only() -> None:
    """A live report goes when its spread is over, however much backlog there is."""
    queue = with_backlog((1, 500))
    queue.add(501, ready_ns=10)
    assert queue.next_live(9) is None
    assert queue.next_live(10) == 501
    assert queue.next_live(11) is None


def test_backlog_goes_oldest_first() -> None:
    """Backlog goes in the order of its numbers, over the holes."""
    queue = with_backlog((3, 5), (9, 10))
    assert [queue.next_backlog(0) for _ in range(6)] == [3, 4, 5, 9, 10, None]


def test_unsent_live_becomes_backlog_after_a_minute() -> None:
    """A live report that could not go for a minute is backlog."""
    queue = SendQueue()
    queue.add(1, ready_ns=0)
    assert queue.next_live(60 * SECOND_NS) is None
    assert queue.next_backlog(60 * SECOND_NS) == 1


@pytest.mark.parametrize("second", range(60))
def test_sent_is_not_due_before_a_minute(second: int) -> None:
    """What the broker took is left alone for 60 s."""
    queue = with_backlog((1, 1))
    assert queue.next_backlog(0) == 1
    queue.sent(1, 0)
    assert queue.next_backlog(second * SECOND_NS) is None


def test_sent_but_not_stored_goes_again_after_a_minute_then_more_slowly() -> None:
    """Without `stored` a report goes again after 60 s, 120 s, 240 s … and never more slowly than every 15 minutes."""
    queue = with_backlog((1, 1))
    now, waits = 0, []
    assert queue.next_backlog(now) == 1
    for _ in range(7):
        queue.sent(1, now)
        due = queue.wake_ns(now)
        assert due is not None
        waits.append((due - now) // SECOND_NS)
        assert queue.next_backlog(due - 1) is None
        now = due
        assert queue.next_backlog(now) == 1
        assert queue.was_sent(1)
    assert waits == [60, 120, 240, 480, 900, 900, 900]


def test_refused_is_not_sent() -> None:
    """A report that nobody took is due when said, and does not count as sent."""
    queue = with_backlog((1, 1))
    queue.next_backlog(0)
    queue.not_sent(1, 5)
    assert not queue.was_sent(1)
    assert queue.next_backlog(4) is None
    assert queue.next_backlog(5) == 1


def test_lost_connection_returns_what_was_in_flight() -> None:
    """Without a PUBACK a report is due again at once; with one it is not."""
    queue = with_backlog((1, 3))
    for _ in range(3):
        queue.next_backlog(0)
    queue.sent(2, 0)
    queue.connection_lost(7)
    assert queue.in_flight == 0
    assert [queue.next_backlog(7) for _ in range(3)] == [1, 3, None]


def test_stored_before_its_puback() -> None:
    """A report that is stored while in flight is forgotten, and its late PUBACK changes nothing."""
    queue = with_backlog((1, 1))
    queue.next_backlog(0)
    queue.stored(1, IntervalSet())
    assert (queue.in_flight, queue.awaiting) == (0, 0)
    queue.sent(1, 0)
    assert (queue.in_flight, queue.awaiting, queue.wake_ns(0)) == (0, 0, None)


def test_stored_trims_what_was_never_sent() -> None:
    """What the hub has already, from before a restart, is not sent again."""
    queue = with_backlog((1, 10))
    queue.add(11, 0)
    queue.stored(8, IntervalSet([(3, 4)]))
    assert [queue.next_backlog(0) for _ in range(5)] == [3, 4, 9, 10, None]
    assert queue.next_live(0) == 11


def test_missing_report_need_not_wait_longer_than_a_minute_again() -> None:
    """When the hub speaks and misses a report that was sent several times, it goes again 60 s after its last sending."""
    queue = with_backlog((1, 2))
    queue.next_backlog(0)
    queue.next_backlog(0)
    queue.sent(1, 0)
    queue.sent(2, 0)
    assert queue.next_backlog(RESEND_NS) == 1
    queue.sent(1, RESEND_NS)
    assert queue.next_backlog(2 * RESEND_NS) == 2
    queue.stored(2, IntervalSet([(1, 1)]))
    assert queue.next_backlog(2 * RESEND_NS) == 1


def test_what_is_due_and_what_is_new_take_turns() -> None:
    """Resends do not starve the backlog, nor the backlog the resends."""
    queue = with_backlog((1, 3))
    for seq in (1, 2, 3):
        assert queue.next_backlog(0) == seq
        queue.sent(seq, 0)
    queue.reconcile(IntervalSet([(1, 6)]))
    order = [queue.next_backlog(RESEND_NS) for _ in range(6)]
    assert sorted(order[i] for i in range(6)) == [1, 2, 3, 4, 5, 6]  # type: ignore[type-var]
    assert [seq > 3 for seq in order if seq is not None] in ([False, True] * 3, [True, False] * 3)


def test_backlog_waits_for_a_hub_that_does_not_store() -> None:
    """At most a thousand reports are sent and not stored; live ones go all the same, refused ones do not block for ever."""
    queue = with_backlog((1, 5000))
    now, first = 0, []
    while (seq := queue.next_backlog(now)) is not None:
        queue.sent(seq, now)
        first.append(seq)
    assert first == list(range(1, WINDOW + 1))
    queue.add(5001, now)
    assert queue.next_live(now) == 5001
    queue.sent(5001, now)
    for _ in range(HOPELESS_AFTER):
        now += RESEND_CAP_NS
        while (seq := queue.next_backlog(now)) is not None and seq <= WINDOW:
            queue.sent(seq, now)
        if seq is not None:
            break
    assert seq is not None
    assert seq > WINDOW


def test_evicted_reports_are_forgotten() -> None:
    """What the spool dropped meanwhile is neither sent nor waited for."""
    queue = with_backlog((1, 6))
    queue.next_backlog(0)
    queue.sent(1, 0)
    queue.reconcile(IntervalSet([(4, 6)]))
    assert queue.awaiting == 0
    assert [queue.next_backlog(0) for _ in range(4)] == [4, 5, 6, None]


def test_report_known_from_the_spool_first_is_sent_once() -> None:
    """A report that the spool's listing brought before it was submitted goes once, as live."""
    queue = with_backlog((1, 4))
    queue.add(4, 0)
    assert queue.next_live(0) == 4
    assert [queue.next_backlog(0) for _ in range(4)] == [1, 2, 3, None]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), loss=st.floats(0.0, 0.6), refuse=st.floats(0.0, 0.5))
def test_everything_is_stored_in_the_end(seed: int, loss: float, refuse: float) -> None:
    """Over a broker that loses, refuses and disconnects at random, every report is stored, and none is in flight twice."""
    rng = random.Random(seed)
    made, stored, flying = 30, IntervalSet(), set()
    queue = with_backlog((1, 20))
    now = 0
    for step in range(60_000):
        now += SECOND_NS
        if step < 10:
            queue.add(21 + step, now)
        seq = queue.next_live(now) or queue.next_backlog(now)
        if seq is not None:
            assert seq not in flying
            assert seq not in stored
            flying.add(seq)
        if rng.random() < 0.05:
            queue.connection_lost(now)
            flying.clear()
        for one in sorted(flying):
            if rng.random() < refuse:
                queue.not_sent(one, now + 5 * SECOND_NS)
            else:
                queue.sent(one, now)
                if rng.random() >= loss:
                    stored.add(one)
        flying.clear()
        if step % 15 == 0 and stored.top:
            queue.stored(stored.top, IntervalSet(stored.holes(1, stored.top)))
        if len(stored) == made:
            break
    assert len(stored) == made
    queue.stored(made, IntervalSet())
    assert (queue.awaiting, queue.in_flight, queue.wake_ns(now)) == (0, 0, None)
