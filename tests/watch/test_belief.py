"""A probe that claims trouble of its own again and again is believed less each time: its line does not look sound for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from analytics.lines import Lines
from analytics.own_trouble import MOST_WINDOWS
from tatpar.watching.belief import REGAINED, Belief
from tatpar.watching.ring import RING_WINDOWS, WindowRing
from telemetry.messages import SelfReport
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Received, Selection
from telemetry.windows import HOUR_NS, WINDOW_NS
from tests.telemetry.store.conftest import T0, Fleet

if TYPE_CHECKING:
    from telemetry.store.tables import StreamTable

PATH = "main.state"
HALF_HOURS = 4
STEP = 20
"""Windows between two looks."""


def half_hours() -> MemoryStore:
    """The first ten minutes of each are lost on the way back, and the probe says that its own socket dropped it."""
    fleet, store = Fleet(), MemoryStore()
    sound, bad = (
        structs.replace(fleet.stream(PATH, sent=150, lost=lost), straddled=0) for lost in ((0, 0), (0, 60))
    )
    for seq in range(HALF_HOURS * RING_WINDOWS):
        is_bad = seq % RING_WINDOWS < MOST_WINDOWS
        envelope = fleet.envelope("agra", seq, items=(bad if is_bad else sound,))
        envelope = structs.replace(envelope, self_report=SelfReport(rx_drops=60 * is_bad))
        store.append([Received(envelope, envelope.start_ns + WINDOW_NS)])
    return store


def test_ten_minutes_of_each_half_hour_are_not_believed_for_ever() -> None:
    """The first ten are; of those of later half hours a few windows, and the claim is marked. New settings forgive nothing."""
    store, lines = half_hours(), Lines(("agra",), (PATH,))

    def stored(since_ns: int, until_ns: int) -> StreamTable:
        return store.streams(Selection(since_ns, until_ns), histograms=False)

    ring = WindowRing(lines, T0)
    shown, marked = [], []
    for seq in range(0, HALF_HOURS * RING_WINDOWS, STEP):
        at_ns, now_ns = T0 + seq * WINDOW_NS, T0 + (seq + STEP) * WINDOW_NS
        ring.take(stored(at_ns, now_ns), now_ns)
        recent = ring.recent()
        if (seq + STEP) % RING_WINDOWS == MOST_WINDOWS:  # the end of ten bad minutes
            lost = recent.values["lost"][0, 0, -MOST_WINDOWS - 1 : -1]
            shown.append(int((lost > 0).sum()))
            claims = ring.not_believed()
            marked.append(claims is not None and bool(claims[0, 0]))
        if seq == 2 * RING_WINDOWS:  # the operator changes something
            before, ring = ring, WindowRing(lines, now_ns)
            ring.take(stored(now_ns - RING_WINDOWS * WINDOW_NS, now_ns), now_ns)
            ring.recall(before)
    assert shown[0] == 0
    assert all(count >= MOST_WINDOWS - 2 * RING_WINDOWS * REGAINED for count in shown[1:]), shown
    assert marked == [True] * HALF_HOURS  # at the end of the first ten minutes nothing is left


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
