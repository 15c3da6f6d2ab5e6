"""One boot of an office's machine: its reports find their true time, however its clock was set, and whatever kept them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from collector.commits import Memory, Rules, sort
from collector.intake import Bounds
from collector.message import Message
from collector.outcome import RefusalCode
from telemetry.clock import ManualClock
from telemetry.codec import encode
from telemetry.messages import Clock, ClockState
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, MS_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.office_clocks import OfficeClocks
    from config.live import LiveConfig
    from telemetry.messages import Envelope
    from telemetry.store.sqlite import SqliteStore

NOW = window_start(1_790_000_000_000_000_000)
MADE_AFTER = 18 * SECOND_NS
UP_NS = 100 * DAY_NS
"""For so long the machine has been up."""
REFUSED = "refused for now"


@dataclass
class Office:
    """One machine: what it measured in window `turn` after NOW, dated by a clock that is `ahead_ns` ahead."""

    make: Callable[..., Envelope]
    rules: Rules
    store: SqliteStore
    memory: Memory = field(default_factory=Memory)
    clock: Clock = field(default_factory=lambda: Clock(state=ClockState.UNSYNCHRONISED))
    boot: str = "boot-1"
    seq: int = 0
    asleep_ns: int = 0
    kept: bool = False
    probe: str = "p1"

    def starts(
        self,
        turn: int,
        ahead_ns: int = 0,
        *,
        waited_ns: int = 0,
        spooled_ns: int | None = None,
        live_ns: int = 200 * MS_NS,
        age_told: bool = True,
        seq: int | None = None,
    ) -> float | str:
        """Where its report is dated in the end, in windows from the true one; spooled: it was kept at the office for so long, live: its age."""
        true_ns = NOW + turn * WINDOW_NS
        age_ns = live_ns if spooled_ns is None else spooled_ns
        received_ns = true_ns + MADE_AFTER + age_ns + waited_ns
        self.seq += seq is None
        envelope = self.make(
            seq or self.seq,
            probe=self.probe,
            start_ns=window_start(true_ns + ahead_ns),
            mono_ns=UP_NS + turn * WINDOW_NS - self.asleep_ns,
            clock=self.clock,
            boot=self.boot,
        )
        leaf = "report" if spooled_ns is None else "backlog"
        message = Message(
            f"tatpar/1/agra/{self.probe}/{leaf}",
            encode(envelope),
            received_ns,
            age_ms=age_ns // MS_NS if age_told else None,
            kept=self.kept,
        )
        found = sort([message], self.rules, self.memory, self.store)
        if found.batch.refused:
            assert [one.code for one in found.batch.refused] == [RefusalCode.UNDATED]
            assert found.batch.refused[0].envelope is None, (
                "its number is not accounted for: its owner keeps it"
            )
            return REFUSED
        [(report, _)] = found.reports
        return (report.envelope.start_ns - true_ns) / WINDOW_NS

    def restart_hub(self, *, kept: bool = False) -> None:
        """A collector that starts anew with what the one before has kept."""
        boots, said = self.memory.clocks.news()
        self.memory = Memory()
        self.memory.clocks.take_over(
            boots, {(one.site, one.probe): one.ahead_ns for one in said if one.ahead_ns}
        )
        self.kept = kept


@pytest.fixture
def office(make_envelope: Callable[..., Envelope], live: LiveConfig, store: SqliteStore) -> Office:
    return Office(
        make_envelope, Rules("tatpar/1", live.current.registry, Bounds(behind_ns=90 * DAY_NS)), store
    )


WRONG = [
    -3 * HOUR_NS - 4 * MINUTE_NS,
    -5 * HOUR_NS - 30 * MINUTE_NS,
    5 * HOUR_NS + 30 * MINUTE_NS,
    30 * MINUTE_NS,
    -DAY_NS,
    DAY_NS,
    -16 * 365 * DAY_NS,
    -NOW + 5 * MINUTE_NS,
]


@pytest.mark.parametrize("ahead_ns", WRONG)
def test_after_a_restart_of_the_hub_the_first_report_of_a_wrong_clock_is_dated_right(
    office: Office, ahead_ns: int
) -> None:
    for turn in range(3):
        office.starts(turn, ahead_ns)
    office.restart_hub()
    assert [office.starts(turn, ahead_ns) for turn in range(3, 6)] == [0, 0, 0]


@pytest.mark.parametrize("ahead_ns", WRONG)
def test_what_a_broker_kept_while_we_were_away_is_dated_right(office: Office, ahead_ns: int) -> None:
    """An hour of reports at once, of a boot that was known: a fast clock among them seems right for a minute, and is not."""
    for turn in range(3):
        office.starts(turn, ahead_ns)
    office.restart_hub(kept=True)
    back = 243
    assert {
        office.starts(turn, ahead_ns, waited_ns=(back - turn) * WINDOW_NS) for turn in range(3, back)
    } == {0}
    assert {office.starts(turn, ahead_ns) for turn in range(back, back + 4)} == {0}


@pytest.mark.parametrize("ahead_ns", [0, 10 * MINUTE_NS, *WRONG])
def test_what_was_kept_of_an_unknown_boot_is_not_guessed_at(office: Office, ahead_ns: int) -> None:
    """It is refused for now, and right when its owner sends it again; by then live reports have told when the boot began."""
    office.kept = True
    queued = [office.starts(turn, ahead_ns, waited_ns=(240 - turn) * WINDOW_NS) for turn in range(240)]
    assert queued == [REFUSED] * 240
    assert [office.starts(turn, ahead_ns) for turn in range(240, 244)] == [REFUSED, 0, 0, 0]
    again = [
        office.starts(turn, ahead_ns, spooled_ns=(250 - turn) * WINDOW_NS, seq=turn + 1)
        for turn in range(241)
    ]
    assert set(again) == {0}


@pytest.mark.parametrize("ahead_ns", WRONG)
def test_what_comes_first_need_not_be_examined_first(office: Office, ahead_ns: int) -> None:
    """Of a queue that is handed over in a moment, the newest may be the first whose turn it is."""
    office.kept = True
    queue = [
        office.starts(turn, ahead_ns, waited_ns=(4 - turn) * WINDOW_NS + turn * MS_NS)
        for turn in (3, 0, 1, 2)
    ]
    assert queue == [REFUSED] * 4


def test_a_probe_that_says_its_clock_is_kept_right_is_not_made_to_wait(office: Office) -> None:
    office.kept, office.clock = True, Clock(state=ClockState.SYNCHRONISED)
    assert {office.starts(turn, waited_ns=(240 - turn) * WINDOW_NS) for turn in range(240)} == {0}


def test_nobody_waits_for_ever(office: Office) -> None:
    """A boot that never tells when it began is taken at its word in the end."""
    office.kept = True
    assert office.starts(0, spooled_ns=MINUTE_NS) == REFUSED
    assert office.starts(60, spooled_ns=MINUTE_NS) == 0


@pytest.mark.parametrize("ahead_ns", WRONG)
def test_what_was_measured_before_the_clock_was_set_is_dated_right(office: Office, ahead_ns: int) -> None:
    """The network came up after the boot, and with it NTP and the way to us: live reports are right, the spool is not."""
    for turn in range(40, 43):
        assert office.starts(turn) == 0
    assert {office.starts(turn, ahead_ns, spooled_ns=(43 - turn) * WINDOW_NS) for turn in range(40)} == {0}


@pytest.mark.parametrize("ahead_ns", WRONG)
def test_what_was_measured_before_may_come_before_a_live_report(office: Office, ahead_ns: int) -> None:
    """The spool is sent as soon as there is a line; what cannot be told then comes again."""
    ages = {turn: (40 - turn) * WINDOW_NS + SECOND_NS for turn in range(40)}
    first = [office.starts(turn, ahead_ns, spooled_ns=age_ns) for turn, age_ns in ages.items()]
    assert set(first) <= {0, REFUSED}
    for turn in range(40, 43):
        assert office.starts(turn) == 0
    again = [
        office.starts(turn, ahead_ns, spooled_ns=ages[turn] + 4 * WINDOW_NS, seq=turn + 1)
        for turn, said in enumerate(first)
        if said == REFUSED
    ]
    assert set(again) <= {0}


def test_what_is_no_minute_old_is_of_before_as_well(office: Office) -> None:
    """It counts as live, and comes at once with the first that is fresh."""
    first = [
        office.starts(turn, -3 * HOUR_NS, live_ns=(2 - turn) * WINDOW_NS + SECOND_NS) for turn in range(3)
    ]
    assert first == [REFUSED] * 3, "the third is fresh, but one of its boot is in doubt"
    assert [office.starts(turn) for turn in (3, 4)] == [0, 0]
    assert [office.starts(turn, -3 * HOUR_NS, spooled_ns=(9 - turn) * WINDOW_NS) for turn in range(3)] == [
        0
    ] * 3


def test_a_truthful_spool_is_taken_at_once(office: Office) -> None:
    """Also of a boot that nobody knows: its dates and its ages agree."""
    assert {office.starts(turn, spooled_ns=(3000 - turn) * WINDOW_NS) for turn in range(0, 3000, 97)} == {0}


@pytest.mark.parametrize("ahead_s", [75, 90, 3600])
def test_a_fast_clock_is_dated_right_from_its_first_report_on(office: Office, ahead_s: int) -> None:
    """Nothing comes before it is made, so there is nothing to guess."""
    assert {abs(office.starts(turn, ahead_s * SECOND_NS)) <= 1 for turn in range(4)} == {True}  # type: ignore[arg-type]


@pytest.mark.parametrize("first_ns", WRONG)
@pytest.mark.parametrize("then_ns", [0, -30 * MINUTE_NS, 2 * HOUR_NS])
def test_a_clock_that_is_set_while_it_runs_is_followed_at_once(
    office: Office, first_ns: int, then_ns: int
) -> None:
    for turn in range(20):
        office.starts(turn, first_ns)
    assert [office.starts(turn, then_ns) for turn in range(20, 30)] == [0] * 10


def test_a_truthful_backlog_of_weeks_keeps_its_dates(office: Office) -> None:
    """However our restarts and its reports mix; its clock is only set now and then, and its monotonic one is slow by 100 ppm."""
    back = 28 * DAY_NS // WINDOW_NS

    def lost_ns(turn: int) -> int:
        return turn * WINDOW_NS // 10_000

    for number, turn in enumerate(range(3, back, 1009)):
        office.asleep_ns = lost_ns(back + number)
        assert office.starts(back + number) in {0, REFUSED}
        office.asleep_ns = lost_ns(turn)
        lost = lost_ns(back + number) - lost_ns(turn)
        told = office.starts(
            turn, spooled_ns=(back + number - turn) * WINDOW_NS - lost, waited_ns=lost + SECOND_NS
        )
        assert told in {0, REFUSED}
        assert told == 0 or number < 2, "only until live reports have told when the boot began"
        if number % 5 == 0:
            office.restart_hub(kept=number % 2 == 0)


@pytest.mark.parametrize("kept", [False, True])
def test_a_backlog_from_before_the_machine_slept_keeps_its_dates(office: Office, kept: bool) -> None:
    """Its monotonic clock stood still meanwhile, so its age is too small; its dates were right."""
    for turn in range(3):
        office.starts(turn)
    office.restart_hub(kept=kept)
    slept = office.asleep_ns = 2 * HOUR_NS
    assert [office.starts(turn) for turn in range(500, 503)] == [REFUSED if kept else 0, 0, 0]
    office.asleep_ns = 0
    for turn in range(3, 15):
        age_ns = (505 - turn) * WINDOW_NS - slept
        assert office.starts(turn, spooled_ns=age_ns, waited_ns=slept) == 0


def test_a_machine_that_slept_and_is_slow_otherwise_now(office: Office) -> None:
    """One report tells neither whether it slept nor whether the report waited; two do."""
    for turn in range(3):
        office.starts(turn, -3 * HOUR_NS)
    office.asleep_ns = 2 * HOUR_NS
    assert [office.starts(turn, -HOUR_NS) for turn in range(500, 503)] == [REFUSED, 0, 0]


@pytest.mark.parametrize("ahead_ns", [0, -3 * HOUR_NS])
def test_what_was_measured_after_the_machine_slept_may_come_before_a_live_report(
    office: Office, ahead_ns: int
) -> None:
    """It woke without a line. That it slept is not known yet: until it is, nothing is moved by what it slept."""
    for turn in range(3):
        office.starts(turn, ahead_ns)
    office.kept, office.asleep_ns = True, 2 * HOUR_NS
    spooled = {turn: (540 - turn) * WINDOW_NS for turn in range(500, 536)}
    assert {office.starts(turn, ahead_ns, spooled_ns=age_ns) for turn, age_ns in spooled.items()} == {REFUSED}
    assert {office.starts(turn, ahead_ns) for turn in range(540, 543)} == {0}
    again = [office.starts(turn, ahead_ns, spooled_ns=age_ns + MINUTE_NS) for turn, age_ns in spooled.items()]
    assert set(again) == {0}


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("ahead_ns", [0, -HOUR_NS])
def test_no_office_is_refused_for_long(office: Office, ahead_ns: int, known: bool, kept: bool) -> None:
    """Its line delays every other report by ten seconds, so that no two tell the same: after a minute they are taken all the same."""
    if known:
        for turn in range(3):
            office.starts(turn, -3 * HOUR_NS)
        office.asleep_ns = 2 * HOUR_NS
    office.kept = kept
    told = [
        office.starts(turn, ahead_ns, waited_ns=turn % 2 * 10 * SECOND_NS, live_ns=11 * SECOND_NS)
        for turn in range(500, 540)
    ]
    assert REFUSED not in told[6:]


def test_a_line_that_was_slow_alike_is_found_out_when_it_is_not(office: Office) -> None:
    """Nothing comes before it is made: the first report that comes sooner tells."""
    delayed = [office.starts(turn, -3 * HOUR_NS, waited_ns=90 * SECOND_NS) for turn in range(4)]
    assert delayed[-1] == 6
    assert [office.starts(turn, -3 * HOUR_NS) for turn in range(4, 8)] == [0] * 4


def test_an_earlier_boot_of_a_wrong_clock_is_placed_without_an_age(office: Office) -> None:
    """The power failed while reports waited; their age is known by real time alone, but that boot was known."""
    for turn in range(3):
        office.starts(turn, -3 * HOUR_NS)
    office.boot = "boot-2"
    office.asleep_ns = UP_NS - MINUTE_NS
    for turn in range(40, 43):
        office.starts(turn)
    office.boot, office.asleep_ns = "boot-1", 0
    assert {
        office.starts(turn, -3 * HOUR_NS, spooled_ns=40 * WINDOW_NS, age_told=False) for turn in range(3, 20)
    } == {0}


@pytest.mark.parametrize("then_ns", [0, *WRONG])
def test_a_machine_whose_clock_was_wrong_is_not_believed_after_a_restart(
    office: Office, then_ns: int
) -> None:
    """Its battery is dead: one report tells neither whether it is slow again nor whether it waited. A right clock needs no waiting."""
    for turn in range(3):
        office.starts(turn, -3 * HOUR_NS)
    office.restart_hub()
    office.boot, office.asleep_ns = "boot-2", UP_NS
    told = [office.starts(turn, then_ns) for turn in range(40, 44)]
    assert set(told[:1]) <= {0, REFUSED}
    assert told[1:] == [0, 0, 0]
    assert then_ns or told[0] == 0


def test_two_probes_of_one_office_are_judged_apart(office: Office) -> None:
    other = Office(office.make, office.rules, office.store, office.memory, probe="p2")
    for turn in range(6):
        office.starts(turn, -3 * HOUR_NS)
        assert other.starts(turn) == 0
    assert office.starts(6, -3 * HOUR_NS) == 0
    said = [(one.probe, one.ahead_ns) for one in office.memory.clocks.news()[1]]
    assert said == [("p1", -3 * HOUR_NS)]


@pytest.mark.parametrize("by_ns", [-HOUR_NS, HOUR_NS])
@pytest.mark.parametrize("ahead_ns", [0, *WRONG])
def test_our_own_clock_may_be_set(office: Office, by_ns: int, ahead_ns: int) -> None:
    """It was wrong by as much; once it is right, who is right is not taken for wrong, and who is wrong stays known."""
    ours = ManualClock(NOW)
    office.memory.clocks.watch(ours)
    for turn in range(5):
        office.starts(turn, ahead_ns, waited_ns=-by_ns)
        ours.advance(WINDOW_NS)
    ours.step(by_ns)
    assert [office.starts(turn, ahead_ns) for turn in range(5, 10)] == [0] * 5


def test_a_hub_that_is_slow_makes_no_clock_slow(office: Office) -> None:
    """Every report waits for twenty minutes, for five: the boot is known, and tells that they wait."""
    for turn in range(3):
        office.starts(turn)
    assert {office.starts(turn, waited_ns=20 * MINUTE_NS) for turn in range(3, 23)} == {0}


def test_what_is_said_of_a_clock_comes_and_goes(office: Office) -> None:
    clocks: OfficeClocks = office.memory.clocks
    for turn in range(4):
        office.starts(turn, 3 * HOUR_NS)
    assert [one.ahead_ns for one in clocks.news()[1]] == [3 * HOUR_NS]
    for turn in range(4, 8):
        office.starts(turn)
    assert [one.ahead_ns for one in clocks.news()[1]] == [0]
    assert clocks.news() == ([], [])
