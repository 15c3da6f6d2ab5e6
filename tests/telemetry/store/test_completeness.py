"""Data completeness against counts made by hand: window by window, and from what really befell a probe."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.messages import Tombstone
from telemetry.store.completeness import Completeness, completeness, settled_until, total
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Contact, Gaps, Selection, SeqHole, Silence
from telemetry.windows import LATE_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

T0 = 1_800_000_000 * SECOND_NS
WIDTH = 40
PROBES = ("p1", "p2")


def at(window: float) -> int:
    return T0 + int(window * WINDOW_NS)


def counted_by_hand(gaps: Gaps, count: int) -> Completeness:
    """The definition, one window after another, with sets of window numbers."""
    states: list[dict[int, str]] = []
    for contact in gaps.contacts:
        first = next(n for n in range(-200, 200) if at(n) >= contact.first_ns)
        state = {n: "stored" for n in range(WIDTH) if n >= first}
        mine = [s for s in gaps.silences if s.probe == contact.probe]
        for silence in mine:
            for n in range(WIDTH):
                if silence.from_ns <= at(n) < silence.until_ns:
                    state[n] = "never"
        holes = [h for h in gaps.holes if h.probe == contact.probe]
        stones = sorted((h for h in holes if h.tombstone), key=lambda h: (h.noticed_ns, h.first_seq))
        open_holes = sorted((h for h in holes if not h.tombstone), key=lambda h: (h.noticed_ns, h.first_seq))
        for hole in (*stones, *open_holes):
            name, left = ("dropped" if hole.tombstone else "lost"), hole.last_seq - hole.first_seq + 1
            if hole.tombstone:
                assert hole.from_ns is not None
                assert hole.until_ns is not None
                for n in range(WIDTH):
                    overlaps = at(n) < hole.until_ns and at(n + 1) > hole.from_ns
                    if left and overlaps and state.get(n) == "never":
                        state[n], left = name, left - 1
            for n in reversed(range(WIDTH)):
                if left and at(n + 1) + LATE_NS <= hole.noticed_ns and state.get(n) == "never":
                    state[n], left = name, left - 1
        states.append(state)
    best = ("stored", "lost", "dropped", "never")
    result = dict.fromkeys(best, 0)
    for n in range(count):
        known = [state[n] for state in states if n in state]
        if known:
            result[min(known, key=best.index)] += 1
    return Completeness(**result)


windows = st.integers(-5, WIDTH)
times = st.floats(-5, WIDTH + 3)


@st.composite
def some_gaps(draw: st.DrawFn) -> Gaps:
    contacts, silences, holes = [], [], []
    for probe in PROBES[: draw(st.integers(1, 2))]:
        first = draw(windows)
        contacts.append(Contact("agra", probe, at(first)))
        edges = sorted(draw(st.lists(st.integers(max(first, 0), WIDTH), max_size=8, unique=True)))
        pairs = list(zip(edges[::2], edges[1::2], strict=False))
        silences += [Silence("agra", probe, at(a), at(b)) for a, b in pairs]
        for n in range(draw(st.integers(0, 4))):
            size, noticed = draw(st.integers(1, 12)), at(draw(times))
            begin = draw(st.floats(-3, WIDTH))
            tells = (at(begin), at(begin + draw(st.floats(0.01, 9)))) if draw(st.booleans()) else None
            span = (n * 100, n * 100 + size - 1, noticed)
            holes.append(
                SeqHole("agra", probe, "e", *span)
                if tells is None
                else SeqHole("agra", probe, "e", *span, "spool full", *tells)
            )
    return Gaps(tuple(holes), tuple(silences), tuple(contacts))


@given(some_gaps(), st.integers(0, WIDTH))
@settings(deadline=None)
def test_arrays_count_as_a_hand_does(gaps: Gaps, count: int) -> None:
    """Any gaps of two probes: each window once, under the same name; the parts sum up to what is expected."""
    found = completeness(gaps, T0, at(count), at(WIDTH))
    assert found == {"agra": counted_by_hand(gaps, count)}
    assert found["agra"].expected == found["agra"].stored + found["agra"].missing


OK, OFF, WAY, FULL = "ok", "off", "lost on the way", "dropped"
fates = st.lists(st.sampled_from([OK, OK, OK, OFF, WAY, FULL]), min_size=1, max_size=40)


@given(befell=fates)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_befell_each_window_is_what_is_counted(befell: Sequence[str], fleet) -> None:
    """A probe that was off, whose reports were lost or dropped: through a store, each count is the true one."""
    story = [OK, *befell, OK]
    store, seq = MemoryStore(), 0
    stones: list[Tombstone] = []
    for window, fate in enumerate(story):
        seq += fate != OFF
        start_ns = fleet.t0 + window * WINDOW_NS
        if fate == FULL:
            span = {"from_ns": start_ns, "until_ns": start_ns + WINDOW_NS}
            stones.append(Tombstone(first_seq=seq, last_seq=seq, reason="spool full", **span))
        elif fate == OK:  # tells what was dropped before it
            store.append([fleet.report("agra", seq, window, items=[*stones, fleet.stream(sent=4)])])
            stones = []
    end_ns = fleet.t0 + len(story) * WINDOW_NS
    reach_ns = end_ns + 4 * WINDOW_NS
    found = completeness(store.gaps(Selection(fleet.t0, reach_ns)), fleet.t0, end_ns, reach_ns)
    assert found == {"agra": Completeness(*(story.count(fate) for fate in (OK, WAY, FULL, OFF)))}


def test_a_hole_noticed_after_the_span_explains_what_is_in_it() -> None:
    """An outage over midnight on Sunday: what is missing of the week is lost on the way, not never measured."""
    silent = Silence("agra", "p1", at(36), at(46))
    hole = SeqHole("agra", "p1", "e", 5, 14, at(47))
    gaps = Gaps((hole,), (silent,), (Contact("agra", "p1", at(-9)),))
    assert completeness(gaps, T0, at(40), at(50)) == {"agra": Completeness(stored=36, lost=4)}


def test_nothing_expected_has_no_ratio() -> None:
    """Neither an office that never spoke nor an empty span is complete or incomplete."""
    assert completeness(Gaps((), ()), T0, at(9), at(9)) == {}
    later = Gaps((), (), (Contact("agra", "p1", at(20)),))
    assert math.isnan(completeness(later, T0, at(9), at(9))["agra"].ratio)
    assert math.isnan(total([]).ratio)
    assert total([Completeness(1, 1), Completeness(2)]).ratio == 0.75


def test_the_latest_minute_is_not_expected_yet() -> None:
    """A report that is on its way is not missing."""
    assert settled_until(at(10) + 14 * SECOND_NS) == at(6)
