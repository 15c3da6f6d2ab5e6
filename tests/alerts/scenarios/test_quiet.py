"""When nothing is said: quiet hours by the clock on the wall, silences, announced works, offices not yet linked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from alerts.quiet import is_quiet, quiet_until_ns
from config.people import Person, Role
from telemetry.alerting import Silence
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_NS


def sleeper(*quiet: tuple[int, int]) -> Person:
    return Person(id="asha", name="Asha", role=Role.IN_CHARGE, quiet=quiet)


NIGHT = (22 * 60, 6 * 60 + 30)


@pytest.mark.parametrize(
    ("zone", "at", "until"),
    [
        ("Asia/Kolkata", "2026-11-24T21:59:59+05:30", "2026-11-24T21:59:59+05:30"),
        ("Asia/Kolkata", "2026-11-24T22:00:00+05:30", "2026-11-25T06:30:00+05:30"),
        ("Asia/Kolkata", "2026-11-25T06:29:59+05:30", "2026-11-25T06:30:00+05:30"),
        # the night in which the clock is put forward: it is an hour shorter, and still ends at half past six
        ("Europe/Berlin", "2026-03-28T22:00:00+01:00", "2026-03-29T06:30:00+02:00"),
        ("Europe/Berlin", "2026-03-29T06:29:59+02:00", "2026-03-29T06:30:00+02:00"),
        # and in which it is put back: an hour longer
        ("Europe/Berlin", "2026-10-24T22:00:00+02:00", "2026-10-25T06:30:00+01:00"),
        ("Europe/Berlin", "2026-10-25T06:29:59+01:00", "2026-10-25T06:30:00+01:00"),
        ("Europe/Berlin", "2026-10-25T05:45:00+01:00", "2026-10-25T06:30:00+01:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(zone: str, at: str, until: str) -> None:
    """In a zone without daylight saving, and over both changes of one with it."""
    assert quiet_until_ns(sleeper(NIGHT), ns(at), ZoneInfo(zone)) == ns(until)


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    """02:00 to 03:00 in the night of the change back; in spring that hour never comes."""
    zone = ZoneInfo("Europe/Berlin")
    person = sleeper((120, 180))
    assert is_quiet(person, ns("2026-10-25T02:30:00+02:00"), zone)
    assert is_quiet(person, ns("2026-10-25T02:30:00+01:00"), zone)
    assert not is_quiet(person, ns("2026-10-25T03:00:00+01:00"), zone)
    assert not is_quiet(person, ns("2026-03-29T01:59:00+01:00"), zone)
    assert not is_quiet(person, ns("2026-03-29T03:00:00+02:00"), zone)


def test_spans_that_leave_no_minute_mean_nothing() -> None:
    """Somebody who wrote that every minute is quiet is told two days later at the latest."""
    person = sleeper((0, 720), (720, 0))
    now_ns = ns("2026-11-24T10:00:00+05:30")
    assert quiet_until_ns(person, now_ns, ZoneInfo("Asia/Kolkata")) == now_ns + 48 * 3600 * SECOND_NS


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Asia/Kolkata", "2026-11-24"), ("Europe/Berlin", "2026-03-28"), ("Europe/Berlin", "2026-10-24")],
)
def test_at_night_nobody_is_woken_for_tomorrow(build: Build, zone: str, day: str) -> None:
    """Not ready at 23:00 for 10:00: told at half past six by the clock on the wall, in every zone and season."""
    house = build(zone=zone, day=day, meeting="")
    tomorrow = f"{day[:-2]}{int(day[-2:]) + 1}"
    house.meets("review", f"{tomorrow} 10:00").at("23:00").not_ready("agra")
    house.run(f"{tomorrow} 06:25", every_s=600).run(f"{tomorrow} 06:31")
    assert house.told == ["+1d 06:30:00 site:agra raised not_ready agra"]


def test_what_is_urgent_wakes_people(build: Build) -> None:
    """A meeting at 23:00: a fault at 22:20 is a warning, and waits; from half an hour before it is urgent, and does not."""
    house = build(meeting="23:00").at("22:20").not_ready("agra").run("22:31")
    assert house.told == [
        "22:20:15 ravi raised not_ready agra",  # has no quiet hours: who sleeps does not hold up who is awake
        "22:30:00 site:agra raised not_ready agra",
        "22:30:15 noc-desk escalated not_ready agra",
    ]


def test_the_all_clear_waits_for_the_morning(build: Build) -> None:
    """Told in the evening, well again at night."""
    house = build(meeting="2026-11-25 10:00").at("21:50").not_ready("agra").run("22:10")
    house.ready("agra").run("22:20").run("2026-11-25 07:00", every_s=600)
    assert house.told == [
        "21:50:15 site:agra raised not_ready agra",
        "+1d 06:30:00 site:agra resolved not_ready agra",
    ]


def silence(house: House, what: str, start: str, until: str) -> None:
    house.state.put_silence(
        Silence(id=what, what=what, from_ns=house._ns(start), until_ns=house._ns(until), by="ravi")
    )


@pytest.mark.parametrize("what", ["site:agra", "region:braj", "all"])
def test_a_silence_keeps_quiet_and_the_trouble_is_told_when_it_ends(build: Build, what: str) -> None:
    """Nothing while it holds; then, if it is still so."""
    house = build().at("09:00")
    silence(house, what, "08:00", "10:00")
    house.not_ready("agra").run("10:05")
    assert house.told == ["10:00:00 site:agra raised not_ready agra"]


def test_a_silence_is_of_what_it_names(house: House) -> None:
    """Another office is told of; a silence that begins later begins to hold then; what is well again in it needs no word."""
    house.at("08:30")
    silence(house, "site:etah", "08:00", "23:00")
    silence(house, "site:agra", "08:40", "09:30")
    house.not_ready("agra", "etah").run("09:00").ready("agra").run("10:30")
    assert house.told == ["08:30:15 site:agra raised not_ready agra"]


def test_one_alert_can_be_silenced(house: House) -> None:
    """By its id, as `tatpar alerts silence` does."""
    house.at("09:00").not_ready("agra").run("09:01")
    silence(house, f"alert:{house.open[0].id}", "09:00", "23:00")
    house.not_ready("etah").run("10:58")
    assert house.told_of("site:agra") == ["09:00:15 site:agra raised not_ready agra"]
    assert {line.split()[-1] for line in house.told_of("noc-desk")} == {"etah"}


def test_announced_works_are_silent(house: House) -> None:
    """Works over the meeting, announced before: nobody is told of that office, at any time of them."""
    house.works("site:agra,works,2026-11-24 09:00,2026-11-24 12:30,2026-11-20,fibre moved")
    house.at("08:30").not_ready("agra", "etah").run("08:45").dark("agra").run("12:05", every_s=60)
    assert {line.split()[-1] for line in house.told} == {"etah"}


def test_works_that_begin_while_it_fires_stop_the_ladder(house: House) -> None:
    """No reminder and no rung, and no all-clear either while they last."""
    house.works("site:agra,works,2026-11-24 09:00,2026-11-24 10:00,2026-11-24 08:59,")
    house.at("08:30").not_ready("agra").run("10:58")
    assert house.told[:3] == [
        "08:30:15 site:agra raised not_ready agra",
        "10:00:00 ravi escalated not_ready agra",
        "10:00:15 site:agra reminded not_ready agra",
    ]
    assert house.told_of("noc-desk") == [
        "10:15:00 noc-desk escalated not_ready agra",
    ]


def test_works_announced_later_do_not_hush_what_came_before(house: House) -> None:
    """Nobody knows of them yet."""
    house.works("site:agra,works,2026-11-24 09:20,2026-11-24 12:00,2026-11-24 09:10,")
    house.at("08:30").not_ready("agra").run("08:31")
    assert house.told == ["08:30:15 site:agra raised not_ready agra"]


def test_an_office_that_is_not_linked_yet_is_silent(build: Build) -> None:
    """Planned offices are no surprise, and neither is one that the registry does not know."""
    house = build(planned=("kannauj",)).at("10:00").not_ready("kannauj", "atlantis", severe=True)
    house.silent("kannauj", "atlantis", since="08:00").run("10:58")
    assert house.told == []


def test_what_was_back_filled_alerts_nobody(house: House) -> None:
    """Yesterday's verdicts, spells and incidents, written today, are history: nothing comes of them."""
    house.meets("past", "2026-11-23 11:00").at("2026-11-23 10:00").not_ready("agra", "etah", meeting="past")
    house.silent("agra", since="2026-11-23 09:00").at("2026-11-23 12:30").heard("agra")
    house.at("10:00").run("10:30")
    assert house.told == []
    assert house.open == []
