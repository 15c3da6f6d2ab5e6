"""The drawings made of letters close: no line sticks out of its box, whatever is renamed in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

HOUSE: Final = Path(__file__).parents[2]
DRAWING: Final = re.compile(r"^ ┌.*?^ └[^\n]*", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_the_right_edge_of_the_architecture_is_straight(page: str) -> None:
    drawing = DRAWING.search((HOUSE / page).read_text())
    assert drawing is not None
    lines = drawing.group().splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}, "\n".join(lines)
