"""The README of `analytics` says what each of its files is for, as docs/architecture.md promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM: Final = Path(__file__).parents[2] / "analytics"
FOLDERS: Final = {"changes", "forecast", "quality", "shared"}


def test_every_module_is_told_of_and_none_that_is_gone() -> None:
    """Each module stands in the README in backticks, in its folder; and what is named with its folder is there."""
    modules = {
        file.relative_to(ROOM).with_suffix("").as_posix()
        for file in ROOM.rglob("*.py")
        if file.stem != "__init__"
    }
    text = (ROOM / "README.md").read_text(encoding="utf-8")
    told = {name for part in re.split(r"\n\n|\n(?=[|*])", text) for name in told_in(part, modules)}
    silent = sorted(modules - told)
    assert not silent, f"analytics/README.md has no row that names {', '.join(silent)}"
    gone = sorted({name for name in told if name.partition("/")[0] in FOLDERS} - modules - FOLDERS)
    assert not gone, f"analytics/README.md names {', '.join(gone)}, which is not there"


def told_in(part: str, modules: set[str]) -> Iterator[str]:
    """What a paragraph or a row names; behind a name with its folder a bare one is of the same folder, if it has it."""
    folder = ""
    for written in re.findall(r"`([\w./]+)`", part):
        name = written.replace(".", "/").rstrip("/")
        first = name.partition("/")[0]
        folder = first if first in FOLDERS else folder
        yield f"{folder}/{name}" if f"{folder}/{name}" in modules else name


def test_a_module_of_a_folder_is_not_told_by_its_namesake() -> None:
    """`levels` alone is that of the room."""
    modules = {"levels", "forecast/levels", "forecast/seen"}
    assert [*told_in("`baseline` (on `levels`)", modules)] == ["baseline", "levels"]
    assert [*told_in("`forecast.seen`, `levels`", modules)] == ["forecast/seen", "forecast/levels"]
