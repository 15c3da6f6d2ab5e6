"""The README of `analytics` says what each of its files is for, as docs/architecture.md promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOM: Final = Path(__file__).parents[2] / "analytics"
FOLDERS: Final = {"changes", "forecast", "quality", "shared"}


def test_every_module_is_told_of_and_none_that_is_gone() -> None:
    """Each module's name stands in the README in backticks, and what is named with its folder is there."""
    modules = {file.relative_to(ROOM).with_suffix("").as_posix() for file in ROOM.rglob("*.py")}
    written = re.findall(r"`([\w./]+)`", (ROOM / "README.md").read_text(encoding="utf-8"))
    told = [name.replace(".", "/").rstrip("/") for name in written]
    names = {name.rpartition("/")[-1] for name in told}
    silent = sorted(each for each in modules if each.rpartition("/")[-1] not in names | {"__init__"})
    assert not silent, f"analytics/README.md has no row that names {', '.join(silent)}"
    gone = sorted({name for name in told if name.partition("/")[0] in FOLDERS} - modules - FOLDERS)
    assert not gone, f"analytics/README.md names {', '.join(gone)}, which is not there"
