"""What pandas says of a CSV that it cannot take apart, as we say it: which line, and what is wrong with it."""

from __future__ import annotations

import re
from typing import Final

_TOO_WIDE: Final = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


def trouble_of(error: Exception) -> tuple[int | None, str]:
    """The line, from 1, where pandas names one in its own words, and what is wrong."""
    found = _TOO_WIDE.search(str(error))
    if found is None:
        return None, str(error).strip().removeprefix("Error tokenizing data. C error: ")
    named, line, there = found.groups()
    return int(line), f"{there} columns where {named} are named"
