"""What the weekly report counts of meetings: settled or not, held or failed, over or still to come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.load import load_config
from reports.figures import MeetingWeek, meetings
from reports.gather import gather
from telemetry.decisions import Outcome, OutcomeState, State, Verdict
from telemetry.store.by_blocks import InProcess
from telemetry.windows import HOUR_NS
from tests.reports.of_week import NOW_NS, WEEK, render

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config
    from reports.gather import WeekFigures
    from telemetry.state.db import StateDb
    from telemetry.store.sqlite import SqliteReader


@pytest.mark.parametrize(
    ("known", "waiting", "ahead", "said", "not_said"),
    [
        (0, 0, 0, ["No meeting of this week invited"], ["settled", "still to come"]),
        (0, 0, 3, ["No meeting of this week is over yet"], ["settled", "still to come"]),
        (0, 1, 0, ["1 meeting is over, its outcome not settled yet"], ["No meeting"]),
        (0, 2, 3, ["2 meetings are over", "3 meetings of this week are still to come"], ["No meeting"]),
        (1, 0, 1, ["Not final", "1 meeting of this week is still to come"], ["No meeting", "are over"]),
        (2, 0, 0, ["Offices that held"], ["Not final", "No meeting", "still to come"]),
    ],
)
def test_what_is_not_settled_is_said_as_such(  # noqa: PLR0917 - a table
    config: Config,
    figures: WeekFigures,
    known: int,
    waiting: int,
    ahead: int,
    said: list[str],
    not_said: list[str],
) -> None:
    """Nothing to settle, nothing over, not settled, not final, and final each have their own words."""
    rows = tuple(MeetingWeek("review", WEEK.start_ns + i, 3, 1, 0, known == 2) for i in range(known))
    page = render(config, replace(figures, meetings=rows, waiting=waiting, ahead=ahead), "en", NOW_NS)
    assert [words for words in said if words not in page] == []
    assert [words for words in not_said if words in page] == []


def test_meetings_that_nobody_settled_are_counted(
    config: Config, reader: SqliteReader, state: StateDb, tmp_path: Path
) -> None:
    """Of the calendar's meetings of a week those that are over and have no outcome wait; the rest are ahead."""
    ical = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Tatpar//Test//EN
BEGIN:VEVENT
UID:review@test.example
DTSTAMP:20261101T000000Z
SUMMARY:Review
DTSTART:20261102T053000Z
DURATION:PT1H
RRULE:FREQ=DAILY
ATTENDEE;CUTYPE=GROUP:urn:tatpar:all
END:VEVENT
END:VCALENDAR
"""
    (tmp_path / "meetings" / "review.ics").write_bytes(ical.replace("\n", "\r\n").encode())
    config = load_config(tmp_path / "tatpar.toml")
    now_ns = WEEK.start_ns + 36 * HOUR_NS
    found = gather(config, InProcess(reader), state, WEEK, now_ns, lambda *_: None)
    assert (len(found.meetings), found.waiting, found.ahead) == (0, 2, 5)
    outcome = Outcome(
        site="agra",
        meeting="review@test.example",
        occurrence_ns=WEEK.start_ns + 11 * HOUR_NS,
        state=OutcomeState.HELD,
        windows=240,
        broken=0,
        missing=0,
        settled_ns=now_ns,
    )
    verdict = Verdict(
        site="agra",
        meeting="review@test.example",
        occurrence_ns=outcome.occurrence_ns,
        starts_ns=outcome.occurrence_ns,
        ends_ns=outcome.occurrence_ns + HOUR_NS,
        profile="video-720p",
        issued_ns=WEEK.start_ns,
        state=State.READY,
    )
    state.put_verdicts([verdict])
    state.put_outcomes([outcome])
    found = gather(config, InProcess(reader), state, WEEK, now_ns, lambda *_: None)
    assert (len(found.meetings), found.waiting, found.ahead) == (1, 1, 5)
    assert not found.meetings[0].final


def test_meetings_are_counted_by_outcome() -> None:
    """Held, failed and open offices are counted per occurrence, in the order of time."""
    made = [
        Outcome(
            site=site,
            meeting="review",
            occurrence_ns=at,
            state=state,
            windows=120,
            broken=0,
            missing=0,
            settled_ns=at,
        )
        for site, at, state in [
            ("agra", 200, OutcomeState.HELD),
            ("etah", 200, OutcomeState.FAILED),
            ("agra", 100, OutcomeState.EXCUSED),
        ]
    ]
    first, second = meetings(made)
    assert (first.occurrence_ns, first.held, first.failed, first.open) == (100, 0, 0, 1)
    assert (second.held, second.failed, second.open) == (1, 1, 0)


def test_meetings_that_are_not_settled_are_counted_beside_those_that_are(
    config: Config, figures: WeekFigures
) -> None:
    """Eight of twenty-eight decided: the first tile is of eight, and the page says of the rest why, each meeting once."""

    def some(n: int, first: int, **changes: object) -> list[MeetingWeek]:
        made = MeetingWeek("review", 0, held=0, failed=0, open=4, final=True)
        return [replace(made, occurrence_ns=first + number, **changes) for number in range(n)]

    told = [
        *some(8, 0, held=3, failed=1, open=0),
        *some(5, 10, final=False),
        *some(6, 20),
        *some(2, 30, excused=4),
    ]
    week = replace(figures, meetings=tuple(told), waiting=7)
    page = render(config, week, "en", 0).replace("\u00a0", " ")
    assert "(8 of 28 meetings)" in page
    assert "20 of 28 meetings are not settled and count nowhere here: of 5, data may still come" in page
    assert "; of 6, too little data ever came; of 2, announced works" in page
    assert "; 7 have no outcome on record yet." in page
    hindi = render(config, week, "hi", 0)
    assert "28 में से 20 मीटिंग का नतीजा तय नहीं" in hindi.replace("\u00a0", " ")
    settled = render(config, replace(figures, meetings=tuple(told[:8]), waiting=0), "en", 0)
    assert "not settled and count" not in settled
