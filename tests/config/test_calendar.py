"""Meetings through time: zones, rules, exceptions, changed times, and the cache."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from config.calendar import Calendar
from config.load import LAB_MEETINGS, load_config

if TYPE_CHECKING:
    from conftest import Meet, Write

    from config.config import Config

DAY_NS = 86_400 * 10**9
KOLKATA = ZoneInfo("Asia/Kolkata")


def ns(text: str, zone: str = "Asia/Kolkata") -> int:
    """The instant of a local time, as `2026-11-24 11:00`."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**9


def starts(config: Config, first: str, days: int, zone: str = "Asia/Kolkata") -> list[str]:
    """Local start times of the occurrences of some days."""
    found = config.calendar.occurrences(ns(first, zone), ns(first, zone) + days * DAY_NS)
    return [f"{datetime.fromtimestamp(one.starts_ns // 10**9, ZoneInfo(zone)):%m-%d %H:%M}" for one in found]


WEEKLY = """
UID:w
SUMMARY:समीक्षा
DTSTART;TZID=Asia/Kolkata:20261102T110000
DURATION:PT1H30M
RRULE:FREQ=WEEKLY;BYDAY=MO,WE
ATTENDEE:region:braj
"""


def test_weekly_rule_gives_the_known_days(meet: Meet) -> None:
    """A weekly rule gives its days at its local hour, with the end and the identity of each time."""
    config = meet(WEEKLY)
    assert starts(config, "2026-11-16 00:00", 14) == [
        "11-16 11:00",
        "11-18 11:00",
        "11-23 11:00",
        "11-25 11:00",
    ]
    first = config.calendar.occurrences(ns("2026-11-16 00:00"), ns("2026-11-17 00:00"))[0]
    assert first.starts_ns == first.recurrence_ns == ns("2026-11-16 11:00")
    assert first.ends_ns == ns("2026-11-16 12:30")
    assert (first.meeting.end, first.meeting.profile, len(first.meeting.invited)) == (
        "state",
        "video-720p",
        16,
    )


def test_exdates_take_out_their_times_however_they_are_written(meet: Meet) -> None:
    """An exception in the meeting's zone, without a zone, in UTC, as a whole day, or several on a line: all count."""
    config = meet(
        WEEKLY
        + "EXDATE;TZID=Asia/Kolkata:20261104T110000\nEXDATE:20261109T110000,20261111T110000\n"
        + "EXDATE:20261116T053000Z\nEXDATE;VALUE=DATE:20261118\n"
    )
    assert starts(config, "2026-11-01 00:00", 24) == ["11-02 11:00", "11-23 11:00"]
    assert config.calendar.remarks == ()


def test_exdate_that_excludes_nothing_is_remarked(meet: Meet) -> None:
    """An exception at a time that the meeting does not have is told by its line, and changes nothing."""
    config = meet(WEEKLY + "EXDATE;TZID=Asia/Kolkata:20261104T120000\n")
    assert len(starts(config, "2026-11-01 00:00", 7)) == 2
    (remark,) = config.calendar.remarks
    assert "own.ics:10: EXDATE 2026-11-04 12:00 excludes nothing" in remark


def test_rdate_adds_times(meet: Meet) -> None:
    """An added time takes place beside the rule's, once even when the rule gives it too."""
    config = meet(WEEKLY + "RDATE;TZID=Asia/Kolkata:20261106T160000,20261104T110000\n")
    assert starts(config, "2026-11-02 00:00", 7) == ["11-02 11:00", "11-04 11:00", "11-06 16:00"]


def test_moved_time_keeps_its_identity(meet: Meet) -> None:
    """A moved time has its new start and its old identity, and takes what it does not say from the series."""
    config = meet(
        WEEKLY + "X-TATPAR-PROFILE:audio\nX-TATPAR-TITLE-EN:Review\n",
        "UID:w\nRECURRENCE-ID;TZID=Asia/Kolkata:20261104T110000\nDTSTART;TZID=Asia/Kolkata:20261105T150000\n"
        "DURATION:PT2H\nATTENDEE:site:agra\n",
    )
    assert starts(config, "2026-11-02 00:00", 7) == ["11-02 11:00", "11-05 15:00"]
    moved = config.calendar.occurrences(ns("2026-11-05 00:00"), ns("2026-11-06 00:00"))[0]
    assert moved.recurrence_ns == ns("2026-11-04 11:00")
    assert moved.ends_ns - moved.starts_ns == 7200 * 10**9
    assert moved.meeting.invited == ("agra",)
    assert (moved.meeting.profile, moved.meeting.title, moved.meeting.title_en) == (
        "audio",
        "समीक्षा",
        "Review",
    )
    assert config.calendar.find("w", moved.recurrence_ns, moved.starts_ns) == moved
    assert config.calendar.find("w", moved.starts_ns, moved.starts_ns) is None


def test_time_moved_far_away_is_found_where_it_went(meet: Meet) -> None:
    """A time that was moved by months is found at its new place, and gone from the old."""
    config = meet(
        WEEKLY,
        "UID:w\nRECURRENCE-ID:20261104T053000Z\nDTSTART;TZID=Asia/Kolkata:20270305T150000\nDURATION:PT1H\n",
    )
    assert starts(config, "2026-11-02 00:00", 7) == ["11-02 11:00"]
    assert starts(config, "2027-03-05 00:00", 1) == ["03-05 15:00"]


def test_cancelled_time_and_cancelled_meeting_do_not_take_place(meet: Meet) -> None:
    """STATUS:CANCELLED takes out one time of a series, or the whole meeting."""
    cancelled = (
        "UID:w\nRECURRENCE-ID;TZID=Asia/Kolkata:20261104T110000\nDTSTART;TZID=Asia/Kolkata:20261104T110000\n"
        "DURATION:PT1H\nSTATUS:CANCELLED\n"
    )
    assert starts(meet(WEEKLY, cancelled), "2026-11-02 00:00", 7) == ["11-02 11:00"]
    config = meet(WEEKLY + "STATUS:CANCELLED\n")
    assert starts(config, "2026-11-02 00:00", 7) == []
    assert config.calendar.meetings == ()


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20261109T053000Z", "11-09 11:00"),
        ("20261109T052959Z", "11-04 11:00"),
        ("20261109", "11-09 11:00"),
        ("20261109T110000", "11-09 11:00"),
    ],
)
def test_until_includes_its_moment_and_a_day_includes_the_day(until: str, last: str, meet: Meet) -> None:
    """UNTIL is inclusive; without a zone it is in the meeting's, and a mere day counts to its end."""
    config = meet(WEEKLY.replace("BYDAY=MO,WE", f"BYDAY=MO,WE;UNTIL={until}"))
    assert starts(config, "2026-11-01 00:00", 60)[-1] == last


def test_count_and_monthly_rules(meet: Meet) -> None:
    """COUNT counts from the start, and a monthly weekday counts within the month."""
    config = meet(WEEKLY.replace("BYDAY=MO,WE", "BYDAY=MO,WE;COUNT=3"))
    assert starts(config, "2026-11-01 00:00", 60) == ["11-02 11:00", "11-04 11:00", "11-09 11:00"]
    config = meet(WEEKLY.replace("20261102", "20261114").replace("WEEKLY;BYDAY=MO,WE", "MONTHLY;BYDAY=2SA"))
    assert starts(config, "2026-11-01 00:00", 100) == ["11-14 11:00", "12-12 11:00", "01-09 11:00"]
    config = meet(WEEKLY.replace("20261102", "20261130").replace("WEEKLY;BYDAY=MO,WE", "MONTHLY;BYDAY=-1MO"))
    assert starts(config, "2026-11-01 00:00", 60) == ["11-30 11:00", "12-28 11:00"]
    config = meet(
        WEEKLY.replace("20261102", "20261130").replace("WEEKLY;BYDAY=MO,WE", "MONTHLY;BYMONTHDAY=-1")
    )
    assert starts(config, "2026-11-01 00:00", 95) == ["11-30 11:00", "12-31 11:00", "01-31 11:00"]


def test_times_without_a_zone_are_in_the_deployments(meet: Meet) -> None:
    """A floating start is local to the deployment; one in UTC is not."""
    floating = WEEKLY.replace("DTSTART;TZID=Asia/Kolkata:", "DTSTART:")
    assert starts(meet(floating), "2026-11-02 00:00", 1) == ["11-02 11:00"]
    berlin = meet(floating, settings="[deployment]\ntimezone = 'Europe/Berlin'\n")
    assert starts(berlin, "2026-11-02 00:00", 1, "Europe/Berlin") == ["11-02 11:00"]
    utc = meet(floating.replace("110000", "110000Z"))
    assert starts(utc, "2026-11-02 00:00", 1) == ["11-02 16:30"]


def test_local_hour_stays_when_the_clocks_change(meet: Meet) -> None:
    """A weekly meeting in Berlin stays at its local hour across summer time, and lasts as long in real time."""
    config = meet(
        "UID:b\nSUMMARY:Runde\nDTSTART;TZID=Europe/Berlin:20260320T100000\nDTEND;TZID=Europe/Berlin:20260320T110000\n"
        "RRULE:FREQ=WEEKLY\nATTENDEE:all\n"
    )
    assert starts(config, "2026-03-20 00:00", 15, "UTC") == ["03-20 09:00", "03-27 09:00", "04-03 08:00"]
    assert starts(config, "2026-10-20 00:00", 15, "UTC") == ["10-23 08:00", "10-30 09:00"]


def test_meeting_over_the_night_of_the_change_has_its_exact_length(meet: Meet) -> None:
    """A meeting that runs through the change of the clocks lasts as many real hours as on any other night."""
    config = meet(
        "UID:n\nSUMMARY:Nacht\nDTSTART;TZID=Europe/Berlin:20261001T010000\nDTEND;TZID=Europe/Berlin:20261001T050000\n"
        "RRULE:FREQ=DAILY\nATTENDEE:all\n"
    )
    for night in ("2026-10-25", "2027-03-28", "2026-12-01"):
        found = config.calendar.occurrences(
            ns(f"{night} 00:30", "Europe/Berlin"), ns(f"{night} 23:00", "Europe/Berlin")
        )
        assert [one.ends_ns - one.starts_ns for one in found] == [4 * 3600 * 10**9]
        assert found[0].starts_ns == ns(f"{night} 01:00", "Europe/Berlin")


def test_zones_by_other_names_and_own_zones_are_understood(meet: Meet) -> None:
    """Windows names, globally unique names and zones that the file itself defines give the right instant."""
    own = (
        "BEGIN:VTIMEZONE\nTZID:Our Time\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0530\n"
        "TZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE"
    )
    for name in ("India Standard Time", "/vendor.example/Asia/Kolkata", "Our Time", '"Asia/Kolkata"'):
        config = meet(own, WEEKLY.replace("Asia/Kolkata", name))
        assert starts(config, "2026-11-02 00:00", 1) == ["11-02 11:00"], name


def test_occurrences_are_those_that_overlap_the_span(meet: Meet) -> None:
    """The span is open at its end; a meeting that began before it and still runs belongs to it."""
    config = meet(WEEKLY.replace("PT1H30M", "PT24H"))
    began = ns("2026-11-02 11:00")
    asked = config.calendar.occurrences
    assert len(asked(began, began + 1)) == 1
    assert asked(began - DAY_NS, began) == []
    assert len(asked(began + DAY_NS - 1, began + DAY_NS)) == 1
    assert asked(began + DAY_NS, began + DAY_NS + 10) == []
    assert asked(began, began) == []
    assert len(asked(began, began + 14 * DAY_NS)) == 4


def test_occurrences_are_sorted_by_start_then_uid(meet: Meet) -> None:
    """Meetings at the same time come in the order of their UIDs."""
    config = meet(WEEKLY.replace("UID:w", "UID:z"), WEEKLY.replace("UID:w", "UID:a"))
    found = config.calendar.occurrences(ns("2026-11-02 00:00"), ns("2026-11-05 00:00"))
    assert [one.meeting.uid for one in found] == ["a", "z", "a", "z"]


def test_empty_calendar_has_no_occurrences() -> None:
    """Without meetings there is nothing at any time."""
    assert Calendar().occurrences(0, 10**18) == []


def test_default_calendar_of_a_known_week() -> None:
    """The built-in meetings of the week of 9 November 2026, in which the leadership review is left out."""
    config = load_config()
    found = config.calendar.occurrences(ns("2026-11-09 00:00"), ns("2026-11-16 00:00"))
    by_uid: dict[str, list[str]] = {}
    for one in found:
        local = datetime.fromtimestamp(one.starts_ns // 10**9, KOLKATA)
        by_uid.setdefault(one.meeting.uid.split("@")[0], []).append(f"{local:%a %H:%M}")
    assert by_uid == {
        "morning-review": [f"{day} 11:00" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")],
        "evening-review": [f"{day} 18:00" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat")],
        "review-west": ["Mon 14:00"],
        "review-braj": ["Tue 14:00"],
        "review-kanpur": ["Wed 14:00"],
        "review-awadh": ["Thu 14:00"],
        "review-kashi": ["Fri 15:30"],
        "review-gorakhpur": ["Sat 15:30"],
    }
    december = config.calendar.occurrences(ns("2026-12-12 00:00"), ns("2026-12-13 00:00"))
    assert "leadership-review@tatpar.example" in {one.meeting.uid for one in december}
    assert config.calendar.remarks == ()
    assert all(one.meeting.title_en and one.meeting.title != one.meeting.title_en for one in found)


def test_lab_meetings_drill_every_three_hours() -> None:
    """The lab's calendar has a drill of half an hour every three hours from 07:00 to 22:00, region after region, beside the others."""
    config = load_config(extra_meetings=[LAB_MEETINGS])
    found = config.calendar.occurrences(ns("2026-11-24 00:00"), ns("2026-11-25 00:00"))
    drills = [one for one in found if one.meeting.uid.startswith("lab-drill")]
    assert [(one.starts_ns - ns("2026-11-24 00:00")) // (3600 * 10**9) for one in drills] == list(
        range(7, 23, 3)
    )
    assert {one.ends_ns - one.starts_ns for one in drills} == {1800 * 10**9}
    assert all(0 < len(one.meeting.invited) < 92 and one.meeting.end == "state" for one in drills)
    assert {site for one in drills for site in one.meeting.invited} == set(config.registry.by_id)
    assert len(found) > len(drills)


def test_a_region_without_offices_is_left_out(meet: Meet, write: Write) -> None:
    """A meeting of a region that has no offices yet is no mistake: it does not take place, and a remark says so."""
    write("own.csv", "id,name_en,name_hi,region,lat,lon,status\nagra,Agra,आगरा,west,27.18,78.01,linked\n")
    calendar = meet(WEEKLY, settings="sites = 'own.csv'\n").calendar
    assert not calendar.occurrences(ns("2026-11-01 00:00"), ns("2026-12-01 00:00"))
    assert "have no offices" in calendar.remarks[0]


def test_asking_again_is_cheap_with_thousands_of_meetings(meet: Meet) -> None:
    """With 2,000 series of many years, a week is expanded once, and asking again costs a few milliseconds."""
    events = [
        WEEKLY.replace("UID:w", f"UID:m{number}")
        .replace("20261102", "20100104")
        .replace("region:braj", "site:agra")
        for number in range(2000)
    ]
    config = meet(*events)
    now = ns("2026-11-24 10:00")
    began = time.process_time()
    first = config.calendar.occurrences(now, now + 2 * DAY_NS)
    expanded = time.process_time()
    for second in range(20):
        config.calendar.occurrences(now + second * 10**9, now + second * 10**9 + 2 * DAY_NS)
    asked = time.process_time()
    assert len(first) == 2000
    assert expanded - began < 15
    assert (asked - expanded) / 20 < 0.02


def test_cache_is_bounded(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far the questions range, only so many spans are kept, and the answers stay the same."""
    monkeypatch.setattr("config.calendar._SPANS_KEPT", 3)
    config = meet(WEEKLY)
    once = starts(config, "2026-11-02 00:00", 70)
    assert starts(config, "2026-11-02 00:00", 70) == once
    assert len(config.calendar._spans) == 3
    assert len(once) == 20


def test_far_past_and_future_are_answered(meet: Meet) -> None:
    """A time before the first meeting, or decades after it, is a question like any other."""
    config = meet(WEEKLY)
    assert starts(config, "2026-10-01 00:00", 7) == []
    assert starts(config, "2060-11-01 00:00", 7) == ["11-01 11:00", "11-03 11:00"]


HEADQUARTERS = """
[[headquarters]]
id = "{0}"
name_en = "{0}"
name_hi = "{0}"
reflectors = ["10.0.0.1:862"]
"""


def test_built_in_meetings_fit_headquarters_of_ones_own(write: Write) -> None:
    """With other headquarters than ours the built-in meetings connect to the default one, and that is said once."""
    for own, settings in (("state", ""), ("hq", '[meetings]\ndefault_end = "hq"\n')):
        config = load_config(write("own.toml", settings + HEADQUARTERS.format(own)))
        assert {meeting.end for meeting in config.calendar.meetings} == {own}
        said = [remark for remark in config.calendar.remarks if '"national"' in remark]
        assert said == [
            f'there is no headquarters "national" here: built-in meetings there connect to "{own}"'
        ]


def test_built_in_meetings_of_regions_that_are_not_ours_are_left_out(write: Write) -> None:
    """With regions of one's own the meetings of ours are left out, said once; those that invite all stay."""
    write("sites.csv", "id,name_en,name_hi,region,lat,lon,status\nx1,X,X,north,20,80,linked\n")
    config = load_config(write("own.toml", '[[regions]]\nid = "north"\nname_en = "N"\nname_hi = "N"\n'))
    assert {meeting.invited for meeting in config.calendar.meetings} == {("x1",)}
    (said,) = config.calendar.remarks
    assert said.startswith("built-in meetings whose regions have no offices here are left out: ")
    assert said.count("@tatpar.example") == 6


def test_a_built_in_meeting_gives_way_to_ones_own_of_the_same_uid(meet: Meet, write: Write) -> None:
    """Someone who copies the drills into a calendar keeps theirs."""
    uid = "lab-drill-west@tatpar.example"
    text = f"UID:{uid}\nDTSTAMP:20261101T000000Z\nSUMMARY:Own\nDTSTART:20261201T050000Z\nDURATION:PT1H\nATTENDEE:all"
    meet(text)
    config = load_config(write("own.toml", "[files]\nmeetings = 'own.ics'\n"), extra_meetings=[LAB_MEETINGS])
    assert [meeting.title for meeting in config.calendar.meetings if meeting.uid == uid] == ["Own"]
    assert "gives way to the one of" in config.calendar.remarks[0]
