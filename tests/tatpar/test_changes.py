"""`tatpar changes` writes the scorer's format, and says what is wrong with a trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from click.testing import CliRunner

from tatpar.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path) -> Path:
    """A trace that moves from 40 to 60 ms at its sample 100."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    lines = [
        f"{start + timedelta(minutes=4 * i):%Y-%m-%d %H:%M:%S};{60 if i >= 100 else 40}.{i % 3}"
        for i in range(200)
    ]
    file = folder / "trace.csv"
    file.write_text("epoch;rtt\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_indices_are_written_one_a_line(tmp_path: Path) -> None:
    """Off line the first sample of the new level, on line the sample at which it was decided."""
    trace, out = written(tmp_path), tmp_path / "found.csv"
    assert CliRunner().invoke(main, ["changes", str(trace)]).output == "100\n"
    done = CliRunner().invoke(main, ["changes", str(trace), "--online", "--out", str(out)])
    assert (done.exit_code, done.output, out.read_text(encoding="utf-8")) == (0, "", "105\n")
    assert CliRunner().invoke(main, ["changes", str(trace), "--json"]).output == "[100]\n"


def test_a_silence_is_told_where_it_begins_and_ends(tmp_path: Path) -> None:
    """Ten timeouts in a row: both edges off line, on line each at its sixth sample; the level that moved is told as ever."""
    trace = written(tmp_path)
    lines = trace.read_text(encoding="utf-8").splitlines()
    lines[1 + 40 : 1 + 50] = [f"{line.split(';')[0]};1000" for line in lines[1 + 40 : 1 + 50]]
    trace.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert CliRunner().invoke(main, ["changes", str(trace), "--json"]).output == "[40, 50, 100]\n"
    online = CliRunner().invoke(main, ["changes", str(trace), "--online", "--json"])
    assert online.output == "[45, 55, 105]\n"


def test_scattered_loss_is_no_change_of_a_trace_and_help_says_where_it_is_judged(tmp_path: Path) -> None:
    """Every third of the last hundred lost, or five of six: the level alone is told; six in a row have edges."""
    whole = written(tmp_path).read_text(encoding="utf-8").splitlines()
    for lost, found in (
        (lambda i: i % 3 == 0, "[100]\n"),
        (lambda i: i % 6 != 0, "[100]\n"),
        (lambda i: 130 <= i < 136, "[100, 130, 136]\n"),
    ):
        rows = [f"{row.split(';')[0]};-1" if i > 110 and lost(i) else row for i, row in enumerate(whole[1:])]
        (tmp_path / "trace.csv").write_text("\n".join([whole[0], *rows]) + "\n", encoding="utf-8")
        assert CliRunner().invoke(main, ["changes", str(tmp_path / "trace.csv"), "--json"]).output == found
    said = " ".join(CliRunner().invoke(main, ["changes", "--help"]).output.split())
    for sentence in (
        "No more is told of loss in a trace: where it begins and is scattered no round trip moves, so that is no change",
        "A step of loss is told of an office's five minutes, with --site SITE --metric loss;",
        "whether a loss is too much is judged by the call profiles (tatpar flags).",
    ):
        assert sentence in said


def test_indices_count_the_rows_of_the_file_as_it_is_given(tmp_path: Path) -> None:
    """Newest first: sample 100 is row 99, the sixth of the level row 94; repeated: row 101 after one that is written twice."""
    trace = written(tmp_path)
    header, *rows = trace.read_text(encoding="utf-8").splitlines()
    trace.write_text("\n".join([header, *rows[::-1]]) + "\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["changes", str(trace)])
    told = (
        f"{trace}: rows that stood after a later one, sorted by time: 199; repeated rows, counted once: 0\n"
    )
    assert (done.stdout, done.stderr) == ("99\n", told)
    assert CliRunner().invoke(main, ["changes", str(trace), "--online", "--json"]).stdout == "[94]\n"
    trace.write_text("\n".join([header, rows[0], *rows]) + "\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["changes", str(trace), "--json"])
    told = f"{trace}: rows that stood after a later one, sorted by time: 0; repeated rows, counted once: 1\n"
    assert (done.stdout, done.stderr) == ("[101]\n", told)


def test_a_wrong_trace_is_wrong_input(tmp_path: Path) -> None:
    """A file that is not there ends with 2 and is named in one line."""
    done = CliRunner().invoke(main, ["changes", str(tmp_path / "none.csv")])
    assert done.exit_code == 2
    assert "none.csv" in done.output
    assert done.output.count("\n") == 1
