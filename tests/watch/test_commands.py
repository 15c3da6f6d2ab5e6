"""`tatpar ready` and `tatpar flags`: tables in both languages, JSON, exit status."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from tatpar.__main__ import main
from tatpar.terminal.columns import padded, table, width
from tatpar.terminal.json_time import readable, rfc3339
from telemetry.rehearsing import OfficeProgress, OfficeState, RehearsalRecord, new_request
from telemetry.windows import SECOND_NS
from telemetry.words import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Town


def call(town: Town, *arguments: str) -> Result:
    config = ["--config", str(town.folder / "tatpar.toml"), "--data", str(town.folder)]
    return CliRunner().invoke(main, [arguments[0], *config, *arguments[1:]])


@pytest.fixture
def decided(town: Town) -> Town:
    """Two minutes with agra broken; then what was decided is moved to the real present, which commands look at."""
    town.play(120)
    town.break_line("agra", up=0.06)
    town.play(60)
    now_ns = time.time_ns()
    shift_ns = now_ns - town.now_ns
    shift_ns -= shift_ns % SECOND_NS
    town.meet(town.meeting("review", 1.0 + shift_ns / SECOND_NS / 3600))
    said = town.state.verdicts(0, 2**62)
    town.state.void("review", said[0].occurrence_ns, now_ns)
    moved = ("starts_ns", "ends_ns", "occurrence_ns", "issued_ns")
    town.state.put_verdicts(
        [replace(each, **{name: getattr(each, name) + shift_ns for name in moved}) for each in said]
    )
    town.state.beat("watch", now_ns, {})
    return town


def test_ready_prints_the_table_worst_first(decided: Town) -> None:
    """In English: heading, counts, the broken office first with reason and action; status 3 since it is not ready."""
    result = call(decided, "ready", "--lang", "en")
    assert result.exit_code == 3, result.output
    lines = result.output.splitlines()
    assert "review" in lines[0]
    assert lines[1].strip().startswith("3 ready, 0 at risk, 1 not ready, 0 unknown, 1 planned")
    assert lines[3].split()[0] == "Agra"
    assert "not ready" in lines[3]
    assert "Loss, uplink" in lines[3]
    assert lines[8].startswith("Track record: 0 forecasts")
    assert len(lines) == 9


def test_ready_speaks_hindi_and_aligns(decided: Town) -> None:
    """Without --lang it speaks the deployment's Hindi, and every state begins in the same column."""
    result = call(decided, "ready")
    lines = result.output.splitlines()[3:]
    assert "आगरा" in lines[0]
    at = {width(line[: line.index(word)]) for line in lines for word in ("तैयार",) if word in line}
    assert len(at) == 1


def test_ready_as_json(decided: Town) -> None:
    """JSON carries counts, every verdict with RFC 3339 times, and the watch's age."""
    result = call(decided, "ready", "--json")
    assert result.exit_code == 3
    found = json.loads(result.output)
    assert found["watch_is_at_work"] is True
    (occurrence,) = found["occurrences"]
    assert occurrence["counts"] == {"ready": 3, "at_risk": 0, "not_ready": 1, "unknown": 0, "planned": 1}
    by_site = {verdict["site"]: verdict for verdict in occurrence["verdicts"]}
    assert by_site["agra"]["state"] == "not_ready"
    assert by_site["agra"]["reasons"][0]["code"] == "loss_up"
    assert by_site["agra"]["starts"] == occurrence["starts"]
    assert occurrence["starts"].endswith("Z")
    assert "starts_ns" not in by_site["agra"]


def test_ready_shows_the_last_rehearsal(decided: Town) -> None:
    """A column of its own, where anybody rehearsed: what each way held, when, what broke; and in the JSON."""
    now_ns = time.time_ns()
    asked = new_request(meeting="review", recurrence_ns=1, who="asha", now_ns=now_ns)
    decided.state.ask_rehearsal(asked)
    office = OfficeProgress(
        site="agra", probe="p1", stage=1, state=OfficeState.BROKE, rung_up="video-360p", rung_down="video-720p", why="up rate"
    )  # fmt: skip
    decided.state.put_rehearsal(
        RehearsalRecord(
            request=asked, rungs=("video-360p", "video-720p"), starts_ns=(now_ns,), offices=(office,)
        )
    )
    lines = call(decided, "ready", "--lang", "en").output.splitlines()
    assert "last rehearsal" in lines[2]
    assert "↑ Video 360p ↓ Video 720p · uplink: does not carry the rate" in lines[3]
    found = json.loads(call(decided, "ready", "--json").stdout)["occurrences"][0]["rehearsals"]
    assert [(one["site"], one["state"], one["why"]) for one in found] == [("agra", "broke", "up rate")]
    assert found[0]["start"] == rfc3339(now_ns)


def test_ready_of_one_meeting(decided: Town) -> None:
    """A meeting that does not exist is wrong input: status 2, and which there are."""
    assert call(decided, "ready", "--meeting", "review").exit_code == 3
    result = call(decided, "ready", "--meeting", "other")
    assert result.exit_code == 2
    assert "'other'" in result.stderr
    assert "review" in result.stderr


def test_ready_without_trouble_is_status_0(decided: Town) -> None:
    """When no invited office is not ready the status is 0."""
    healed = [v for v in decided.state.verdicts(0, 2**62) if v.site != "agra"]
    decided.state.void("review", healed[0].occurrence_ns, 1, ["agra"])
    assert call(decided, "ready").exit_code == 0


def test_old_verdicts_are_told_as_old(decided: Town) -> None:
    """When the watch has been silent, a line says since when, beside the table."""
    decided.state.beat("watch", time.time_ns() - 600 * SECOND_NS, {})
    result = call(decided, "ready", "--lang", "en")
    assert "10 min ago" in result.stderr.replace("\u00a0", " ")
    assert json.loads(call(decided, "ready", "--json").stdout)["watch_is_at_work"] is False


def test_flags_prints_and_as_json(decided: Town) -> None:
    """Flags name office, line, limit, reason and since when, in both forms."""
    result = call(decided, "flags", "--lang", "en")
    assert result.exit_code == 0
    row = next(line for line in result.output.splitlines() if line.startswith("Agra"))
    assert "headquarters" in row
    assert "main." not in row
    assert "Loss, uplink" in row
    assert "since" in row
    found = json.loads(call(decided, "flags", "--json").output)
    assert {flag["site"] for flag in found["flags"]} == {"agra"}
    assert found["flags"][0]["since"].endswith("Z")
    assert found["flags"][0]["path"].startswith("main.")
    assert "मुख्यालय" in next(
        line for line in call(decided, "flags").output.splitlines() if line.startswith("आगरा")
    )
    decided.state.put_flags([], time.time_ns())
    assert "No office is degraded" in call(decided, "flags", "--lang", "en").output


@pytest.mark.parametrize("command", ["ready", "flags"])
def test_no_state_is_one_clear_line(town: Town, command: str) -> None:
    """Without a state database the command fails with one line that says what to do."""
    result = CliRunner().invoke(main, [command, "--data", str(town.folder / "nothing")])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "--data" in result.stderr


@pytest.mark.parametrize("command", ["flags", "incidents"])
def test_where_no_watch_ever_looked_nothing_is_said_to_be_well(town: Town, command: str) -> None:
    """The state is there, for a collector made it: "no office is degraded" would read as if all were well."""
    result = call(town, command, "--lang", "en")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "tatpar watch" in result.stderr
    assert "no such file" not in result.stderr
    assert "निगरानी अब तक नहीं चली" in call(town, command, "--lang", "hi").stderr
    town.state.beat("watch", time.time_ns(), {})
    assert call(town, command, "--lang", "en").exit_code == 0


def test_a_calendar_without_meetings_is_told(town: Town) -> None:
    """One line in the reader's language; nobody is not ready for it."""
    town.meet()
    for language, said in (
        ("en", "No meeting within 2 days."),
        ("hi", say("hi", "table.no_meeting", days=2)),
    ):
        result = call(town, "ready", "--lang", language)
        assert (result.exit_code, result.stdout.splitlines()[0]) == (0, said), result.output


def test_no_verdicts_yet_is_told(town: Town) -> None:
    """A fresh data folder without verdicts says that the watch must run."""
    now_h = (time.time_ns() - town.t0) / SECOND_NS / 3600
    town.meet(town.meeting("review", now_h + 1))
    result = call(town, "ready", "--lang", "en")
    assert result.exit_code == 1
    assert "tatpar watch" in result.stderr


def test_verdicts_of_other_meetings_ask_for_the_settings_of_the_watch(decided: Town) -> None:
    """Asked with other settings than the watch's: not that the watch must be started, it runs."""
    said = decided.state.verdicts(0, 2**62)
    shift_h = (said[0].starts_ns - decided.t0) / SECOND_NS / 3600
    decided.meet(decided.meeting("elsewhere", shift_h))
    result = call(decided, "ready", "--lang", "en")
    assert result.exit_code == 1
    assert "(review); give --config" in result.stderr
    assert "tatpar watch" not in result.stderr
    assert "(review); --config में" in call(decided, "ready", "--lang", "hi").stderr


@pytest.mark.parametrize(
    ("text", "columns"),
    [("Agra", 4), ("आगरा", 4), ("मेरठ", 3), ("झाँसी", 4), ("मुज़फ़्फ़रनगर", 8), ("क्‍ष", 2), ("日本", 4), ("", 0)],
)
def test_width_is_the_terminals(text: str, columns: int) -> None:
    """Vowel signs that stand above or below, viramas, nuktas and joiners take no column; the others do."""
    assert width(text) == columns
    assert width(padded(text, 10)) == 10


def test_tables_align_by_width() -> None:
    """Cells of every row begin in the same column, whatever the script."""
    rows: Sequence[Sequence[str]] = [("आगरा", "x"), ("मुज़फ़्फ़रनगर", "x"), ("Agra", "x")]
    lines = table(("कार्यालय", "x"), rows)
    assert {width(line[: line.rindex("x")]) for line in lines} == {max(width(r[0]) for r in rows) + 2}


def test_times_are_readable() -> None:
    """`*_ns` become RFC 3339, whatever is nested; other numbers stay."""
    assert rfc3339(1_795_392_000_000_000_000) == "2026-11-23T00:00:00Z"
    assert rfc3339(1_795_392_000_250_000_000) == "2026-11-23T00:00:00.250Z"
    assert readable({"a_ns": 0, "b": [{"c_ns": 10**9, "n": 3}]}) == {
        "a": "1970-01-01T00:00:00Z",
        "b": [{"c": "1970-01-01T00:00:01Z", "n": 3}],
    }
