"""`tatpar sites` and `tatpar meetings` as the operator calls them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from tatpar.__main__ import main

if TYPE_CHECKING:
    from conftest import Write


def tatpar(*words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--lang", "en"], catch_exceptions=False)


def test_sites_are_listed_with_their_count() -> None:
    """The table has a line for each office, and says how many are linked and where they were read."""
    done = tatpar("sites")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert len(lines) == 1 + 92 + 1
    assert "92 offices, 56 linked, 36 planned" in lines[-1]
    assert "sites.csv" in lines[-1]
    assert any(line.startswith("agra ") and line.endswith("आगरा") for line in lines)


def test_sites_are_narrowed_by_region_and_status() -> None:
    """Region and status together narrow the list."""
    found = json.loads(tatpar("sites", "--region", "kashi", "--planned", "--json").stdout)
    assert len(found) == 7
    assert {site["region"] for site in found} == {"kashi"}
    assert {site["status"] for site in found} == {"planned"}
    assert len(json.loads(tatpar("sites", "--linked", "--json").stdout)) == 56


def test_sites_json_has_every_field() -> None:
    """A machine finds every field, also those that are as by default."""
    first = json.loads(tatpar("sites", "--json").stdout)[0]
    assert first["id"] == "saharanpur"
    assert (first["language"], first["parent"], first["link_up_bps"]) == ("hi", "", None)


def test_unknown_region_is_told_in_one_line() -> None:
    """A misspelt region ends with status 2 and says what to write."""
    done = tatpar("sites", "--region", "kasi")
    assert done.exit_code == 2
    assert done.stderr == '--region: there is no region "kasi"; write "kashi"\n'


def test_check_says_that_the_files_are_right() -> None:
    """--check answers in one line, for both commands."""
    sites, meetings = tatpar("sites", "--check"), tatpar("meetings", "--check")
    assert (sites.exit_code, meetings.exit_code) == (0, 0)
    assert sites.stdout.startswith("right: 92 offices, 56 linked, 36 planned in ")
    assert meetings.stdout.startswith("right: 9 meetings in ")


@pytest.mark.parametrize("command", ["sites", "meetings"])
@pytest.mark.parametrize("more", [[], ["--check"], ["--json"]])
def test_wrong_file_ends_with_its_one_line(command: str, more: list[str], write: Write) -> None:
    """A mistake in any file ends every form of the commands with status 2 and one line, and nothing else."""
    path = write("tatpar.toml", "[wall]\nprot = 1\n")
    done = tatpar(command, "--config", str(path), *more)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f'{path}:2: wall has no key "prot"; write "port"\n'


def test_meetings_of_a_day_are_listed_in_local_time() -> None:
    """A day's meetings stand under its date with hours, invited and linked offices, end, profile and title."""
    done = tatpar("meetings", "--from", "2026-11-24", "--days", "1")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "2026-11-24 Tuesday (Asia/Kolkata)",
        "  11:00–11:45  92 offices (56 linked)    national      video-720p    प्रातः समीक्षा बैठक · Morning review",
        "  14:00–15:30  16 offices (11 linked)    state         video-1080p   ब्रज क्षेत्र समीक्षा बैठक · Regional review, Braj",
        "  18:00–19:00  92 offices (56 linked)    state         video-360p    सायं ज़िला समीक्षा बैठक · Evening district review",
    ]


def test_meetings_json_has_utc_times_and_identity(write: Write) -> None:
    """A machine reads RFC 3339 times in UTC, the identity of each time, and who is invited."""
    write(
        "m.ics",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:m\nSUMMARY:x\nDTSTART;TZID=Asia/Kolkata:20261123T110000\nDURATION:PT1H\n"
        "RRULE:FREQ=DAILY\nATTENDEE:site:agra\nATTENDEE:site:etah\nEND:VEVENT\nBEGIN:VEVENT\nUID:m\n"
        "RECURRENCE-ID;TZID=Asia/Kolkata:20261124T110000\nDTSTART;TZID=Asia/Kolkata:20261124T150000\nDURATION:PT1H\n"
        "END:VEVENT\nEND:VCALENDAR\n",
    )
    path = write("tatpar.toml", '[files]\nmeetings = "m.ics"\n')
    arguments = ["--config", str(path), "--from", "2026-11-24", "--days", "1"]
    (found,) = json.loads(tatpar("meetings", *arguments, "--json").stdout)
    assert found == {
        "uid": "m",
        "recurrence_id": "2026-11-24T05:30:00Z",
        "starts": "2026-11-24T09:30:00Z",
        "ends": "2026-11-24T10:30:00Z",
        "title": "x",
        "title_en": "",
        "end": "state",
        "profile": "video-720p",
        "offices": 2,
        "linked": 1,
        "invited": ["agra", "etah"],
    }
    assert "moved from 2026-11-24 11:00" in tatpar("meetings", *arguments).stdout


def test_no_meetings_say_where_they_are_read_from(write: Write) -> None:
    """An empty calendar says what to do next."""
    write("empty/readme.txt", "")
    path = write("tatpar.toml", '[files]\nmeetings = "empty"\n')
    done = tatpar("meetings", "--config", str(path))
    assert done.exit_code == 0
    assert done.stdout.startswith("No meetings in the next 7 days; meetings are read from ")
    assert done.stdout.rstrip().endswith("empty")


def test_remarks_are_shown_by_check(write: Write) -> None:
    """What is allowed but looks like a mistake is told by --check."""
    write(
        "m.ics",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:m\nSUMMARY:x\nDTSTART:20261123T110000\nDURATION:PT1H\nRRULE:FREQ=DAILY\n"
        "EXDATE:20261124T120000\nATTENDEE:all\nEND:VEVENT\nEND:VCALENDAR\n",
    )
    path = write("tatpar.toml", '[files]\nmeetings = "m.ics"\n')
    done = tatpar("meetings", "--config", str(path), "--check")
    first, second = done.stdout.splitlines()
    assert first.startswith("look again: ")
    assert "m.ics:8: EXDATE 2026-11-24 12:00 excludes nothing" in first
    assert second.startswith("right: 1 meetings in ")


def test_profile_of_the_environment_is_used(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """TATPAR_CONFIG names the settings file when --config does not."""
    monkeypatch.setenv("TATPAR_CONFIG", str(write("tatpar.toml", "[wal]\n")))
    assert tatpar("sites").exit_code == 2


@pytest.mark.parametrize(("command", "counted"), [("sites", "offices"), ("meetings", "meetings")])
def test_a_check_for_machines(command: str, counted: str) -> None:
    """`--check --json` says what was checked, as JSON and nothing else."""
    done = CliRunner().invoke(main, [command, "--check", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["right"] is True
    assert found[counted] > 0
