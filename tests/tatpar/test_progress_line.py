"""Progress on a terminal, in the reader's language."""

from __future__ import annotations

import sys

import pytest

from tatpar.terminal.progress_line import ProgressLine


@pytest.mark.parametrize(
    ("language", "counted", "copied"),
    [("en", "day 3 of 30", "copied:  50 %"), ("hi", "30 में से दिन 3", "नक़ल हुई:  50 %")],
)
def test_how_far_it_is(
    language: str,
    counted: str,
    copied: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line that is written over and ends with the work."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with ProgressLine(language) as line:
        line.counting("day")(3, 30)
        line.copied(50, 100)
    told = capsys.readouterr().err
    assert [each.rstrip() for each in told.split("\r")] == ["", counted, copied]
    assert told.endswith("\n")


def test_no_terminal_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    """A log is not filled with it."""
    with ProgressLine("hi") as line:
        line.counting("history")(1, 2)
    assert capsys.readouterr().err == ""
