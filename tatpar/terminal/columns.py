"""Tables on a terminal, aligned also where letters stack: Devanagari's vowel signs and viramas take no column.

Widths follow the C library's `wcwidth`: nonspacing marks and format characters take none, spacing marks one,
wide East Asian characters two.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from telemetry.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP: Final = "  "


def width(text: str) -> int:
    """How many columns a terminal gives to a text."""
    return sum(map(_columns, text))


def padded(text: str, columns: int) -> str:
    """A text with blanks up to a width; longer ones stay as they are."""
    return text + " " * max(columns - width(text), 0)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, whatever its cells say; the last column is not padded."""
    lines = [tuple(visible(cell) for cell in line) for line in (head, *rows)]
    widths = [max(width(line[i]) for line in lines) for i in range(len(head) - 1)]
    return [
        GAP.join([*(padded(cell, w) for cell, w in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in lines
    ]


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
