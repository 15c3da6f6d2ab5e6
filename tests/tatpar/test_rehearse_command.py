"""`tatpar rehearse`: what is asked, what is told in both languages, how it ends."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from config.load import LAB_MEETINGS, load_config
from tatpar.__main__ import main
from tatpar.commands import rehearse
from tatpar.rehearsal.table import progress_line, report_lines
from telemetry.rehearsing import (
    HubResult,
    OfficeProgress,
    OfficeState,
    RehearsalRecord,
    RehearsalState,
    StageResult,
    new_request,
)
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MORNING = "morning-review@tatpar.example"
OFFICES = (
    OfficeProgress(
        site="agra",
        probe="p1",
        stage=1,
        state=OfficeState.HELD,
        rung_up="audio",
        rung_down="audio",
        up_bps=60e3,
        note="far-clock",
    ),
    OfficeProgress(
        site="etah", probe="p1", stage=1, state=OfficeState.BROKE, rung_up="audio", why="down loss"
    ),
    OfficeProgress(site="mau", probe="p1", state=OfficeState.REFUSED, why="clock 7.0 s"),
)


def over(
    record: RehearsalRecord, state: RehearsalState = RehearsalState.DONE, why: str = ""
) -> RehearsalRecord:
    """As it is when it has ended."""
    stage = StageResult(number=1, start_ns=1, offices=2, got_up_bps=1.2e5, wanted_up_bps=1.2e5)
    hub = HubResult(stages=(stage,), took_up_bps=1.2e5, took_down_bps=6e4, common_from=1)
    ended = structs.replace(record, state=state, why=why, offices=OFFICES, starts_ns=(1,), hub=hub)
    return structs.replace(ended, ended_ns=time.time_ns())


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    with closing(StateDb(tmp_path / "state.db")) as made:
        yield made


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(main, ["rehearse", *words, "--data", str(tmp_path)])


def hub_at_work(db: StateDb, **ending: Any) -> threading.Thread:
    """Somebody who takes up what is asked and ends it."""

    def work() -> None:
        until = time.monotonic() + 60
        while (record := db.open_rehearsal()) is None and time.monotonic() < until:
            time.sleep(0.02)
        assert record is not None
        db.put_rehearsal(over(record, **ending))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        (
            "en",
            (
                "Agra",
                "Audio only",
                "downlink: packets are lost",
                "its clock is off (7.0 s)",
                "headquarters' clock was set meanwhile",
                "the hub took 120 kbit/s up",
                "from stage 1 on",
            ),
        ),
        (
            "hi",
            (
                "आगरा",
                "केवल आवाज़",
                "नीचे: डेटा खो रहा है",
                "जाँच यंत्र की घड़ी ग़लत है (7.0 s)",
                "बीच में मुख्यालय की घड़ी बदली गई",
                "मुख्यालय ने एक साथ 120 kbps",
                "नहीं चली",
            ),
        ),
    ],
)
def test_what_came_of_it_is_said_in_words(language: str, wanted: tuple[str, ...]) -> None:
    """Every office with what broke, the stages, the hub; no bare code in either language."""
    request = new_request(meeting="m", recurrence_ns=1, who="asha", now_ns=1)
    text = "\n".join(
        report_lines(over(RehearsalRecord(request=request)), load_config(None), language)
    ).replace("\u00a0", " ")
    for words in wanted:
        assert words in text
    for code in ("down loss", "agra", "audio"):
        assert code not in text
    running = structs.replace(OFFICES[0], state=OfficeState.RUNNING, rung="audio")
    config = load_config(None)
    line = progress_line(
        RehearsalRecord(request=request, starts_ns=(1,), offices=(running,)), config, language
    )
    assert line.endswith(f"· {config.profiles['audio'].name(language)}")
    assert not line.endswith("· audio")


def test_the_question_names_profiles_in_the_readers_language(call: Callable[..., Result]) -> None:
    """Nobody has to know a profile's id to say yes."""
    asked = call("--meeting", MORNING, "--lang", "hi").stderr
    assert "केवल आवाज़ → वीडियो 360p → वीडियो 720p" in asked
    assert "video-360p" not in asked


def test_an_office_that_did_not_hold_is_status_3(call: Callable[..., Result], state: StateDb) -> None:
    """Asked for the next occurrence, followed to its end, all of it as JSON for a machine."""
    hub = hub_at_work(state)
    result = call("--meeting", MORNING, "--yes", "--json")
    hub.join()
    assert result.exit_code == 3, result.output
    found = json.loads(result.stdout)
    assert (found["state"], found["request"]["meeting"]) == ("done", MORNING)
    assert [one["why"] for one in found["offices"] if "why" in one] == ["down loss", "clock 7.0 s"]
    listed = call("--list", "--lang", "en")
    assert "1 of 3" in listed.stdout
    assert json.loads(call("--list", "--json").stdout)[0]["ended"].endswith("Z")


@pytest.mark.parametrize(
    ("language", "begins", "title"),
    [("en", "24 Nov 11:00", "Morning review"), ("hi", "24 नवंबर 11:00", "प्रातः समीक्षा बैठक")],
)
def test_the_list_has_the_meetings_title_and_local_time(
    call: Callable[..., Result], state: StateDb, language: str, begins: str, title: str
) -> None:
    """11:00 in India is 05:30 of UTC; one that the calendar does not hold any more keeps its UID."""
    at_ns = int(datetime(2026, 11, 24, 5, 30, tzinfo=UTC).timestamp()) * 10**9
    for uid, now_ns in ((MORNING, at_ns), ("gone@tatpar.example", at_ns + 10**9)):
        request = new_request(meeting=uid, recurrence_ns=1, who="asha", now_ns=now_ns)
        state.ask_rehearsal(request)
        state.put_rehearsal(over(RehearsalRecord(request=request)))
    _, *lines = call("--list", "--lang", language).stdout.splitlines()
    (gone,), (line,) = ([one for one in lines if ("gone@" in one) is is_gone] for is_gone in (True, False))
    assert gone.startswith(begins)
    assert line.startswith(begins)
    assert title in line
    assert MORNING not in line


def test_one_that_was_stopped_is_status_1(call: Callable[..., Result], state: StateDb) -> None:
    """And says by what."""
    hub = hub_at_work(state, state=RehearsalState.ABORTED, why="stopped")
    result = call("--meeting", MORNING, "--yes", "--lang", "en")
    hub.join()
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "stopped early: stopped by a person"


def test_without_a_hub_it_is_given_up(
    call: Callable[..., Result], state: StateDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 1 with what to do, and nothing is left open; another's that is going on is not disturbed."""
    monkeypatch.setattr(rehearse, "TAKEN_S", 0.0)
    result = call("--meeting", MORNING, "--yes", "--lang", "en")
    assert (result.exit_code, result.stderr.splitlines()[-1].split(":")[0]) == (1, "no hub took it up")
    assert state.open_rehearsal() is None
    assert call("--stop", "--lang", "en").stderr == "no rehearsal is going on\n"
    state.ask_rehearsal(new_request(meeting="m", recurrence_ns=1, who="asha", now_ns=time.time_ns()))
    assert "another rehearsal is going on" in call("--meeting", MORNING, "--yes", "--lang", "en").stderr
    assert call("--stop").exit_code == 0
    assert state.open_rehearsal().stop_ns is not None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "--meeting is missing: write the UID of a meeting"),
        (("--meeting", "morning-reveiw@tatpar.example"), f'write "{MORNING}"'),
        (("--meeting", MORNING, "--site", "agrra"), "--site: 'agrra' is not invited"),
        (("--meeting", MORNING, "--profile", "video-72p"), 'write "video-720p"'),
    ],
)
def test_wrong_input_is_status_2(call: Callable[..., Result], words: tuple[str, ...], line: str) -> None:
    """One line with what to write instead."""
    result = call(*words, "--lang", "en")
    assert result.exit_code == 2
    assert line in result.stderr
    assert result.stderr.count("\n") == 1


def test_it_asks_first(call: Callable[..., Result], state: StateDb) -> None:
    """Without --yes and without an answer nothing is begun."""
    result = call("--meeting", MORNING, "--lang", "en")
    assert result.exit_code == 1
    assert "Audio only → Video 360p → Video 720p, 7 s each" in result.stderr
    assert state.rehearsals(1) == []


def test_the_labs_drills_can_be_named(call: Callable[..., Result], state: StateDb, tmp_path: Path) -> None:
    """In a lab's folder they are meetings as any other, as `tatpar ready` and the wall have them."""
    (tmp_path / "lab.sock").touch()
    own = {meeting.uid for meeting in load_config(None).calendar.meetings}
    every = load_config(None, extra_meetings=[LAB_MEETINGS]).calendar.meetings
    drill = next(meeting.uid for meeting in every if meeting.uid not in own)
    told = call("--meeting", "nix").stderr
    assert drill in told
    assert MORNING in told
    assert f'write "{drill}"' in call("--meeting", drill[:-1], "--lang", "en").stderr
    said = call("--meeting", drill, "--lang", "en")
    assert "Begin now?" in said.stderr
    assert state.open_rehearsal() is None
