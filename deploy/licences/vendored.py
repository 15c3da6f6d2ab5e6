"""What lies in this repository and others wrote: `vendored.toml`, and the files that nobody has put down there."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from deploy.licences.part import HOUSE, Part

VENDORED: Final = Path(__file__).with_name("vendored.toml")
_FOREIGN_FOLDERS: Final = frozenset({"vendor", "fonts", "rtt_labelled"})
_OF_FOLDER: Final = ("README.md", "OFL-*")
_AROUND: Final = frozenset({".venv", ".git", "build", "dist", "data"})


@dataclass(frozen=True, slots=True)
class Vendored:
    """One vendored thing, and the files (paths or patterns) that belong to it."""

    part: Part
    files: tuple[str, ...]

    def owns(self, path: str) -> bool:
        """Whether a path of this repository belongs to it."""
        return any(path.startswith(f"{place}/") or fnmatch(path, place) for place in self.files)


def load_vendored(path: Path = VENDORED) -> list[Vendored]:
    """Read what is put down.

    Raises:
        KeyError: a row lacks a field.
    """
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["vendored"]
    return [
        Vendored(
            Part(
                row["name"],
                row.get("version", ""),
                row["licence"],
                "wall and reports" if row["shipped"] else "tests",
                row["source"],
                row["text"],
            ),
            tuple(row["files"]),
        )
        for row in rows
    ]


def foreign_files(house: Path = HOUSE) -> list[str]:
    """Files under folders that are named for other people's work, as paths of the repository."""
    found = []
    for file in house.rglob("*"):
        path = file.relative_to(house)
        if path.parts[0] in _AROUND and path.parts[:2] != ("bench", "data"):
            continue
        if file.is_file() and _FOREIGN_FOLDERS & set(path.parts[:-1]):
            found.append(path.as_posix())
    return sorted(found)


def unowned(rows: list[Vendored], files: list[str]) -> list[str]:
    """Foreign files that no row owns; a folder's README and licence texts beside fonts need no row."""
    return [
        path
        for path in files
        if not any(row.owns(path) for row in rows)
        and not any(fnmatch(Path(path).name, ours) for ours in _OF_FOLDER)
    ]
