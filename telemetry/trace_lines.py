"""The lines of a trace as they stand in its file, and the error that names one of them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from config.errors import ConfigError
from telemetry.packed_file import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUOTED: Final = 60
"""Characters of a line that are quoted."""
FIRST_LINE: Final = 2
"""Of the rows, where no line is blank."""


class TraceError(ConfigError):
    """A trace that cannot be read; the message names file and line, what is wrong and what to write instead."""


def head_of(path: Path) -> str:
    """The line with the names of the columns; empty where the file is.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    with opened(path) as (_, content):
        head = next((raw for raw in content if raw.strip()), b"")
    return head.decode("utf-8-sig").strip("\r\n ").split("\r")[0]


def rows_of(path: Path) -> Iterator[tuple[int, str]]:
    """The numbers, from 1, and texts of the lines that are rows: neither blank nor the header.

    A file whose lines end in carriage returns alone is one line, and has none.
    """
    with opened(path) as (_, content):
        texts = (raw.decode("utf-8", errors="replace") for raw in content)
        # A tab at the end may be a column's.
        written = ((number, text.strip("\r\n ")) for number, text in enumerate(texts, 1) if text.strip())
        yield from islice(written, 1, None)


def line_of(path: Path, row: int) -> tuple[int, str]:
    """The number of a row's line, from 1, and how it begins; `row` counts from 0."""
    number, text = next(islice(rows_of(path), row, None), (row + FIRST_LINE, ""))
    return number, text[:QUOTED]
