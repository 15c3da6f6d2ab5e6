"""Lines that come and go: held back, kept together, damped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.alerts.scenarios.house import House


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
