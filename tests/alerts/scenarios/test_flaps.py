"""Lines that come and go: held back, kept together, damped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import FactorKind
from tests.alerts.scenarios.house import House

if TYPE_CHECKING:
    from pathlib import Path


def play(house: House, start: str, pattern: str) -> None:
    """One letter a window from a time on: `x` not ready, `.` ready."""
    house.at(start)
    for letter in pattern:
        (house.not_ready if letter == "x" else house.ready)("agra").look()
        house.now_ns += 15 * 10**9


def test_one_bad_window_of_three_wakes_nobody(house: House) -> None:
    """However long that goes on."""
    play(house, "10:00", "x.." * 40)
    assert house.told == []


def test_two_bad_windows_of_three_are_told(house: House) -> None:
    """Also when a good one lies between."""
    play(house, "10:00", "..x.x...")
    assert house.told == ["10:01:00 site:agra raised not_ready agra"]


def test_well_for_less_than_the_clear_time_is_not_over(house: House) -> None:
    """A minute of good windows in a long trouble: one message, and no all-clear."""
    play(house, "09:30", ("xxxx" + "....") * 10)
    assert house.told == ["09:30:15 site:agra raised not_ready agra"]


def test_a_line_that_keeps_coming_back_is_damped(house: House) -> None:
    """A minute bad, three minutes good, for an hour: told three times, then once for all, until it is well for half an hour."""
    for minute in range(0, 56, 4):
        house.at(f"09:{minute:02}").not_ready("agra", severe=True).run(f"09:{minute + 1:02}")
        house.ready("agra").run(f"09:{minute + 3:02}:45")
    assert house.told_of("site:agra")[:6] == [
        "09:00:00 site:agra raised not_ready agra",
        "09:03:00 site:agra resolved not_ready agra",
        "09:04:00 site:agra raised not_ready agra",
        "09:07:00 site:agra resolved not_ready agra",
        "09:08:00 site:agra raised not_ready agra",
    ]
    assert house.told_of("ravi") == ["09:28:00 ravi escalated not_ready agra"]
    house.run("10:30")
    over = [line for line in house.told if line.split()[2] == "resolved"][2:]
    assert over == [
        "10:23:00 site:agra resolved not_ready agra",
        "10:23:00 ravi resolved not_ready agra",
    ]


def _turns(house: House, start: str, pattern: str) -> House:
    """One letter a window: `r` the review alone is not ready, `n` the meeting at noon alone, `b` both, `.` none."""
    house.at(start)
    for letter in pattern:
        (house.not_ready if letter in "rb" else house.ready)("agra")
        (house.not_ready if letter in "nb" else house.ready)("agra", meeting="noon")
        house.look()
        house.now_ns += 15 * 10**9
    return house


@pytest.mark.parametrize("pattern", ["rrnn" * 8, "bbnn" * 8, "rrnnnnnn" * 4, "rrr.nn.." * 4])
def test_two_meetings_that_take_turns_are_one_alert(house: House, pattern: str) -> None:
    """The verdicts of two meetings of an office alternate: one id, told once, nothing over in between; at last one all-clear."""
    _turns(house.meets("noon", "12:30"), "09:00", pattern)
    (alert,) = house.open
    assert [line.split()[2] for line in house.told] == ["raised"]
    house.ready("agra").ready("agra", meeting="noon").run("10:00")
    assert house.open == []
    assert [line.split()[2] for line in house.told] == ["raised", "resolved"]
    assert {facts.alert for facts, *_ in house.facts} == {alert.id}


def test_an_earlier_meeting_that_is_in_danger_too_is_told_once(house: House) -> None:
    """Told of noon and taken up, then the review fails as well: who was told hears it, once, under the same id."""
    _turns(house.meets("noon", "12:30"), "09:00", "nnnn").takes_up("site:agra")
    _turns(house, "09:01", "bbnnrrnnbb")
    assert [
        (line.split()[2], facts.meeting) for line, (facts, *_) in zip(house.told, house.facts, strict=True)
    ] == [
        ("raised", "noon"),
        ("worse", "review"),
    ]
    assert len({facts.alert for facts, *_ in house.facts}) == 1


def test_what_is_at_risk_for_a_later_meeting_holds_up_no_all_clear(house: House) -> None:
    """The meeting that was told of is ready: those who were told hear it, though another one is at risk."""
    house.meets("noon", "12:30").at("09:00").not_ready("agra").run("09:01")
    house.ready("agra").at_risk("agra", meeting="noon").run("09:10")
    assert [line.split()[2] for line in house.told] == ["raised", "resolved"]


def test_returns_are_counted_by_office(house: House) -> None:
    """Well for three minutes, then another meeting's turn: a line that keeps coming back is damped, whichever meeting it is."""
    house.meets("noon", "12:30")
    for turn in range(3):
        start = f"09:{10 * turn:02}"
        _turns(house, start, ("nnnn", "rrrr")[turn % 2] + "." * 12)
    flaps = [len(alert.flaps) for alert in house.state.alerts(0, house.now_ns + 1)]
    assert flaps == [0, 1, 2]


def test_a_later_meeting_is_told_of_when_the_first_is_well(house: House) -> None:
    """Told of the review and taken up; it is ready again and noon is not: that is not what was taken up, and noon is told as a new trouble."""
    house.meets("noon", "14:30").at("09:00").not_ready("agra").run("09:01").takes_up("site:agra")
    assert [alert.acknowledged_by for alert in house.open] == ["site:agra"]
    house.ready("agra").not_ready("agra", meeting="noon").run("09:10").restart().run("14:30", 60)
    assert house.told == [
        "09:00:15 site:agra raised not_ready agra",
        "09:03:00 site:agra raised not_ready agra",
        "12:30:00 ravi escalated not_ready agra",
        "12:31:00 site:agra reminded not_ready agra",
        "13:30:00 noc-desk escalated not_ready agra",
        "14:00:00 site:agra reminded not_ready agra",
        "14:20:00 site:agra reminded not_ready agra",
    ]
    assert [facts.meeting for facts, *_ in house.facts] == ["review", *["noon"] * 6]
    assert len({facts.alert for facts, *_ in house.facts}) == 1


def test_of_meetings_that_are_over_no_later_one_is_taken_as_told(house: House) -> None:
    """Told of the review, then of the evening; long after the review noon fails: it comes before the evening, and is told at once."""
    house.meets("noon", "13:30").meets("late", "18:00")
    house.at("09:00").not_ready("agra").run("09:01").ready("agra").not_ready("agra", meeting="late").run(
        "12:15", 60
    )
    house.takes_up("site:agra").not_ready("agra", meeting="noon").run("12:20", 60)
    assert [(line.split()[0], line.split()[2]) for line in house.told] == [
        ("09:00:15", "raised"),
        ("09:03:00", "raised"),
        ("12:15:00", "worse"),
    ]
    assert [facts.meeting for facts, *_ in house.facts] == ["review", "late", "noon"]


def test_a_trouble_of_its_own_again_is_told_once(house: House) -> None:
    """Told of noon, then not their line for the review, then their own again: one message, and none that it is worse."""
    offices = ("agra", "etah", "mathura")
    house.meets("noon", "13:30").at("09:20").not_ready("agra", meeting="noon").run("09:21")
    house.not_ready("agra").ready("agra", meeting="noon")
    house.incident(FactorKind.PROVIDER, "provider-b", *offices).run("09:30")
    house.incident(FactorKind.PROVIDER, "provider-b", *offices, until="now").run("09:45")
    assert house.told_of("site:agra") == [
        "09:20:15 site:agra raised not_ready agra",
        "09:21:00 site:agra raised not_your_line agra",
        "09:32:00 site:agra raised not_ready agra",
    ]


def test_alerts_that_go_on_with_another_meeting_are_no_crowd(tmp_path: Path) -> None:
    """Four offices that were told of long ago turn to another meeting in one moment: a fifth that fails then is not held back for their sake."""
    four = ("agra", "etah", "hathras", "mathura")
    house = House(tmp_path, offices=(*four, "firozabad")).meets("noon", "13:30")
    house.at("09:00").not_ready(*four).run("09:05")
    house.ready(*four).not_ready(*four, meeting="noon").not_ready("firozabad", severe=True).run("09:06")
    assert house.told_of("site:firozabad") == ["09:05:00 site:firozabad raised not_ready firozabad"]
    house.close()
