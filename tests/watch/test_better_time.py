"""`tatpar ready --at … --or …`: which of two times is better, by how much, and what is wrong with the asking."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from config.load import load_config
from config.meetings import Meeting, Occurrence
from tatpar.__main__ import main
from tatpar.verdicts.asked_times import Question, occurrences
from tatpar.verdicts.expected import Expected, better, differing
from tatpar.verdicts.expected_words import lines as expected_lines
from telemetry.decisions import Factor, FactorKind, Reason, ReasonCode, State, Verdict
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Town

ZONE = ZoneInfo("Asia/Kolkata")
NOON_NS = int(datetime(2026, 11, 23, 12, 0, tzinfo=ZONE).timestamp()) * SECOND_NS
WHOLE = Question(times=("11:00",), uid=None, minutes=None, end=None, profile=None)


def promise(**chances: float | State) -> Expected:
    """Of offices by name, with a chance or, without a number, a state."""
    meeting = Meeting(uid="", title="", invited=tuple(chances), end="state", profile="video-720p")
    occurrence = Occurrence(meeting=meeting, recurrence_ns=0, starts_ns=HOUR_NS, ends_ns=2 * HOUR_NS)
    said = {}
    for site, chance in chances.items():
        number = None if isinstance(chance, State) else chance
        state = (
            chance
            if isinstance(chance, State)
            else State.READY
            if chance >= 0.9
            else State.AT_RISK
            if chance >= 0.6
            else State.NOT_READY
        )
        said[site] = Verdict(
            site=site, meeting="", occurrence_ns=0, starts_ns=0, ends_ns=1, profile="", issued_ns=0,
            state=state, probability=number,
        )  # fmt: skip
    return Expected(occurrence, said, sum(each.probability or 0.0 for each in said.values()))


def asked(text: str, now_ns: int = NOON_NS) -> datetime:
    """The start of what a time means at noon."""
    question = Question(times=(text,), uid=None, minutes=None, end=None, profile=None)
    (found,) = occurrences(load_config(None), question, "en", now_ns)
    return datetime.fromtimestamp(found.starts_ns // SECOND_NS, ZONE)


def test_what_differs_is_told_the_widest_apart_first() -> None:
    """By 0.05 or more, or by another state; a dark office without a number counts as 0, and one alone differs from nothing."""
    one = promise(a=0.95, b=0.97, c=0.91, d=State.NOT_READY, e=0.30, f=0.99)
    two = promise(a=0.90, b=0.93, c=0.89, d=0.95, e=0.75, f=0.99)
    assert differing([one, two]) == ["d", "e", "a", "c"]
    assert differing([one]) == []


@pytest.mark.parametrize(("first", "second", "index"), [(0.95, 0.90, 0), (0.80, 0.95, 1), (0.95, 0.91, None)])
def test_the_better_time_serves_more_offices(first: float, second: float, index: int | None) -> None:
    """By a twentieth of an office at least; less is as good."""
    assert better([promise(a=first), promise(a=second)]) == index
    assert better([promise(a=first)]) is None


def test_a_time_of_day_is_the_next_one() -> None:
    """At noon, 12:30 is today and 11:00 and 12:00 are tomorrow; a date is local unless it has an offset."""
    assert asked("12:30").isoformat() == "2026-11-23T12:30:00+05:30"
    assert asked("11:00").isoformat() == "2026-11-24T11:00:00+05:30"
    assert asked("12:00").isoformat() == "2026-11-24T12:00:00+05:30"
    assert asked("2026-11-26T09:15").isoformat() == "2026-11-26T09:15:00+05:30"
    assert asked("2026-11-26T09:15+00:00").isoformat() == "2026-11-26T14:45:00+05:30"


@pytest.mark.parametrize(
    "text", ["25:00", "soon", "2026-11-20T11:00", "2026-12-08T12:01", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_a_time_that_cannot_be_asked_is_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No time, past, beyond 14 days, or at the edge of the calendar: status 2, and what to write instead."""
    with pytest.raises(SystemExit) as stopped:
        asked(text)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "write" in said
    assert said.count("\n") == 1


def test_a_meeting_gives_its_length_end_profile_and_offices(town: Town) -> None:
    """What is not said is as its next occurrence has it, else as the settings say; what is said goes before."""
    town.meet(town.meeting("review", 1.0, who="site:agra", minutes=90, profile="audio"))
    config = load_config(town.folder / "tatpar.toml")
    question = Question(
        times=("2026-11-24T11:00", "2026-11-24T16:30"), uid="review", minutes=None, end=None, profile=None
    )
    found = occurrences(config, question, "en", town.now_ns)
    assert [each.starts_ns // HOUR_NS for each in found] == [each.recurrence_ns // HOUR_NS for each in found]
    assert {each.ends_ns - each.starts_ns for each in found} == {90 * 60 * SECOND_NS}
    assert {(each.meeting.invited, each.meeting.end, each.meeting.profile) for each in found} == {
        (("agra",), "state", "audio")
    }
    said = Question(
        times=("2026-11-24T11:00",), uid="review", minutes=20, end="national", profile="video-720p"
    )
    (other,) = occurrences(config, said, "en", town.now_ns)
    assert other.ends_ns - other.starts_ns == 20 * 60 * SECOND_NS
    assert (other.meeting.end, other.meeting.profile) == ("national", "video-720p")
    (plain,) = occurrences(config, WHOLE, "en", town.now_ns)
    assert plain.ends_ns - plain.starts_ns == HOUR_NS
    assert plain.meeting.invited == ("agra", "meerut", "ballia", "unnao", "jhansi")


def call(folder: Path, *arguments: str) -> Result:
    where = ["--config", str(folder / "tatpar.toml"), "--data", str(folder)]
    return CliRunner().invoke(main, ["ready", *where, *arguments])


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--or", "11:00"), "--at TIME"),
        (("--at", "11:00", "--all"), "one or the other"),
        (("--at", "11:00", "--end", "sate"), 'write "state"'),
        (("--at", "11:00", "--profile", "vidio-720p"), 'write "video-720p"'),
        (("--at", "11:00", "--meeting", "reviw"), "write one of: review"),
        (("--at", "11:00", "--for", "2"), "5"),
    ],
)
def test_wrong_asking_says_what_to_write(town: Town, arguments: tuple[str, ...], remedy: str) -> None:
    """Status 2."""
    done = call(town.folder, *arguments, "--lang", "en")
    assert done.exit_code == 2
    assert remedy in done.stderr


def test_announced_works_make_the_other_time_better(town: Town) -> None:
    """Of four sound offices one has works at the first time: the second is better by what it loses, and nobody else differs."""
    now_ns = time.time_ns() // WINDOW_NS * WINDOW_NS
    begin = datetime.fromtimestamp(now_ns // SECOND_NS, UTC).replace(minute=0, second=0)
    hours = [int(begin.timestamp()) * SECOND_NS + hours * HOUR_NS for hours in (3, 6)]
    (town.folder / "now").mkdir()
    fresh = type(town)(town.folder / "now", now_ns=now_ns, t0=now_ns)
    fresh.remember(now_ns - 2 * HOUR_NS, now_ns, ("agra", "meerut", "ballia", "unnao"))
    day = [datetime.fromtimestamp(at // SECOND_NS, ZONE) for at in (*hours, now_ns - DAY_NS)]
    until = datetime.fromtimestamp((hours[0] + HOUR_NS) // SECOND_NS, ZONE)
    works = f"site:ballia,works,{day[0]:%Y-%m-%d %H:%M},{until:%Y-%m-%d %H:%M},{day[2]:%Y-%m-%d %H:%M}\n"
    (fresh.folder / "works.csv").write_text("who,kind,from,until,announced\n" + works, encoding="utf-8")
    fresh.close()
    times = [f"{each:%Y-%m-%dT%H:%M}" for each in day[:2]]
    done = call(fresh.folder, "--at", times[0], "--or", times[1], "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [each["offices"] for each in found["times"]] == [4, 4]
    assert [each["site"] for each in found["differs"]] == ["ballia"]
    lost = found["differs"][0]["chances"][1] - found["differs"][0]["chances"][0]
    first, second = (each["expected_to_hold"] for each in found["times"])
    assert second - first == pytest.approx(lost, abs=0.06)
    assert found["better"] == found["times"][1]["starts"]
    said = call(fresh.folder, "--at", times[0], "--or", times[1], "--lang", "en")
    assert "Ballia" in said.stdout
    assert not said.stderr  # no terminal: no lines of progress
    assert (
        call(fresh.folder, "--at", times[0], "--or", times[0], "--json").stdout.count('"better": null') == 1
    )


def test_why_two_times_differ_is_what_they_do_not_share() -> None:
    """Silence is the same at both: named is the hour. Where all is shared the nearer time leaves less of it to end; else only the chance is lower."""
    silence = Reason(code=ReasonCode.NO_DATA, value=1800.0, unit="s", since_ns=NOON_NS)
    hour = Reason(code=ReasonCode.USUAL_HOUR, value=0.93, unit="ratio")

    def why(one: float, two: float, *reasons: tuple[Reason, ...]) -> str:
        found = [promise(agra=one), promise(agra=two)]
        for nth, (each, given) in enumerate(zip(found, reasons, strict=True)):
            verdict = each.verdicts["agra"]
            each.verdicts["agra"] = structs.replace(verdict, reasons=given, starts_ns=nth * HOUR_NS)
        row = expected_lines(load_config(None), found, "en")[-1].replace("\u00a0", " ")
        return row.rpartition(" %")[2].strip() if "(" not in row else row.partition("Bottle")[1]

    assert why(0.8, 0.1, (silence,), (silence, hour)) == "Bottle"
    assert why(0.1, 0.8, (silence, hour), (silence,)) == "Bottle"
    assert why(0.7, 0.8, (silence,), (silence,)) == "No data, since 12:00; less time until then"
    shared = "No data, since 12:00; at both times, only less likely to hold at one"
    assert why(0.8, 0.7, (silence,), (silence,)) == shared
    assert why(0.8, 0.7, (silence, hour), (silence,)) == shared
    assert why(0.95, 0.7, (), (silence,)) == "No data, since 12:00"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "ready then too, only less surely"), ("hi", "तब भी तैयार, बस भरोसा थोड़ा कम")],
)
def test_why_a_ready_office_differs_is_no_hole(language: str, said: str) -> None:
    """Ready has no reasons, so there is none to name at either time; whichever of the two is the worse."""
    for one, two in ((0.98, 0.91), (0.91, 0.98)):
        row = expected_lines(load_config(None), [promise(agra=one), promise(agra=two)], language)[-1]
        assert row.endswith(said)


@pytest.mark.parametrize("language", ["hi", "en"])
def test_why_two_times_differ_calls_a_headquarters_by_its_name(language: str) -> None:
    """As everywhere else: nobody who asks for a time knows its id."""
    fault = Reason(
        code=ReasonCode.SHARED_FAULT,
        value=5,
        limit=5,
        factor=Factor(FactorKind.END, "state"),
        since_ns=NOON_NS,
    )
    found, config = [promise(agra=0.1), promise(agra=0.8)], load_config(None)
    found[0].verdicts["agra"] = structs.replace(found[0].verdicts["agra"], reasons=(fault,))
    row = expected_lines(config, found, language)[-1]
    assert config.headquarters["state"].name(language) in row


@pytest.mark.parametrize(
    ("holding", "said"),
    [
        ((53.56, 53.44), "by 0.2 offices"),
        ((53.64, 53.46), "by 0.1 offices"),
        ((53.56, 53.64), "No difference"),
    ],
)
def test_the_difference_is_that_of_what_is_shown(holding: tuple[float, float], said: str) -> None:
    """53.6 and 53.5 differ by 0.1 for everybody who reads them, whatever was rounded away; what reads the same is the same."""
    found = [Expected(promise().occurrence, {}, number) for number in holding]
    line = expected_lines(load_config(None), found, "en")[2]
    assert said in line


def test_a_row_adds_what_the_head_counts() -> None:
    """An office whose device is off counts nothing, whatever its line promises; and no chance is rounded up to a better state."""
    off = Reason(code=ReasonCode.ROOM_DEVICE, value=60.0, unit="s", since_ns=NOON_NS)
    found = [promise(agra=0.8961), promise(agra=0.95)]
    verdict = found[1].verdicts["agra"]
    found[1].verdicts["agra"] = structs.replace(verdict, state=State.NOT_READY, reasons=(off,))
    row = expected_lines(load_config(None), found, "en")[-1].replace("\u00a0", " ")
    assert [cell for cell in map(str.strip, row.split("  ")) if cell][:3] == ["Agra", "89 %", "not ready"], (
        row
    )
