"""`tatpar report digest`: printed in either language, written as a page, sent by hand; slips of the pen in one line."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.decisions import OutcomeState, State
from tests.digest.desk import ns

if TYPE_CHECKING:
    from click.testing import Result

    from tests.digest.desk import Desk


def run(desk: Desk, *arguments: str) -> Result:
    place = ["--config", str(desk.folder / "tatpar.toml"), "--data", str(desk.folder)]
    return CliRunner().invoke(main, ["report", "digest", *arguments, *place])


@pytest.fixture
def morning(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk.says()
    monkeypatch.setattr(time, "time_ns", lambda: ns("10:15"))
    return desk


def test_it_is_printed(morning: Desk) -> None:
    """The next meeting by default, in the language that is asked for."""
    english, hindi = (run(morning, "--meeting", "review", "--lang", each) for each in ("en", "hi"))
    assert english.exit_code == hindi.exit_code == 0, english.output + hindi.output
    assert "Mathura: not ready" in english.stdout
    assert "मथुरा: तैयार नहीं" in hindi.stdout
    assert morning.state.outbox(10) == []


def test_it_is_sent_by_hand_beside_the_one_that_goes_by_itself(morning: Desk) -> None:
    """--send writes to each reader in their language; the one of an hour before still goes."""
    done = run(morning, "--meeting", "review", "--at", "2026-11-24T11:00", "--send", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["sent_to"] == ["meena@hq.example", "john@hq.example"]
    assert len(morning.state.outbox(10)) == 2
    assert morning.look("10:16") == 2


def test_after_the_meeting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """--after is about the last one that is over, and --html writes the mail's page."""
    desk.forecasts()
    desk.came_out(agra=OutcomeState.HELD)
    monkeypatch.setattr(time, "time_ns", lambda: ns("12:05"))
    page = desk.folder / "page.html"
    done = run(desk, "--meeting", "review", "--after", "--lang", "en", "--html", str(page))
    assert done.exit_code == 0, done.output
    assert "1 of 4 invited offices held the meeting" in done.stdout
    assert "what happened" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--meeting", "reviw"), 'there is no meeting "reviw"; write "review"'),
        (("--meeting", "review", "--after"), "none in the last 31 days"),
        (("--meeting", "review", "--at", "eleven"), "write it as 2026-11-26T11:00"),
        (("--meeting", "review", "--at", "2026-11-24T12:00"), "none at 2026-11-24T12:00"),
        (("--meeting", "review", "--at", "2026-11-24T11:00", "--after"), "not over yet"),
    ],
)
def test_slips_of_the_pen(morning: Desk, arguments: tuple[str, ...], said: str) -> None:
    """Status 2, and one line."""
    done = run(morning, *arguments, "--lang", "en")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1), done.output
    assert said in done.stderr


def test_an_office_of_which_nothing_is_said(morning: Desk) -> None:
    """A linked office without a verdict is listed as unknown, and not counted into what is expected."""
    morning.state.put_verdicts([morning.verdict("etah", State.UNKNOWN)])
    done = run(morning, "--meeting", "review", "--lang", "en")
    assert (
        "Of 3 offices that there is a forecast for, about 1 are expected to hold the meeting (4 "
        in done.stdout
    )
    assert "Etah: unknown" in done.stdout
