"""One rule of language for every command: the deployment's, and `--lang` asks one command for the other."""

from __future__ import annotations

import inspect
import re
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import COMMANDS, main
from tatpar.terminal.options import lang_option
from telemetry.alerting import Alert, AlertState, Kind, Severity
from telemetry.state.db import StateDb
from tests.tatpar.test_help import paths

if TYPE_CHECKING:
    from pathlib import Path

    import click

BOTH = ("alerts", "templates")
"""A provider wants them in both; without --lang it gives both."""
DEVANAGARI = re.compile("[\u0900-\u097f]")
MEETING = "morning-review@tatpar.example"


def command_of(path: tuple[str, ...]) -> click.Command:
    found: click.Command = main
    for name in path:
        found = found.get_command(None, name)  # type: ignore[attr-defined]
    return found


EVERY = {path: command_of(path) for path in paths(main) if path}


def test_the_option_is_the_same_everywhere() -> None:
    """One name, one default, one help; whoever asks for the deployment's language takes it."""
    (wanted,) = getattr(lang_option(lambda: None), "__click_params__")  # noqa: B009 - click sets it
    seen = 0
    for path, command in EVERY.items():
        option = next((one for one in command.params if "--lang" in one.opts), None)
        source = inspect.getsource(inspect.getmodule(inspect.unwrap(command.callback)))  # type: ignore[arg-type]
        if option is None:
            groups = {name for name in COMMANDS if len(path) == 1 and name == path[0]}
            asks = "deployment.language" in inspect.getsource(inspect.unwrap(command.callback))  # type: ignore[arg-type]
            assert not asks, f"{path} speaks a language and has no --lang ({groups})"
        elif path != BOTH:
            assert option.to_info_dict() == wanted.to_info_dict(), path
            assert re.search(r"lang or .*deployment\.language|lang or config", source), path
            seen += 1
    assert seen > 10


@pytest.mark.parametrize(
    "words", [("rehearse", "--meeting", MEETING), ("alerts", "list", "--open"), ("flags",), ("incidents",)]
)
def test_the_deployments_and_the_other_when_asked(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Settings in English and in Hindi, and each with the other by `--lang`: four times the language that counts."""
    now_ns = time.time_ns()
    with closing(StateDb(tmp_path / "state.db")) as state:
        alert = Alert(
            id="K7M2PQ",
            kind=Kind.DOWN,
            site="agra",
            state=AlertState.FIRING,
            severity=Severity.URGENT,
            since_ns=now_ns,
            pending_ns=now_ns,
        )
        state.put_alerts([alert], [], now_ns)
    for own in ("hi", "en"):
        settings = tmp_path / f"{own}.toml"
        settings.write_text(f'[deployment]\nlanguage = "{own}"\n', encoding="utf-8")
        for asked in (None, "hi", "en"):
            more = [] if asked is None else ["--lang", asked]
            place = ["--config", str(settings), "--data", str(tmp_path)]
            done = CliRunner().invoke(main, [*words, *place, *more], input="n\n")
            assert done.output.strip()
            is_hindi = DEVANAGARI.search(done.output) is not None
            assert is_hindi == ((asked or own) == "hi"), done.output
