"""`python -m docs._reference`: writes the pages; with `--check` says which differ, and ends with 1 when one does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from docs._reference.pages import PAGES

FOLDER: Final = Path(__file__).parents[1] / "reference"


def main(arguments: list[str]) -> int:
    """The exit status."""
    differ = []
    for name, write in PAGES.items():
        place = FOLDER / f"{name}.md"
        text = write()
        if place.is_file() and place.read_text(encoding="utf-8") == text:
            continue
        differ.append(place.name)
        if "--check" not in arguments:
            place.write_text(text, encoding="utf-8")
    if differ:
        done = "differ from the code: run `make reference`" if "--check" in arguments else "written"
        print(f"docs/reference: {', '.join(differ)}: {done}", file=sys.stderr)  # noqa: T201 - a command line
    return int("--check" in arguments and bool(differ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
