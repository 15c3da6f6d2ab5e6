"""Rules of days and weeks against a second, plain expansion: one walks the days, the other asks the library."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from config.attendees import GuestBook
from config.calendar_files import Surroundings, read_calendar
from config.load import DEFAULT_SITES
from config.profiles_file import DEFAULT_PROFILES, read_profiles
from config.settings import Settings
from config.sites_file import read_sites

if TYPE_CHECKING:
    import pytest

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAY_NS = 86_400 * 10**9
SETTINGS = Settings()
REGISTRY = read_sites(DEFAULT_SITES, [region.id for region in SETTINGS.regions])
AROUND = Surroundings(
    guests=GuestBook(REGISTRY, SETTINGS.regions),
    profiles=read_profiles(DEFAULT_PROFILES),
    headquarters=("state", "national"),
    offices=REGISTRY.by_id,
    floating=ZoneInfo("Asia/Kolkata"),
    default_profile="video-720p",
    default_end="state",
)


class Rule(NamedTuple):
    zone: str
    first: date
    hour: int
    weekly: bool
    interval: int
    days: frozenset[int]
    until: int | None  # days after the first
    count: int | None
    excluded: frozenset[int]  # days after the first

    def text(self) -> str:
        parts = ["FREQ=WEEKLY" if self.weekly else "FREQ=DAILY", f"INTERVAL={self.interval}"]
        if self.days:
            parts.append("BYDAY=" + ",".join(DAYS[day] for day in sorted(self.days)))
        if self.until is not None:
            parts.append(f"UNTIL={self.first + timedelta(days=self.until):%Y%m%d}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        exceptions = "".join(
            f"EXDATE;TZID={self.zone}:{self.first + timedelta(days=day):%Y%m%d}T{self.hour:02d}0000\n"
            for day in sorted(self.excluded)
        )
        return (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nSUMMARY:x\nATTENDEE:all\nDURATION:PT1H\n"
            f"DTSTART;TZID={self.zone}:{self.first:%Y%m%d}T{self.hour:02d}0000\nRRULE:{';'.join(parts)}\n"
            f"{exceptions}END:VEVENT\nEND:VCALENDAR\n"
        )

    def walked(self, days: int) -> list[int]:
        """Start times, ns, of the first days of the series, by walking them."""
        found, taken = [], 0
        monday = self.first - timedelta(days=self.first.weekday())
        for number in range(days):
            day = self.first + timedelta(days=number)
            apart = (day - monday).days // 7 if self.weekly else number
            asked = self.days or (frozenset([self.first.weekday()]) if self.weekly else frozenset(range(7)))
            if apart % self.interval or day.weekday() not in asked:
                continue
            taken += 1
            if (self.count is not None and taken > self.count) or (
                self.until is not None and number > self.until
            ):
                break
            if number not in self.excluded:
                local = datetime(day.year, day.month, day.day, self.hour, tzinfo=ZoneInfo(self.zone))
                found.append(round(local.timestamp()) * 10**9)
        return found


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    first = draw(st.dates(date(2020, 1, 1), date(2027, 12, 31)))
    days = draw(st.frozensets(st.integers(0, 6), max_size=4))
    until, count = draw(
        st.one_of(
            st.just((None, None)),
            st.tuples(st.integers(0, 900), st.none()),
            st.tuples(st.none(), st.integers(1, 200)),
        )
    )
    return Rule(
        zone=draw(st.sampled_from(["Asia/Kolkata", "Europe/Berlin", "America/New_York", "UTC"])),
        first=first,
        hour=draw(st.integers(4, 23)),  # no clock changes at these hours
        weekly=draw(st.booleans()),
        interval=draw(st.integers(1, 5)),
        days=days | {first.weekday()} if days else days,
        until=until,
        count=count,
        excluded=draw(st.frozensets(st.integers(0, 700), max_size=10)),
    )


@settings(max_examples=60, deadline=None)
@given(
    rule=rules(),
    spans=st.lists(st.tuples(st.integers(-30, 900), st.integers(1, 40)), min_size=1, max_size=4),
)
def test_occurrences_equal_those_of_walking_the_days(
    rule: Rule, spans: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In any span, asked in any order, a rule gives exactly the times that walking its days gives."""
    path = tmp_path_factory.mktemp("rule") / "x.ics"
    path.write_text(rule.text(), encoding="utf-8")
    calendar = read_calendar([path], AROUND)
    truth = rule.walked(1000)
    midnight = datetime(rule.first.year, rule.first.month, rule.first.day, tzinfo=ZoneInfo(rule.zone))
    zero = round(midnight.timestamp()) * 10**9
    for first, length in spans:
        start, end = zero + first * DAY_NS, zero + (first + length) * DAY_NS
        found = [one.starts_ns for one in calendar.occurrences(start, end)]
        assert found == [at for at in truth if start - 3600 * 10**9 < at < end]
        assert all(one.recurrence_ns == one.starts_ns for one in calendar.occurrences(start, end))
