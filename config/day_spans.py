"""Spans of the local day as the operator writes them: `22:00-06:30`, several divided by blanks."""

from __future__ import annotations

import re
from typing import Final

from config.site_columns import CellError

_SPAN: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_DAY_MIN: Final = 24 * 60


def day_spans(column: str, text: str) -> tuple[tuple[int, int], ...]:
    """Each span as minutes of the day `[from, until)`; one that passes midnight has until before from.

    Raises:
        CellError: a span is of another form, or lasts the whole day or no time.
    """
    return tuple(_span(column, word) for word in text.split())


def _span(column: str, word: str) -> tuple[int, int]:
    remedy = "write HH:MM-HH:MM, as 22:00-06:30"
    found = _SPAN.fullmatch(word)
    if found is None:
        raise CellError(f'{column} "{word}" is no span of the day', remedy)
    hours, minutes, until_hours, until_minutes = map(int, found.groups())
    from_min, until_min = 60 * hours + minutes, 60 * until_hours + until_minutes
    if max(minutes, until_minutes) > 59 or from_min >= _DAY_MIN or until_min > _DAY_MIN:
        raise CellError(f'{column} "{word}" is no time of the day', remedy)
    if from_min == until_min % _DAY_MIN:
        raise CellError(f'{column} "{word}" is the whole day, or no time of it', "write two different times")
    return from_min, until_min % _DAY_MIN
