"""A probe that claims trouble of its own again and again is believed less each time: its line does not look sound for ever."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from analytics.lines import Lines
from analytics.own_trouble import MOST_WINDOWS
from tatpar.watching.belief import REGAINED, Belief
from tatpar.watching.ring import RING_WINDOWS, WindowRing
from telemetry.messages import SelfReport
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Received, Selection
from telemetry.windows import HOUR_NS, MINUTE_NS, SECOND_NS, WINDOW_NS
from tests.telemetry.store.conftest import T0, Fleet

PATH = "main.state"
HALF_HOURS = 6


def claimed(store: MemoryStore, seq: int, *, is_bad: bool) -> None:
    """A window that is lost on the way back, of which the probe says that its own socket dropped it; or a sound one."""
    fleet = Fleet()
    stream = structs.replace(fleet.stream(PATH, sent=150, lost=(0, 60) if is_bad else (0, 0)), straddled=0)
    envelope = fleet.envelope("agra", seq, items=(stream,))
    itself = SelfReport(rx_drops=60) if is_bad else SelfReport()
    envelope = structs.replace(envelope, self_report=itself)
    store.append([Received(envelope, envelope.start_ns + WINDOW_NS + SECOND_NS)])


def test_ten_minutes_of_each_half_hour_are_not_believed_for_ever() -> None:
    """The first ten minutes are; of those of the later half hours a few windows, and the line is bad with the claim beside it."""
    store = MemoryStore()
    for seq in range(HALF_HOURS * RING_WINDOWS):
        claimed(store, seq, is_bad=seq % RING_WINDOWS < MOST_WINDOWS)
    lines = Lines(("agra",), (PATH,))
    ring = WindowRing(lines, T0)
    shown, marked = [], []
    for minute in range(HALF_HOURS * 30):
        at_ns = T0 + minute * MINUTE_NS
        ring.take(store.streams(Selection(at_ns, at_ns + MINUTE_NS)), at_ns + MINUTE_NS + 2 * SECOND_NS)
        recent = ring.recent()
        if minute % 30 == 9:  # the end of ten bad minutes
            lost = np.nan_to_num(recent.values["lost"][0, 0, -MOST_WINDOWS:])
            shown.append(int((lost > 0).sum()))
            not_believed = ring.not_believed()
            marked.append(not_believed is not None and bool(not_believed[0, 0]))
        if minute == 70:  # the operator changes something: that forgives nothing
            before, ring = ring, WindowRing(lines, at_ns)
            ring.take(
                store.streams(Selection(at_ns - RING_WINDOWS * WINDOW_NS, at_ns + MINUTE_NS)),
                at_ns + MINUTE_NS + 2 * SECOND_NS,
            )
            ring.recall(before)
    assert shown[0] <= 1  # the window that runs is not there yet
    assert all(count >= MOST_WINDOWS - 8 for count in shown[1:]), shown
    assert all(marked[1:])


def test_belief_comes_back() -> None:
    """An hour in a day: ten minutes of trouble are believed again after four hours, five minutes a day always."""
    belief = Belief((1, 1), RING_WINDOWS)
    places = np.arange(RING_WINDOWS)
    windows = np.zeros((1, 1, RING_WINDOWS), dtype=bool)
    windows[..., :MOST_WINDOWS] = True
    assert belief.room().item() == MOST_WINDOWS
    belief.left_out(windows, places)
    assert belief.room().item() == MOST_WINDOWS  # they are in the ring, where they are counted
    belief.advance(places, RING_WINDOWS)
    assert belief.room().item() == RING_WINDOWS * REGAINED
    four_hours = 4 * HOUR_NS // WINDOW_NS
    belief.advance(places, four_hours - RING_WINDOWS)
    assert belief.room().item() == MOST_WINDOWS
    belief.advance(places, four_hours)
    assert belief.room().item() == MOST_WINDOWS
