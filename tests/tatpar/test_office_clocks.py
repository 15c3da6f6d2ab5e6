"""Offices' clocks that are wrong, in the commands that show an office: by how much, what to do, and that it is over."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from tatpar.examination import hub
from telemetry.state.clocks import ClockSaid
from telemetry.state.db import StateDb
from telemetry.state.file import STATE_FILE
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS

if TYPE_CHECKING:
    from pathlib import Path

SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,braj,27.18,78.02,linked
etah,Etah,एटा,braj,27.56,78.66,linked
"""
OFFICES = ("agra", "etah")
SLOW_NS = -(3 * HOUR_NS + 4 * MINUTE_NS)
COMMAND = "timedatectl set-ntp true"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """Agra's second probe is slow; Etah's clock was fast until an hour ago."""
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "meetings").mkdir()
    (tmp_path / "tatpar.toml").write_text("", encoding="utf-8")
    SqliteStore(tmp_path / "reports.db").close()
    now_ns = time.time_ns()
    with contextlib.closing(StateDb(tmp_path / STATE_FILE)) as state:
        state.beat("watch", now_ns, {})
        state.put_clocks(
            [
                ClockSaid("agra", "p2", SLOW_NS, now_ns - HOUR_NS),
                ClockSaid("etah", "p1", DAY_NS, now_ns - 3 * HOUR_NS),
                ClockSaid("etah", "p1", 0, now_ns - HOUR_NS),
            ]
        )
    return tmp_path


def told(town: Path, command: str, *arguments: str) -> str:
    done = CliRunner().invoke(
        main, [command, "--config", str(town / "tatpar.toml"), "--data", str(town), *arguments]
    )
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("command", ["gaps", "flags"])
def test_a_line_a_clock_in_both_languages(town: Path, command: str) -> None:
    lines = told(town, command, "--lang", "en").splitlines()
    [slow] = [line for line in lines if "Agra (p2)" in line]
    assert "is 3\u00a0h 4\u00a0min slow" in slow
    assert COMMAND in slow
    [was] = [line for line in lines if "Etah (p1)" in line]
    assert "was 1\u00a0day fast; it is right since" in was
    assert COMMAND not in was
    said = told(town, command, "--lang", "hi")
    assert "आगरा (p2) की घड़ी 3\u00a0घंटे 4\u00a0मिनट पीछे है" in said
    assert COMMAND in said


@pytest.mark.parametrize("command", ["gaps", "flags"])
def test_machines_are_told_too(town: Path, command: str) -> None:
    slow, was = json.loads(told(town, command, "--json"))["wrong_clocks"]
    assert (slow["site"], slow["probe"], slow["ahead_s"]) == ("agra", "p2", SLOW_NS / 1e9)
    assert "until" not in slow
    assert (was["site"], was["ahead_s"]) == ("etah", 86_400.0)
    assert was["since"] < was["until"]


def test_who_asks_for_one_office_is_told_of_its_clock(town: Path) -> None:
    assert "Agra" not in told(town, "gaps", "--site", "etah", "--lang", "en")


def test_the_doctor_finds_them(town: Path) -> None:
    """A wrong one is less than well, with what to do; one that was set right is fine, and a day later no finding."""
    now_ns = time.time_ns()
    found = {one.subject: one for one in hub.state(town, OFFICES, now_ns)}
    slow, was = found["clock of agra/p2"], found["clock of etah/p1"]
    assert (slow.level, was.level) == ("less", "fine")
    assert slow.text.startswith("3\u00a0h 4\u00a0min slow")
    assert COMMAND in slow.remedy
    assert slow.told("hi").text.startswith("3\u00a0घंटे 4\u00a0मिनट पीछे")
    assert "1\u00a0h ago; it was 1\u00a0day fast" in was.text
    later = {one.subject for one in hub.state(town, OFFICES, now_ns + DAY_NS)}
    assert "clock of agra/p2" in later
    assert "clock of etah/p1" not in later


def test_where_all_clocks_are_right_nothing_is_said(town: Path) -> None:
    (town / STATE_FILE).unlink()
    assert "clock" not in told(town, "gaps", "--lang", "en")
    assert json.loads(told(town, "gaps", "--json"))["wrong_clocks"] == []


def test_the_latest_word_counts_whoever_says_it_first(tmp_path: Path) -> None:
    """Collectors that share the work write when they come to it."""
    with contextlib.closing(StateDb(tmp_path / STATE_FILE)) as state:
        state.put_clocks([ClockSaid("agra", "p1", SLOW_NS, 100)])
        state.put_clocks([ClockSaid("agra", "p1", 0, 300)])
        state.put_clocks([ClockSaid("agra", "p1", SLOW_NS, 200)])
        [clock] = state.wrong_clocks(0)
        assert (clock.since_ns, clock.until_ns) == (100, 300)
        state.put_clocks([ClockSaid("agra", "p1", SLOW_NS, 400), ClockSaid("agra", "p1", SLOW_NS, 500)])
        [clock] = state.wrong_clocks(10**18)
        assert (clock.since_ns, clock.until_ns) == (400, None)


@pytest.mark.parametrize("command", ["gaps", "flags"])
def test_a_clock_that_nobody_hears_any_more_is_told_no_longer(town: Path, command: str) -> None:
    """The machine was replaced while its clock was wrong: it never says that it is right."""
    now_ns = time.time_ns()
    with contextlib.closing(StateDb(town / STATE_FILE)) as state:
        state.put_clocks(
            [ClockSaid("etah", f"h{hours}", SLOW_NS, now_ns - hours * HOUR_NS) for hours in (71, 73)]
        )
        assert [one.probe for one in state.wrong_clocks(now_ns) if one.site == "etah"] == ["h71", "h73"]
    said = json.loads(told(town, command, "--json"))["wrong_clocks"]
    assert [(one["site"], one["probe"]) for one in said] == [("agra", "p2"), ("etah", "h71"), ("etah", "p1")]
    found = {one.subject for one in hub.state(town, OFFICES, now_ns)}
    assert "clock of etah/h71" in found
    assert "clock of etah/h73" not in found


def test_while_it_is_heard_it_is_told_since_when_it_is_wrong(tmp_path: Path) -> None:
    """Kept anew each day with the first time, and told for days after the last."""
    with contextlib.closing(StateDb(tmp_path / STATE_FILE)) as state:
        for day in range(5):
            state.put_clocks([ClockSaid("agra", "p1", SLOW_NS, day * DAY_NS + 1)])
        [clock] = state.told_clocks(7 * DAY_NS)
        assert (clock.since_ns, clock.until_ns) == (1, None)
        assert state.told_clocks(7 * DAY_NS + 2) == []


def test_the_doctor_says_nothing_of_an_office_that_is_not_listed(town: Path) -> None:
    found = {one.subject for one in hub.state(town, ["etah"], time.time_ns())}
    assert "clock of etah/p1" in found
    assert "clock of agra/p2" not in found


def test_gaps_are_told_also_where_decisions_cannot_be_read(town: Path) -> None:
    """What is missing is in the store; of clocks one line says that they are not told."""
    for file in town.glob(f"{STATE_FILE}*"):
        file.unlink()
    whole = told(town, "gaps", "--lang", "en")
    (town / STATE_FILE).write_bytes(b"garbage" * 1000)
    arguments = ["gaps", "--config", str(town / "tatpar.toml"), "--data", str(town)]
    done = CliRunner().invoke(main, [*arguments, "--lang", "en"])
    assert (done.exit_code, done.stdout) == (0, whole)
    [line] = [each for each in done.stderr.splitlines() if "clocks" in each]
    assert line.startswith("Whether offices' clocks are wrong cannot be told: ")
    assert line.endswith("file is not a database")
    assert json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)["wrong_clocks"] == []
    assert "घड़ियाँ" in CliRunner().invoke(main, [*arguments, "--lang", "hi"]).stderr
