"""The front door says what there is, each with an example, and opens quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pytest
from click.testing import CliRunner

from tatpar import commands
from tatpar.__main__ import COMMANDS, main

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAVY: Final = (
    "numpy", "pandas", "pyarrow", "scipy", "icalendar", "recurring_ical_events", "babel", "jinja2", "starlette", "uvicorn",
    "zstandard", "influxdb_client", "urllib3", "msgspec", "paho", "psutil", "asyncio", "sqlite3",
)  # fmt: skip
DESIGNED: Final = frozenset(
    {"up", "probe", "reflect", "collect", "watch", "wall", "ready", "flags", "report", "sites", "meetings"}
    | {"doctor", "grafana", "history", "backtest", "enroll"}
)
"""The commands of the design."""
LATER: Final[frozenset[str]] = frozenset()
BESIDE: Final = frozenset(
    {
        "alerts",
        "broker",
        "call",
        "changes",
        "command",
        "gaps",
        "incidents",
        "lab",
        "refused",
        "rehearse",
        "revoke",
    }
    | {"store", "users"}
)
"""What came to be beside the design."""


def paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and sub-command below."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name
            yield from paths(found, (*path, name))


@pytest.mark.parametrize("path", list(paths(main)), ids=lambda path: " ".join(path) or "tatpar")
def test_help_has_an_example(path: tuple[str, ...]) -> None:
    """Help ends with 0 and shows how the very command is called."""
    done = CliRunner().invoke(main, [*path, "--help"], prog_name="tatpar", terminal_width=200)
    assert done.exit_code == 0, done.output
    _, found, example = done.output.partition("Example: tatpar ")
    assert found, done.output
    words = example.split()
    assert words[0] in COMMANDS
    at = 0
    for name in path:
        assert name in words[at:], f"the example is of another command: {example.splitlines()[0]}"
        at = words.index(name, at) + 1


NEITHER: Final = {("grafana",), ("history",), ("lab",), ("report",), ("store",), ()}
"""Groups that do nothing by themselves."""


@pytest.mark.parametrize("path", [p for p in paths(main) if p not in NEITHER], ids=" ".join)
def test_every_command_takes_config_and_data(path: tuple[str, ...]) -> None:
    """`--config` and `--data` stand after every command's own name."""
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--config", "--data"} <= options
    assert "\\b" not in (command.help or "")


def test_help_lists_the_commands_that_exist() -> None:
    """`tatpar --help` names each command's module once, in order, and nothing else."""
    done = CliRunner().invoke(main, ["--help"], terminal_width=200)
    listed = [line.split()[0] for line in done.output.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed == list(COMMANDS)
    (folder,) = commands.__path__
    assert set(listed) == {file.stem for file in Path(folder).glob("*.py")} - {"__init__"}
    assert set(listed) == (DESIGNED - LATER) | BESIDE


def test_an_unknown_command_is_wrong_input() -> None:
    """A mistyped command ends with 2 and is named."""
    done = CliRunner().invoke(main, ["redy"])
    assert done.exit_code == 2
    assert "redy" in done.output


def loaded_after(arguments: list[str]) -> list[str]:
    program = (
        "import sys\nfrom tatpar.__main__ import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('loaded:', *(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr.partition("loaded:")[2].split()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """Asking for help imports neither numpy nor any library of the hub: it is there at once."""
    assert loaded_after(arguments) == []
