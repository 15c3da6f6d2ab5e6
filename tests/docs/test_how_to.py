"""The how-to guides whose commands need no running house are followed literally, each from the folder of the first hour."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.terminals import WITHIN_S, Block, Terminals, blocks, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = Path(__file__).parents[2] / "docs"
GUIDES: Final = sorted(
    file.stem for file in (DOCS / "how-to").glob("*.md") if "```sh\n" in file.read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the first hour has made before it starts the house."""
    folder = tmp_path_factory.mktemp("made")
    terminals = Terminals(folder)
    for block in blocks((DOCS / "first-hour.md").read_text(encoding="utf-8")):
        if block.lasts:
            break
        terminals.type(block, WITHIN_S)
    terminals.close()
    return folder / "first-hour"


@pytest.fixture
def terminals(made: Path, tmp_path: Path) -> Iterator[Terminals]:
    """One in a copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    found = Terminals(tmp_path)
    found.type(Block("export TATPAR_CONFIG=tatpar.toml\n"), WITHIN_S)
    yield found
    found.close()


@pytest.mark.parametrize("name", GUIDES)
def test_the_guide_as_it_stands(terminals: Terminals, name: str) -> None:
    """Every block says what the page says it says."""
    asked = blocks((DOCS / "how-to" / f"{name}.md").read_text(encoding="utf-8"))
    assert any(block.says for block in asked)
    for block in asked:
        said = terminals.type(block, WITHIN_S)
        assert (absent := missing(said, block.says)) is None, (
            f"{block.typed}\ndid not say {absent!r}:\n{said}"
        )


def test_the_guides_that_are_run() -> None:
    """Those of the configuration are."""
    assert {"add-an-office", "add-a-meeting", "new-call-profile", "new-alert-ladder"} <= set(GUIDES)
