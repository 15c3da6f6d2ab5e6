"""Each report is stored once, whatever happens between its arrivals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.intervals import IntervalSet
from telemetry.messages import Tombstone
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Fate, Selection
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, HOUR_NS, WINDOW_NS


def test_a_duplicate_in_the_same_batch_is_known_as_one(held, fleet, everything) -> None:
    """The first of a batch is stored, its copies are duplicates, in the order given."""
    one, two = fleet.report("agra", 1), fleet.report("agra", 2)
    assert held.store.append([one, two, one, two, one]) == [
        Fate.STORED,
        Fate.STORED,
        Fate.DUPLICATE,
        Fate.DUPLICATE,
        Fate.DUPLICATE,
    ]
    assert len(held.store.streams(everything)) == 4


def test_a_duplicate_is_known_by_its_identity_and_not_by_its_content(
    held, fleet, rows, expected, everything
) -> None:
    """The same (site, probe, epoch, seq) with other figures is not stored; the first stays."""
    first, second = fleet.report("agra", 1, 1), fleet.report("agra", 1, 9)
    held.store.append([first])
    assert held.store.append([second])[0] in (Fate.DUPLICATE, Fate.NUMBER_TWICE)
    assert rows(held.store.streams(everything)) == expected([first])


def test_a_duplicate_stays_one_in_any_state(in_any_state, fleet, rows, expected, everything) -> None:
    """Resent after folding, after a restart, out of order: not stored again, nothing read twice."""
    reports = fleet.hours(["agra"], range(0, 700, 9))
    in_any_state.store.append(reports)
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    again = reports[::-1]
    assert store.append(again) == [Fate.DUPLICATE] * len(again)
    in_any_state.maintain(fleet.t0 + 10 * HOUR_NS)
    assert rows(store.streams(everything)) == expected(reports)


def test_a_duplicate_stays_one_when_its_row_is_long_gone(in_any_state, fleet, everything) -> None:
    """Retention drops windows but not what is accounted for."""
    reports = fleet.hours(["agra"], range(5))
    in_any_state.store.append(reports)
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    store.prune(fleet.t0 + 60 * DAY_NS)
    assert len(store.streams(everything)) == 0
    store = in_any_state.reopen()
    assert store.append(reports) == [Fate.DUPLICATE] * 5
    assert len(store.streams(everything)) == 0


def test_out_of_order_arrivals_are_all_stored(in_any_state, fleet, rows, expected, everything) -> None:
    """Any order gives the same table."""
    reports = fleet.hours(["agra", "etah"], range(0, 300, 11))
    shuffled = [reports[i] for i in np.random.default_rng(3).permutation(len(reports))]
    for first in range(0, len(shuffled), 7):
        some = shuffled[first : first + 7]
        assert in_any_state.store.append(some) == [Fate.STORED] * len(some)
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    assert rows(store.streams(everything)) == expected(reports)


def test_what_is_accounted_for_is_told_by_epoch(in_any_state, fleet) -> None:
    """`received` gives the ranges of seq of each epoch of one probe."""
    other = "f" * 16
    in_any_state.store.append(
        [
            *(fleet.report("agra", seq) for seq in (1, 2, 3, 7, 9, 8)),
            fleet.report("agra", 40, epoch=other),
            fleet.report("etah", 5),
        ]
    )
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    assert store.received("agra", "p1") == {
        fleet.epoch: IntervalSet([(1, 3), (7, 9)]),
        other: IntervalSet([(40, 40)]),
    }
    assert store.received("etah", "p1") == {fleet.epoch: IntervalSet([(5, 5)])}
    assert store.received("agra", "p2") == {}
    nobody = [("agra", "p2", fleet.epoch), ("etah", "p1", other)]
    assert store.accounted([("agra", "p1", other), ("etah", "p1", fleet.epoch), *nobody]) == {
        ("agra", "p1", other): IntervalSet([(40, 40)]),
        ("etah", "p1", fleet.epoch): IntervalSet([(5, 5)]),
    }


def test_a_tombstone_accounts_for_its_range_with_its_reason(in_any_state, fleet, everything) -> None:
    """What a full spool had to drop is no open hole; the gap says why and when."""
    stone = Tombstone(
        first_seq=3,
        last_seq=6,
        from_ns=fleet.t0 + 3 * WINDOW_NS,
        until_ns=fleet.t0 + 7 * WINDOW_NS,
        reason="spool full",
    )
    told = fleet.report("agra", 7, items=[stone, fleet.stream()])
    in_any_state.store.append([fleet.report("agra", 1), fleet.report("agra", 2), told])
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    assert list(store.received("agra", "p1")[fleet.epoch]) == [(1, 7)]
    (gap,) = store.gaps(everything).holes
    assert (gap.first_seq, gap.last_seq, gap.tombstone, gap.noticed_ns) == (
        3,
        6,
        "spool full",
        told.received_ns,
    )
    before = Selection(fleet.t0, fleet.t0 + 3 * WINDOW_NS)
    assert store.gaps(before).holes == ()
    within = Selection(fleet.t0 + 4 * WINDOW_NS, fleet.t0 + 5 * WINDOW_NS)
    assert len(store.gaps(within).holes) == 1


def test_a_report_that_was_written_off_and_comes_all_the_same_is_stored(
    in_any_state, fleet, rows, expected, everything
) -> None:
    """It may have been on its way when the spool overflowed: content is never refused for a tombstone."""
    stone = Tombstone(first_seq=1, last_seq=3, from_ns=fleet.t0, until_ns=fleet.t0 + 1, reason="spool full")
    reports = [fleet.report("agra", 4, items=[stone, fleet.stream()]), fleet.report("agra", 2)]
    assert in_any_state.store.append(reports) == [Fate.STORED] * 2
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    assert rows(store.streams(everything)) == expected(reports)
    assert [(h.first_seq, h.last_seq) for h in store.gaps(everything).holes] == [(1, 1), (3, 3)]


def test_open_holes_are_noticed_when_seq_jumps_and_close_when_the_reports_come(
    in_any_state, fleet, everything
) -> None:
    """A hole carries the time of the report that showed it, also in what is left of it."""
    first, jump = fleet.report("agra", 3), fleet.report("agra", 10)
    in_any_state.store.append([first, jump])
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    holes = store.gaps(everything).holes
    assert [(h.first_seq, h.last_seq, h.noticed_ns, h.tombstone) for h in holes] == [
        (1, 2, first.received_ns, ""),
        (4, 9, jump.received_ns, ""),
    ]
    store.append([fleet.report("agra", seq) for seq in (1, 6, 2)])
    holes = store.gaps(everything).holes
    assert [(h.first_seq, h.last_seq, h.noticed_ns) for h in holes] == [
        (4, 5, jump.received_ns),
        (7, 9, jump.received_ns),
    ]
    store.append([fleet.report("agra", seq) for seq in (4, 5, 7, 8, 9)])
    assert store.gaps(everything).holes == ()
    just_then = Selection(first.received_ns, jump.received_ns)
    assert store.gaps(just_then).holes == ()


def test_silence_is_told_on_the_window_grid_since_first_contact(in_any_state, fleet) -> None:
    """Time without a report, by site: not before the first one, up to the end asked for, healed by late ones."""
    in_any_state.store.append([fleet.report("agra", n, n) for n in (10, 11, 15, 300)])
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)

    def silent(first: int, last: int) -> list[tuple[int, int]]:
        span = Selection(fleet.t0 + first * WINDOW_NS, fleet.t0 + last * WINDOW_NS)
        return [
            ((s.from_ns - fleet.t0) // WINDOW_NS, (s.until_ns - fleet.t0) // WINDOW_NS)
            for s in store.gaps(span).silences
        ]

    assert silent(0, 302) == [(12, 15), (16, 300), (301, 302)]
    assert silent(0, 11) == []
    assert silent(13, 14) == [(13, 14)]
    store.append([fleet.report("agra", 12, 12, late_ns=HOUR_NS)])
    assert silent(0, 16) == [(13, 15)]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(st.integers(1, 12), min_size=1, max_size=5)),
        st.tuples(st.just("fold"), st.just([])),
        st.tuples(st.just("reopen"), st.just([])),
    ),
    max_size=8,
)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(plan=steps)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_sequence_of_appends_folds_and_restarts_stores_each_report_once(
    kind, plan, fleet, tmp_path_factory
) -> None:
    """Against a plain set: fates, what is accounted for, the rows, and the open holes."""
    file = tmp_path_factory.mktemp("any") / "reports.db"
    store = SqliteStore(file) if kind == "sqlite" else MemoryStore()
    seen: set[int] = set()
    try:
        for what, numbers in plan:
            if what == "append":
                fates = store.append(
                    [fleet.report("agra", n, n * 40, items=[fleet.stream(sent=4)]) for n in numbers]
                )
                for number, fate in zip(numbers, fates, strict=True):
                    assert (fate is Fate.DUPLICATE) == (number in seen)
                    seen.add(number)
            elif what == "fold":
                while store.maintain(fleet.t0 + 20 * HOUR_NS):
                    pass
            elif kind == "sqlite":
                store.close()
                store = SqliteStore(file)
        span = Selection(fleet.t0, fleet.t0 + DAY_NS)
        starts = store.streams(span, histograms=False).columns["start_ns"]
        assert ((starts - fleet.t0) // (40 * WINDOW_NS)).tolist() == sorted(seen)
        accounted = store.received("agra", "p1").get(fleet.epoch, IntervalSet())
        assert {n for a, b in accounted for n in range(a, b + 1)} == seen
        missing = {n for h in store.gaps(span).holes for n in range(h.first_seq, h.last_seq + 1)}
        assert missing == set(range(1, max(seen, default=0))) - seen
    finally:
        store.close()


def test_gaps_say_from_when_on_a_probe_is_expected(in_any_state, fleet) -> None:
    """Each probe's first window, by site; not of one that came after the span; tombstones tell their time."""
    stone = Tombstone(first_seq=1, last_seq=2, from_ns=fleet.t0, until_ns=fleet.t0 + 1, reason="spool full")
    in_any_state.store.append(
        [
            fleet.report("agra", 9, 9),
            fleet.report("agra", 3, 3, items=[stone, fleet.stream()], late_ns=HOUR_NS),
            fleet.report("agra", 1, 20, probe="p2"),
            fleet.report("etah", 1, 300),
        ]
    )
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    gaps = store.gaps(Selection(fleet.t0, fleet.t0 + 100 * WINDOW_NS))
    assert [(c.site, c.probe, (c.first_ns - fleet.t0) // WINDOW_NS) for c in gaps.contacts] == [
        ("agra", "p1", 3),
        ("agra", "p2", 20),
    ]
    only = store.gaps(Selection(fleet.t0, fleet.t0 + 400 * WINDOW_NS, sites=("etah",)))
    assert [c.site for c in only.contacts] == ["etah"]
    (told,) = [hole for hole in gaps.holes if hole.tombstone]
    assert (told.from_ns, told.until_ns) == (fleet.t0, fleet.t0 + 1)
