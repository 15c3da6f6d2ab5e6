from __future__ import annotations

import numpy as np

from probes.measuring.clock_watch import ClockWatch
from probes.measuring.frames import FrameClock
from probes.measuring.measuring_messages import Ended, Event, Opened
from probes.measuring.record_pool import RecordPool
from probes.measuring.records import REPLY, SENT, STAMPED
from telemetry.clock import ManualClock
from telemetry.windows import SECOND_NS, WINDOW_NS

START = 1_700_000_010 * SECOND_NS


def sent(session: int, frame: int, sequences: list[int]) -> bytes:
    records = np.zeros(len(sequences), dtype=SENT)
    records["session"], records["frame"], records["sequence"] = session, frame, sequences
    return records.tobytes()


def replies(pairs: list[tuple[int, int]]) -> bytes:
    records = np.zeros(len(pairs), dtype=REPLY)
    records["session"] = [session for session, _ in pairs]
    records["sequence"] = [sequence & 0xFFFF_FFFF for _, sequence in pairs]
    return records.tobytes()


def stamps(pairs: list[tuple[int, int]]) -> bytes:
    records = np.zeros(len(pairs), dtype=STAMPED)
    records["session"] = [session for session, _ in pairs]
    records["sequence"] = [sequence & 0xFFFF_FFFF for _, sequence in pairs]
    return records.tobytes()


def test_each_frame_gets_its_own_and_what_follows_stays() -> None:
    """Records are handed out by session; those of later packets are lent ahead and stay for their own frame."""
    pool = RecordPool()
    pool.add_sent(sent(1, 1, [0, 1, 2]) + sent(2, 1, [0, 1]) + sent(1, 2, [3, 4]) + sent(2, 2, [2]))
    pool.add_replies(replies([(1, 0), (2, 1), (1, 3), (1, 2)]))
    pool.add_replies(replies([(2, 2), (1, 4)]))
    pool.add_stamped(stamps([(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 0), (2, 1), (2, 2)]))
    first = pool.close(1, {1: 7, 2: 8})
    assert first.keys() == {1, 2}
    assert first[1].sent["sequence"].tolist() == [0, 1, 2]
    assert first[1].ahead["sequence"].tolist() == [3, 4]
    assert first[1].replies["sequence"].tolist() == [0, 3, 2, 4]  # order of arrival
    assert (first[1].ssid, first[2].ssid) == (7, 8)
    second = pool.close(2, {1: 7, 2: 8})
    assert second[1].replies["sequence"].tolist() == [3, 4]
    assert second[1].stamped["sequence"].tolist() == [3, 4]
    assert second[2].replies["sequence"].tolist() == [2]
    assert pool.close(3, {1: 7, 2: 8}) == {}


def test_records_over_the_wrap_of_32_bits() -> None:
    """Sequence numbers on the wire begin again; what belongs to later frames is still told from what is done."""
    top = 1 << 32
    pool = RecordPool()
    pool.add_sent(sent(1, 1, [top - 2, top - 1]) + sent(1, 2, [top, top + 1]))
    pool.add_replies(replies([(1, top - 2), (1, top), (1, top - 1), (1, top + 1)]))
    assert len(pool.close(1, {1: 7})[1].replies) == 4
    assert pool.close(2, {1: 7})[1].replies["sequence"].tolist() == [0, 1]


def test_records_of_forgotten_sessions_go() -> None:
    """A session that nobody expects any more leaves nothing behind."""
    pool = RecordPool()
    pool.add_sent(sent(1, 1, [0]) + sent(9, 1, [0]))
    pool.add_replies(replies([(9, 0), (1, 0)]))
    assert pool.close(1, {1: 7}).keys() == {1}
    assert pool.close(2, {1: 7, 9: 7}) == {}


def test_session_that_paused_keeps_its_records() -> None:
    """A session without a packet in a frame does not lose replies to packets of the next."""
    pool = RecordPool()
    pool.add_sent(sent(1, 1, [0]) + sent(2, 2, [0]))
    pool.add_replies(replies([(2, 0), (1, 0)]))
    pool.close(1, {1: 7, 2: 7})
    assert len(pool.close(2, {1: 7, 2: 7})[2].replies) == 1


def test_frames_follow_real_time_in_steps_too() -> None:
    """A stepped clock opens a new frame, also one whose window was there before; each ends the one before."""
    clock = ManualClock(START + SECOND_NS, 100 * SECOND_NS)
    watch = ClockWatch(clock)
    events: list[Event] = []
    frames = FrameClock(watch, events.append)
    frames.open(clock.now_ns())
    assert frames.covers(START + WINDOW_NS - 1)
    assert not frames.covers(START + WINDOW_NS)
    clock.step(3600 * SECOND_NS)
    assert watch.stepped()
    frames.open(clock.now_ns())
    clock.step(-3600 * SECOND_NS)
    assert watch.stepped()
    frames.open(clock.now_ns())
    opened = [event for event in events if isinstance(event, Opened)]
    assert [event.frame for event in opened] == [1, 2, 3]
    assert [event.start_ns for event in opened] == [START, START + 3600 * SECOND_NS, START]
    assert {event.mono_ns for event in opened} == {99 * SECOND_NS}  # the window's start, by monotonic time
    assert [event.clock_steps for event in events if isinstance(event, Ended)] == [1, 1]
