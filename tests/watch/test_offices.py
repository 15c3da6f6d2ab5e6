"""What the watch makes of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import State
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from conftest import Town

OVERRIDE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Test//EN
BEGIN:VEVENT
UID:weekly
DTSTAMP:20261101T000000Z
SUMMARY:weekly
DTSTART:20261116T100000Z
DURATION:PT60M
RRULE:FREQ=WEEKLY
ATTENDEE;CUTYPE=GROUP:urn:tatpar:all
X-TATPAR-END:state
X-TATPAR-PROFILE:video-360p
END:VEVENT
BEGIN:VEVENT
UID:weekly
RECURRENCE-ID:20261130T100000Z
DTSTAMP:20261101T000000Z
SUMMARY:weekly
DTSTART:20261130T100000Z
DURATION:PT60M
ATTENDEE;CUTYPE=GROUP:urn:tatpar:all
X-TATPAR-END:state
X-TATPAR-PROFILE:room-1080p
END:VEVENT
END:VCALENDAR
"""


def test_a_single_occurrence_may_ask_for_another_profile(town: Town) -> None:
    """A replaced occurrence a week ahead, under a profile that no series asks for, is judged when it comes near."""
    text = OVERRIDE.replace("\n", "\r\n")
    (town.folder / "meetings" / "all.ics").write_text(text, encoding="utf-8")
    town.play(60)
    assert {verdict.profile for verdict in town.state.verdicts(0, 2**62)} == {"video-360p"}
    town.now_ns = town.t0 + 6 * 24 * HOUR_NS
    town.play(60)
    found = [v for v in town.state.verdicts(0, 2**62) if v.starts_ns > town.now_ns]
    assert {verdict.profile for verdict in found} == {"room-1080p"}
    assert [v.state for v in found].count(State.READY) == 4


def test_an_office_is_flagged_by_its_next_meeting(town: Town) -> None:
    """Three per cent loss flags an office whose next meeting is video, and does not when that is audio only."""
    town.break_line("agra", up=0.03)
    town.break_line("meerut", up=0.03)
    town.meet(
        town.meeting("sound", 1.0, who="site:agra", profile="audio"),
        town.meeting("picture", 2.0, who="all"),
    )
    town.play(150)
    assert {site for site, code in town.flags() if code == "loss_up"} == {"meerut"}
    assert town.verdict("agra", "sound").state is State.READY
    assert town.verdict("agra", "picture").state is not State.READY
    assert town.verdict("agra", "picture").best_profile == "audio"
