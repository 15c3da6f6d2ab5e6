"""`tatpar report weekly` explains what keeps it from writing a report."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from config.settings import Store
from tatpar.__main__ import main
from telemetry.store.open import open_writer

if TYPE_CHECKING:
    from click.testing import Result

LETTER = b"this is no database, it is a letter to the editor" * 100


def weekly(operator: Any, *arguments: str) -> Result:
    place = ["--config", str(operator.config), "--data", str(operator.data)]
    out = ["--out", str(operator.folder / "out")]
    done = CliRunner().invoke(main, ["report", "weekly", *place, *out, *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_no_store(operator: Any) -> None:
    """Where no Tatpar ever ran it ends with 2, names --data, and makes nothing."""
    done = weekly(operator)
    assert done.exit_code == 2
    assert "--data" in done.stderr
    assert not operator.data.exists()


@pytest.mark.parametrize("name", ["reports.db", "state.db"])
def test_a_damaged_database(operator: Any, name: str) -> None:
    """A database file that is none ends it with 1 and a line that names it; no page is written."""
    operator.data.mkdir()
    with closing(open_writer(Store(), operator.data)):
        pass
    (operator.data / name).write_bytes(LETTER)
    done = weekly(operator)
    assert done.exit_code == 1, done.output
    assert name in done.stderr.splitlines()[-1]
    assert not (operator.folder / "out").exists()


def test_a_place_that_cannot_be_written(operator: Any) -> None:
    """A file in the way of the output folder ends it with 1 and a line that names it."""
    with closing(open_writer(Store(), operator.data)):
        pass
    (operator.folder / "taken").write_text("a file", encoding="utf-8")
    done = weekly(operator, "--out", str(operator.folder / "taken" / "out"))
    assert done.exit_code == 1, done.output
    assert done.stderr.splitlines()[-1].startswith(f"tatpar report: {operator.folder / 'taken'}")


@pytest.mark.parametrize("language", ["hi", "en"])
def test_a_week_without_data(operator: Any, language: str) -> None:
    """An empty store gives a page all the same, and its path is all that standard output holds."""
    with closing(open_writer(Store(), operator.data)):
        pass
    done = weekly(operator, "--week", "2026-W47", "--lang", language, "--format", "html")
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    assert line == str(operator.folder / "out" / f"readiness-2026-W47-{language}.html")
    assert f'lang="{language}"' in (operator.folder / "out" / line).read_text(encoding="utf-8")


def test_without_a_place_it_writes_into_the_data_folder(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left where the operator happens to stand; as JSON the paths are a list."""
    with closing(open_writer(Store(), operator.data)):
        pass
    monkeypatch.chdir(operator.folder)
    before = set(operator.folder.iterdir())
    arguments = ["report", "weekly", "--config", str(operator.config), "--data", str(operator.data), "--json"]
    done = CliRunner().invoke(main, [*arguments, "--week", "2026-W47", "--lang", "en", "--format", "html"])
    assert done.exit_code == 0, done.output
    page = operator.data / "reports" / "readiness-2026-W47-en.html"
    assert json.loads(done.stdout) == {"files": [str(page)], "mails": 0}
    assert page.exists()
    assert set(operator.folder.iterdir()) - before <= {operator.data}


@pytest.mark.parametrize(("week", "why"), [("1900-W01", "nothing is kept of"), ("2999-W01", "has not begun")])
def test_a_week_of_which_there_is_nothing(operator: Any, week: str, why: str) -> None:
    """A week older than what is kept, or still to come, ends with 2 and a line that names a week to write."""
    with closing(open_writer(Store(), operator.data)):
        pass
    done = weekly(operator, "--week", week)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert why in line
    assert "write a week" in line
    assert not (operator.folder / "out").exists()
