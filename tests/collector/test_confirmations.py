"""`stored`: what is said is true, and said in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.confirmations import INTERVAL_S, MAX_RANGES, Confirmations, confirmation
from collector.holes import HoleWatch
from telemetry.control import Stored
from telemetry.intervals import IntervalSet

EPOCH = "0" * 16
AGRA, MEERUT = ("agra", "p1"), ("meerut", "p1")


def covered(stored: Stored) -> set[int]:
    missing = {seq for a, b in stored.missing for seq in range(a, b + 1)}
    return set(range(1, stored.through + 1)) - missing


@given(st.sets(st.integers(1, 60), min_size=1))
def test_what_is_covered_is_exactly_what_is_accounted_for(seqs: set[int]) -> None:
    """No more and no less, while the holes are few."""
    accounted = IntervalSet((seq, seq) for seq in seqs)
    stored = confirmation(EPOCH, accounted)
    assert stored is not None
    assert covered(stored) == seqs


def test_with_too_many_holes_less_is_said_but_nothing_false() -> None:
    """Every second report is missing: the list is cut, and `through` stays below the first hole that is not listed."""
    accounted = IntervalSet((seq, seq) for seq in range(2, 4 * MAX_RANGES, 2))
    stored = confirmation(EPOCH, accounted)
    assert stored is not None
    assert len(stored.missing) == MAX_RANGES
    assert stored.through == 2 * MAX_RANGES
    assert covered(stored) == set(range(2, 2 * MAX_RANGES + 1, 2))


def test_nothing_is_said_of_an_epoch_without_reports() -> None:
    """No reports, no confirmation."""
    assert confirmation(EPOCH, IntervalSet()) is None


def test_the_first_is_told_at_once_and_the_next_after_the_interval() -> None:
    """At most one word per probe and interval."""
    ledger = Confirmations()
    ledger.note(AGRA, EPOCH)
    assert ledger.take(100.0, 10) == [(AGRA, EPOCH)]
    ledger.note(AGRA, EPOCH)
    ledger.note(MEERUT, EPOCH)
    assert ledger.take(100.0 + INTERVAL_S - 0.1, 10) == [(MEERUT, EPOCH)]
    assert ledger.take(100.0 + INTERVAL_S, 10) == [(AGRA, EPOCH)]
    assert ledger.take(1e9, 10) == []


def test_who_could_not_be_told_stays_due() -> None:
    """Given back, a probe is taken again at once."""
    ledger = Confirmations()
    ledger.note(AGRA, EPOCH)
    ledger.give_back(ledger.take(0.0, 10))
    assert ledger.pending == 1
    assert ledger.take(0.5, 10) == [(AGRA, EPOCH)]


def test_a_new_connection_tells_everyone_again() -> None:
    """The broker may have lost what it kept."""
    ledger = Confirmations()
    for probe in (AGRA, MEERUT):
        ledger.note(probe, EPOCH)
    ledger.take(0.0, 10)
    ledger.again()
    assert len(ledger.take(0.1, 10)) == 2


def test_the_latest_epoch_is_the_one_confirmed() -> None:
    """A probe with a new spool is told of its new numbers."""
    ledger = Confirmations()
    ledger.note(AGRA, EPOCH)
    ledger.note(AGRA, "f" * 16)
    assert ledger.take(0.0, 10) == [(AGRA, "f" * 16)]


def test_holes_are_counted_as_they_open_and_close() -> None:
    """Five reports missing, two of them come: five noticed, two filled, three open."""
    watch = HoleWatch()
    watch.look(AGRA, Stored(epoch=EPOCH, through=20, missing=((3, 5), (9, 10))))
    watch.look(AGRA, Stored(epoch=EPOCH, through=22, missing=((3, 4), (10, 10))))
    assert (watch.counts.noticed, watch.counts.filled, watch.open) == (5, 2, 3)
    assert watch.by_site() == {"agra": 3}
    watch.look(AGRA, Stored(epoch="f" * 16, through=1))
    assert (watch.open, watch.by_site()) == (0, {})


def test_a_jump_that_no_probe_can_have_made_is_suspicious_and_no_hole() -> None:
    """A forged number a thousand million ahead adds nothing to the reports missed; true holes beside it count, months of them too."""
    watch = HoleWatch()
    months = 180 * 5760
    watch.look(AGRA, Stored(epoch=EPOCH, through=20, missing=((21, 20 + months), (30 + months, 10**9))))
    assert (watch.counts.noticed, watch.open, watch.suspicious) == (months, months, 1)


class Plain:
    """The same by looking at everybody each time: what `Confirmations` must say, but for the order."""

    def __init__(self) -> None:
        self.told_s: dict[tuple[str, str], float] = {}
        self.pending: set[tuple[str, str]] = set()
        self.known: set[tuple[str, str]] = set()

    def note(self, probe: tuple[str, str]) -> None:
        self.known.add(probe)
        self.pending.add(probe)

    def due(self, now_s: float) -> set[tuple[str, str]]:
        return {p for p in self.pending if p not in self.told_s or now_s - self.told_s[p] >= INTERVAL_S}

    def told(self, probes: set[tuple[str, str]], now_s: float) -> None:
        self.pending -= probes
        self.told_s |= dict.fromkeys(probes, now_s)

    def give_back(self, probes: set[tuple[str, str]]) -> None:
        self.pending |= probes
        for probe in probes:
            self.told_s.pop(probe, None)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.integers(0, 5)),
        st.tuples(st.just("take"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.integers(1, 20)),
        st.tuples(st.sampled_from(["give back", "again", "hurry", "hand on"]), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_the_same_are_due_as_by_looking_at_everybody(steps: list[tuple[str, int]]) -> None:
    """Noted, told, given back, a new connection, time passing: in any order."""
    ledger, plain, now_s = Confirmations(), Plain(), 0.0
    last: list[tuple[tuple[str, str], str]] = []
    for step, number in steps:
        match step:
            case "note":
                ledger.note((f"o{number}", "p1"), EPOCH)
                plain.note((f"o{number}", "p1"))
            case "take":
                due = plain.due(now_s)
                last = ledger.take(now_s, number)
                told = {probe for probe, _ in last}
                assert told <= due
                assert len(last) == len(told) == min(number, len(due))
                plain.told(told, now_s)
            case "wait":
                now_s += number
            case "give back":
                ledger.give_back(last)
                plain.give_back({probe for probe, _ in last})
                last = []
            case "again":
                ledger.again()
                plain.pending, plain.told_s = set(plain.known), {}
            case "hurry":
                ledger.hurry()
                plain.told_s = {}
            case _:
                assert {probe for probe, _ in ledger.hand_on()} == plain.pending
                plain.pending = set()
        assert ledger.pending == len(plain.pending)
    assert {probe for probe, _ in ledger.take(now_s, 100)} == plain.due(now_s)
