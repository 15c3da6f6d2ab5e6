"""The tutorial is followed literally: each block of its page is typed into a terminal, in an empty folder, as a newcomer would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.terminals import WITHIN_S, Block, Terminals, blocks, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE: Final = Path(__file__).parents[2]
PAGE: Final = HOUSE / "docs" / "first-hour.md"


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    found = Terminals(tmp_path)
    yield found
    found.close()


@pytest.mark.e2e
@pytest.mark.server
def test_the_first_hour_as_it_stands(terminals: Terminals) -> None:
    """Every block does what the page says it does, in the page's order; Ctrl-C ends the house with status 0."""
    asked = blocks(PAGE.read_text(encoding="utf-8"))
    assert len(asked) >= 10
    for block in asked:
        said = terminals.type(block, WITHIN_S)
        assert (absent := missing(said, block.says)) is None, (
            f"{block.typed}\ndid not say {absent!r}:\n{said}"
        )
    last = terminals.interrupt_the_first(WITHIN_S)
    assert "tatpar: stopped" in last, last
    assert last.split()[-1] == "0", last


def test_the_page_is_typed_whole() -> None:
    """The page has no command in a kind of block that is not run, but for the set-up, and each block that shows an answer is held to it."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, after = text.partition("## Five offices")
    kinds = [line for line in after.splitlines() if line.startswith("```") and line != "```"]
    assert set(kinds) == {"```sh", "```text"}
    assert before.count("```console") == 1
    assert kinds.count("```text") == text.count("<!-- says: ")
    assert any(block.lasts for block in blocks(text))


def test_what_is_not_said_is_noticed(terminals: Terminals) -> None:
    """A phrase that does not come, or comes too early, is named; a shell keeps what was exported."""
    assert missing("one two", ("two", "one")) == "one"
    assert terminals.type(Block("export A=b\n"), WITHIN_S) == ""
    assert terminals.type(Block('echo "$A"; false\n'), WITHIN_S) == "b\n"
