"""The reference is what the code says, whole, and leaves nothing without words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pytest

from collector.observation.outside_metrics import JOURNAL, SHIPPED
from config.settings import Settings
from docs._reference.metrics import families
from docs._reference.pages import PAGES
from docs._reference.settings import DEFAULTS, tables_of, words_of
from docs._reference.structs import fields_of
from docs._reference.wire import WRITTEN, structs
from probes.publishing.probe_file import ProbeTables
from telemetry import control, messages
from telemetry.store.server import decided, item_points, points
from telemetry.topics import Leaf
from tests.tatpar.test_help import paths
from tests.tatpar.test_lang import EVERY

if TYPE_CHECKING:
    from types import ModuleType

FOLDER: Final = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    """What is kept in the repository is what would be written now; a change of the code needs `make reference`."""
    kept = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert kept == PAGES[name](), f"docs/reference/{name}.md differs from the code: run `make reference`"


def test_no_page_is_left_over() -> None:
    """The folder holds the pages that are written, and nothing else."""
    assert {file.stem for file in FOLDER.glob("*.md")} == set(PAGES)


def test_every_command_is_there() -> None:
    """Each command and sub-command has a heading."""
    from tatpar.__main__ import main

    headings = set(re.findall(r"^#+ (tatpar .+)$", read("commands"), re.MULTILINE))
    assert headings == {" ".join(("tatpar", *path)) for path in paths(main) if path}


@pytest.mark.parametrize(("file", "whole"), [("tatpar.toml", Settings), ("probe.toml", ProbeTables)])
def test_every_key_has_words(file: str, whole: type[Settings | ProbeTables]) -> None:
    """Each key of the types is explained in the built-in file, and the page has a row for it."""
    told, _ = words_of((DEFAULTS / file).read_text(encoding="utf-8"))
    tables = tables_of(whole)
    keys = [
        f"{name}.{field.name}".lstrip(".") for name, struct in tables.items() for field in fields_of(struct)
    ]
    silent = [key for key in keys if key not in tables and key != "ends" and not told.get(key)]
    assert not silent
    page = read("settings" if file == "tatpar.toml" else "probe-settings")
    assert page.count("\n| `") == sum(key not in tables for key in keys)


@pytest.mark.parametrize("module", [messages, control], ids=lambda module: module.__name__)
def test_every_field_of_a_message_has_words(module: ModuleType) -> None:
    """A field that is sent is explained below its name in the source."""
    silent = [
        f"{kind.__name__}.{field.name}"
        for kind in structs(module)
        for field in fields_of(kind)
        if not field.says and (kind.__name__, field.name) != ("Clock", "state")
    ]
    assert not silent
    assert WRITTEN.keys() == set(Leaf)


def test_every_measurement_is_there() -> None:
    """Each kind of point has a row with tags and fields."""
    rows = dict(re.findall(r"^\| `<prefix>_(\w+)` \| (\w.*?) \| `", read("points"), re.MULTILINE))
    assert rows.keys() == {*points.Family, *decided.Decided, *item_points.Itemised}


def test_every_metric_has_words() -> None:
    """Every name of a metric that the collector's source mentions is in the page, and says what it is."""
    told = families()
    assert all(one.says for one in told)
    names = {re.sub("_(total|info)$", "", one.name) for one in told}
    sources = "".join(
        file.read_text(encoding="utf-8")
        for file in (FOLDER.parents[1] / "collector" / "observation").glob("*.py")
    )
    assert set(re.findall(r'"(tatpar_\w+)"', sources)) <= names
    assert {f"tatpar_store_{name}" for name in (*SHIPPED, *JOURNAL)} <= names


def read(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def test_the_front_door_names_the_commands_without_a_language() -> None:
    """What README.md says to have no `--lang` is a command, and has none."""
    from tatpar.__main__ import main

    names = english_only()
    assert len(names) > 4
    for name in names:
        command: click.Command = main
        for word in name.split():
            assert isinstance(command, click.Group)
            found = command.get_command(click.Context(command), word)
            assert found is not None, name
            command = found
        assert not any("--lang" in parameter.opts for parameter in command.params), name


def test_the_front_door_forgets_no_command_without_a_language() -> None:
    """What has no `--lang` is named in README.md, or runs until it is stopped, or says nothing itself."""
    until_stopped = {"up", "probe", "reflect", "broker", "collect", "watch", "wall", "alerts"}
    silent = {
        " ".join(path)
        for path, command in EVERY.items()
        if not any("--lang" in parameter.opts for parameter in command.params)
        if not isinstance(command, click.Group) or command.invoke_without_command
    }
    assert silent - until_stopped == set(english_only())


def english_only() -> list[str]:
    """The commands that README.md says to speak English only."""
    text = (FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    (named,) = re.findall(r"What has no `--lang` is in English: (.+?), the long-running", text, re.DOTALL)
    return re.findall(r"`([a-z ]+)`", named)
