"""What an office's machine says is read on a terminal and in a log, and does nothing there."""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from tatpar.service.logs import JsonLines, TextLines
from tatpar.terminal.columns import table
from tatpar.terminal.screen import guarded, ours
from telemetry.control import Command
from telemetry.state.commands import CommandRow
from telemetry.state.db import StateDb
from telemetry.visible import visible, visible_lines

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "\x1b[2J\x1b[H\x1b]0;owned\x07"
FORGED = f"running{TITLE}\r\nagra/p1: all offices ready (3 ms)\u202ecba\u2066\x9b2J\x7f\x00"
ACTS = set("\x1b\x07\r\x9b\x7f\x00\u202e\u2066\u2028")
"""Nothing of this may reach a terminal."""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (TITLE, "\\u001b[2J\\u001b[H\\u001b]0;owned\\u0007"),
        ("a\r\nb\tc\u2028d", "a\\u000d\\u000ab\\u0009c\\u2028d"),
        ("\u202eabc\u2069\u200f", "\\u202eabc\\u2069\\u200f"),
        ("\ud800\U000e0041", "\\ud800\\udb40\\udc41"),
        ("क्‍ष — ₹5 “ok”\u00a0é 😀", "क्‍ष — ₹5 “ok”\u00a0é 😀"),
    ],
)
def test_what_acts_or_hides_is_shown_as_its_number(said: str, shown: str) -> None:
    """Escape, carriage return, line ends, overrides of direction, halves, tags; Hindi with its joiners stays as it is."""
    assert visible(said) == shown


def test_a_megabyte_is_cut_where_a_length_is_asked_for() -> None:
    """So many of its own characters, and a sign that there was more."""
    assert visible("\x1b" * 1_000_000, 3) == "\\u001b\\u001b\\u001b…"
    assert visible("abc", 3) == "abc"


def test_a_whole_text_keeps_its_lines() -> None:
    """Also those of CSV; a carriage return alone would write over a line."""
    assert visible_lines("a\tb\r\nc\rd\n") == "a\tb\r\nc\\u000dd\n"


def test_a_cell_of_a_table_begins_no_line() -> None:
    """Whoever filled it."""
    lines = table(["who", "says"], [["agra", FORGED]])
    assert len(lines) == 2
    assert not any(ACTS & set(line) or "\n" in line for line in lines)


def test_everything_that_a_command_writes_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output, error lines and the log; what draws a bar of ours goes past it."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with guarded():
        click.echo(FORGED)
        sys.stdout.write(f"{FORGED}\n")
        click.echo(FORGED, err=True)
        log, handler = logging.getLogger("tests.office"), logging.StreamHandler()
        log.addHandler(handler)
        log.warning("%s", FORGED)
        log.removeHandler(handler)
    assert sys.stdout is out
    for written in (out.getvalue(), err.getvalue()):
        assert (
            written.count("\\u202e") == 2
        )  # click itself takes out some escapes, where it writes to no terminal
        assert not (ACTS - {"\r"}) & set(written)
    with guarded():
        ours().write("\r\x1b[K 40 %")
    assert err.getvalue().endswith("\r\x1b[K 40 %")


def test_a_line_of_the_log_stays_one_line() -> None:
    """For people and for machines."""
    record = logging.LogRecord("office", logging.WARNING, "x.py", 1, "it says %s", (FORGED,), None)
    for lines in (TextLines(), JsonLines()):
        line = visible_lines(lines.format(record))
        assert "\n" not in line
        assert not ACTS & set(line)
    assert json.loads(line)["message"] == f"it says {FORGED}"


def test_a_forged_answer_is_read_in_the_list_of_commands(tmp_path: Path) -> None:
    """As its words, on its own line; in JSON it is what the office sent."""
    (tmp_path / "tatpar.toml").write_text("", encoding="utf-8")
    with closing(StateDb(tmp_path / "state.db")) as state:
        put_answered(state)
    asked = ["command", "list", "--lang", "en", "--data", str(tmp_path)]
    shown = CliRunner().invoke(main, asked)
    assert shown.exit_code == 0, shown.output
    assert len(shown.stdout.splitlines()) == 2
    assert "running\\u001b[2J" in shown.stdout
    assert not ACTS & set(shown.output)
    told = CliRunner().invoke(main, [*asked, "--json"])
    assert not ACTS & set(told.output)
    assert json.loads(told.stdout)[0]["detail"] == FORGED


def put_answered(state: StateDb) -> None:
    command = Command(verb="status", id="c1", issued_ns=1, expires_ns=2**62)
    row = CommandRow(
        id="c1", site="agra", probe="p1", who="noc", issued_ns=1, expires_ns=2**62, command=command
    )
    state.put_command(row)
    assert state.take_command(2) is not None
    assert state.put_answer("c1", "agra", "p1", (True, FORGED), 10**9)
