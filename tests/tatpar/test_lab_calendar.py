"""The lab's drills join a calendar that has room for them, and the commands read the same calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from config.load import LAB_MEETINGS, load_config
from tatpar.data_folder.lab_calendar import drills_wanted, lab_meetings, say_drills
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

START_NS: Final = int(datetime(2026, 12, 1, 6, 0, tzinfo=UTC).timestamp()) * SECOND_NS
OWN: Final = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Test//EN
BEGIN:VEVENT
UID:own
DTSTAMP:20261101T000000Z
SUMMARY:Own
DTSTART:20261201T060000Z
DURATION:PT1H
ATTENDEE:all
END:VEVENT
END:VCALENDAR
"""


def test_drills_join_ones_own_calendar_only_where_nothing_comes_soon(tmp_path: Path) -> None:
    """A meeting of one's own within two hours is enough to look at; the built-in calendar has drills always."""
    (tmp_path / "own.ics").write_text(OWN, encoding="utf-8")
    (tmp_path / "tatpar.toml").write_text("[files]\nmeetings = 'own.ics'\n", encoding="utf-8")
    own = load_config(tmp_path / "tatpar.toml")
    assert not drills_wanted(own, START_NS - HOUR_NS)
    assert drills_wanted(own, START_NS - 3 * HOUR_NS)
    assert drills_wanted(load_config(), START_NS - HOUR_NS)


def test_commands_read_the_calendar_of_the_running_lab(tmp_path: Path) -> None:
    """Where a lab runs with its drills the commands have them, where it runs without they have none."""
    assert lab_meetings(tmp_path) == []
    (tmp_path / "lab.sock").touch()
    for wanted, found in ((True, [LAB_MEETINGS]), (False, []), (True, [LAB_MEETINGS])):
        say_drills(tmp_path, wanted=wanted)
        assert lab_meetings(tmp_path) == found
