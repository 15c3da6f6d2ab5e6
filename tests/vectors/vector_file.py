"""A file of vectors: the public one, or somebody's own (`--vectors`); one that cannot be is refused in one line before any test."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Final

from topics import NOT_BUILT_YET, TOPICS

from config.plain_file import open_plain

PUBLIC: Final = Path(__file__).parent / "vectors_public.csv"
COLUMNS: Final = ("topic", "id", "input_json", "expected_json", "abs_tol", "status", "source", "notes")
NEEDED: Final = COLUMNS[:5]


class VectorFileError(ValueError):
    """A file that holds no vectors for us; the text says where, what is wrong and what to write instead."""


def read_vectors(file: Path) -> list[dict[str, str]]:
    """The rows of a file, at least one, each of a topic that somebody knows.

    Raises:
        VectorFileError: it cannot be read, has no row, or one that is none.
    """
    try:
        with open_plain(file) as raw:
            text = raw.read().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            raise VectorFileError(
                f"{file}: there is no column {missing[0]!r}; write {','.join(COLUMNS)} on the first line"
            )
        rows = []
        for row in reader:
            _check(file, reader.line_num, row)
            rows.append({name: row.get(name) or "" for name in COLUMNS})
    except OSError as error:
        raise VectorFileError(f"{file}: {error.strerror}; name a CSV of vectors") from None
    except UnicodeDecodeError:
        raise VectorFileError(f"{file}: it is not UTF-8; save the file as UTF-8") from None
    except csv.Error as error:
        raise VectorFileError(f"{file}: it is no CSV ({error}); name a CSV of vectors") from None
    if not rows:
        raise VectorFileError(f"{file}: there is no vector in it; write one a line below the heading")
    return rows


def _check(file: Path, line: int, row: dict[str, str]) -> None:
    """One row; `line` is where it ends."""
    where = f"{file}, line {line}"
    if row["topic"] not in TOPICS and row["topic"] not in NOT_BUILT_YET:
        known = ", ".join(sorted(TOPICS))
        raise VectorFileError(f"{where}: nobody knows the topic {row['topic']!r}; write one of: {known}")
    for name in ("input_json", "expected_json"):
        try:
            json.loads(row[name] or "")
        except ValueError:
            raise VectorFileError(f"{where}: {name} is no JSON; write an object") from None
    try:
        tolerance = float(row["abs_tol"] or "")
    except ValueError:
        tolerance = math.nan
    if not tolerance >= 0:
        raise VectorFileError(f"{where}: abs_tol is {row['abs_tol']!r}; write a number, 0 for exact")
