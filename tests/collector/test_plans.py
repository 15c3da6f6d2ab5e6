"""Plans follow the calendar, and reach those whom they concern."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.plans import MAX_RATES, merge, plan_everyone, site_plan
from config.live import LiveConfig
from config.settings import Probing
from telemetry.codec import encode_control
from telemetry.control import PlannedEnd, PlannedReach, Rate
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path


MINUTE_NS = 60 * SECOND_NS


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T000000Z
DTSTART:{start}
DTEND:{end}
SUMMARY:{uid}
ATTENDEE:urn:tatpar:site:{site}
END:VEVENT
"""


@pytest.fixture
def meet(config_file: Path) -> object:
    """Writes meetings of one office each, as (uid, start, end, site)."""

    def write(*meetings: tuple[str, str, str, str]) -> None:
        events = "".join(EVENT.format(uid=u, start=s, end=e, site=o) for u, s, e, o in meetings)
        text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{events}END:VCALENDAR\n"
        (config_file.parent / "meetings" / "all.ics").write_text(text.replace("\n", "\r\n"), encoding="utf-8")

    return write


def test_the_rate_rises_half_an_hour_before_a_meeting_and_falls_at_its_end(
    config_file: Path, meet: object
) -> None:
    """Only the invited office's; the others keep the base rate."""
    meet(("one", "20261123T100000Z", "20261123T110000Z", "agra"))  # type: ignore[operator]
    plans = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))
    rate = Rate(
        from_ns=at("2026-11-23T09:30:00"), until_ns=at("2026-11-23T11:00:00"), rate_pps=50, end="state"
    )
    assert set(plans) == {"agra", "meerut"}
    assert plans["agra"].rates == (rate,)
    assert plans["agra"].base_rate_pps == 10
    assert plans["agra"].valid_until_ns == at("2026-11-24T10:00:00")
    assert plans["agra"].ends == (PlannedEnd(end="state", reflectors=("127.0.0.1:862",)),)
    assert plans["meerut"].rates == ()


def test_a_plan_says_what_to_ask_beside_the_line(config_file: Path) -> None:
    """The room's device of the office's own line, the platform of the settings; an office without a device asks the platform alone.

    Without any of it a plan is as it was before there was reachability, to the octet.
    """
    before = encode_control(plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))["agra"])
    assert b"reach" not in before
    sites = config_file.parent / "sites.csv"
    heading, *rows = sites.read_text(encoding="utf-8").splitlines()
    cells = ["sip:10.1.2.3 h323:10.1.2.3" if row.startswith("agra,") else "" for row in rows]
    sites.write_text(
        "\n".join(
            [f"{heading},room_device", *(f"{row},{cell}" for row, cell in zip(rows, cells, strict=True))]
        ),
        encoding="utf-8",
    )
    with config_file.open("a", encoding="utf-8") as settings:
        settings.write('\n[reach]\nedges = ["tls:meet.example"]\nevery_s = 30\n')
    plans = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))
    edge = PlannedReach(target="edge", ask="tls:meet.example:443")
    room = (
        PlannedReach(target="room", ask="sip:10.1.2.3:5060"),
        PlannedReach(target="room", ask="h323:10.1.2.3:1720"),
    )
    assert plans["agra"].reach == (*room, edge)
    assert plans["meerut"].reach == (edge,)
    assert plans["agra"].reach_every_s == 30


def test_a_region_may_have_an_edge_of_its_own(config_file: Path) -> None:
    """Its offices are sent there instead; the others ask what the settings say for all."""
    sites = config_file.parent / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8").replace("मेरठ,west", "मेरठ,awadh"), encoding="utf-8")
    registry = LiveConfig(config_file).current.registry.by_id
    assert registry["agra"].region != registry["meerut"].region
    own = "\n".join(
        f'[[regions]]\nid = "{name}"\nname_en = "A"\nname_hi = "अ"'
        + ('\nreach_edges = ["tls:near.example"]' if name == registry["agra"].region else "")
        for name in sorted({site.region for site in registry.values()})
    )
    with config_file.open("a", encoding="utf-8") as settings:
        settings.write(f'\n{own}\n[reach]\nedges = ["tls:meet.example"]\n')
    plans = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))
    assert [one.ask for one in plans["agra"].reach] == ["tls:near.example:443"]
    assert [one.ask for one in plans["meerut"].reach] == ["tls:meet.example:443"]


def test_meetings_that_follow_each_other_make_one_span(config_file: Path, meet: object) -> None:
    """The rate does not dip between two meetings less than half an hour apart."""
    meet(  # type: ignore[operator]
        ("one", "20261123T100000Z", "20261123T110000Z", "agra"),
        ("two", "20261123T112000Z", "20261123T114500Z", "agra"),
    )
    plan = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))["agra"]
    assert [(r.from_ns, r.until_ns) for r in plan.rates] == [
        (at("2026-11-23T09:30:00"), at("2026-11-23T11:45:00"))
    ]


def test_a_meeting_just_past_the_plan_s_end_already_counts(config_file: Path, meet: object) -> None:
    """Its lead begins within the plan."""
    meet(("one", "20261124T101500Z", "20261124T110000Z", "agra"))  # type: ignore[operator]
    plan = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))["agra"]
    assert plan.valid_until_ns == at("2026-11-24T10:00:00")
    assert [r.from_ns for r in plan.rates] == [at("2026-11-24T09:45:00")]


def test_a_plan_made_during_a_meeting_still_holds_it(config_file: Path, meet: object) -> None:
    """A collector started in mid-meeting does not lower the rate."""
    meet(("one", "20261123T100000Z", "20261123T110000Z", "agra"))  # type: ignore[operator]
    now_ns = at("2026-11-23T10:40:00")
    plan = plan_everyone(LiveConfig(config_file).current, now_ns)["agra"]
    assert any(r.from_ns <= now_ns < r.until_ns for r in plan.rates)


def test_within_an_hour_a_plan_does_not_change(config_file: Path, meet: object) -> None:
    """So it is published once, and again with the hour."""
    meet(("one", "20261123T100000Z", "20261123T110000Z", "agra"))  # type: ignore[operator]
    config = LiveConfig(config_file).current
    first, last, next_hour = (
        plan_everyone(config, at(f"2026-11-23T{t}")) for t in ("08:00:00", "08:59:59", "09:00:00")
    )
    assert first == last
    assert first != next_hour


def test_a_plan_too_long_is_cut_where_it_says_so() -> None:
    """It runs out where the first span that is left out begins."""
    spans = [(i * HOUR_NS, i * HOUR_NS + MINUTE_NS) for i in range(MAX_RATES + 5)]
    plan = site_plan({"state": spans}, (), Probing(), 10**18)
    assert len(plan.rates) == MAX_RATES
    assert plan.valid_until_ns == MAX_RATES * HOUR_NS


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10)), max_size=12))
def test_merged_spans_cover_the_same_time_once(spans: list[tuple[int, int]]) -> None:
    """Nothing more, nothing less, and no two touch."""
    given_spans = [(a, a + length) for a, length in spans]
    merged = merge(given_spans)
    assert {t for a, b in merged for t in range(a, b)} == {t for a, b in given_spans for t in range(a, b)}
    assert all(first[1] < second[0] for first, second in itertools.pairwise(merged))
