"""An import that takes the place of an earlier one's slots says so in one line, and where a back-test loses by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Desk

T0 = 1_795_392_000
SLOTS = 6
MAPPING = """
time = { column = "t", format = "unix_s" }
arrived = { column = "came", format = "unix_s" }
path = { is = "main.state" }
ping = { rtt = { column = "rtt" } }
"""


@pytest.fixture
def imports(desk: Desk) -> object:
    """A ping a minute of half an hour, all of which came so many seconds after it was made, or some other rows; what is said."""
    mapping = desk.writes("m.toml", MAPPING)

    def do(later_s: int, *more: str) -> str:
        rows = [f"{T0 + 60 * n},{30 + n % 3},{T0 + 60 * n + later_s}" for n in range(5 * SLOTS)]
        file: Path = desk.writes("a.csv", "\n".join(["t,rtt,came", *rows]) + "\n")
        done = desk.imports([file], mapping, "--site", "agra", "--lang", "en", *more)
        assert done.exit_code == 0, done.output
        return done.stdout

    return do


def notes(said: str) -> list[str]:
    return [line for line in said.splitlines() if "earlier import" in line]


def test_a_second_import_says_how_many_slots_it_replaces(imports) -> None:
    assert notes(imports(1)) == []
    assert notes(imports(1)) == [
        f"note: slots of an earlier import that these replace, times of arrival and all: {SLOTS}"
    ]
    assert notes(imports(1, "--dry-run")) == notes(imports(1))


def test_rows_that_came_later_than_those_that_they_replace_are_told(imports) -> None:
    """And what to do instead; the other way about nothing is lost."""
    imports(1)
    (line,) = notes(imports(7200, "--dry-run"))
    assert f"and all: {SLOTS}; {SLOTS} of them had come sooner" in line
    assert "in one command" in line
    (office,) = json.loads(imports(7200, "--json"))["sites"]
    assert (office["replaced"], office["overtaken"]) == (SLOTS, SLOTS)
    (office,) = json.loads(imports(1, "--json"))["sites"]
    assert (office["replaced"], office["overtaken"]) == (SLOTS, 0)
