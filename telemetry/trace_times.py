r"""The times of a trace: days as people and programs write them, or time counted since 1970.

A time is read whole or not at all: pandas alone takes `2016-10-25 00:0` for midnight and `2016-1` for New Year, so a row that
was cut short would be another time. Where a day of numbers does not begin with the year it comes before the month. A count
says by its digits what it counts: since 2001 and until 2286 seconds have 10, milliseconds 13, microseconds 16 and nanoseconds 19.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from telemetry.trace_lines import TraceError, line_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EARLIEST: Final = pd.Timestamp(1900, 1, 1, tz="UTC")
LATEST: Final = pd.Timestamp(2200, 1, 1, tz="UTC")
"""Nothing was measured before or after, and nanoseconds reach little farther."""
_MONTHS: Final = 12
_DAY_FIRST: Final = r"^\s*\d{1,2}[/.-](\d{1,2})[/.-]"
_MONTH: Final = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[A-Za-z]{0,6}"
_WEEKDAY: Final = r"(?:(?i:mon|tue|wed|thu|fri|sat|sun)[A-Za-z]{0,6},? +)?"
_DAY: Final = (
    r"(?:\d{4}([/.-])\d{1,2}\1\d{1,2}"  # 2016-10-25
    r"|\d{1,2}([/.-])\d{1,2}\2(?:\d{4}|\d\d)"  # 25/10/2016
    rf"|{_WEEKDAY}\d{{1,2}}([ -]){_MONTH}\3\d{{4}}"  # 25 Oct 2016
    rf"|{_WEEKDAY}{_MONTH} +\d{{1,2}},? \d{{4}})"  # Oct 25 2016
)
_PART: Final = r"[.,]\d+"
_CLOCK: Final = rf"\d{{1,2}}:\d\d(?::\d\d(?:{_PART})?)?(?: ?[AaPp][Mm])?"
_ZONE: Final = r" ?(?:[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)"
_COMPACT: Final = rf"\d{{8}}[Tt]\d{{4}}(?:\d\d(?:{_PART})?)?(?:{_ZONE})?"  # 20161025T000400Z
_YEAR_LAST: Final = (
    rf"{_WEEKDAY}{_MONTH} +\d{{1,2}} {_CLOCK}(?: (?:UTC|GMT))? \d{{4}}"  # Tue Oct 25 00:04:00 2016
)
_WHOLE: Final = rf"\s*(?:{_DAY}(?:[Tt ]\s*{_CLOCK}(?:{_ZONE})?)?|{_COMPACT}|{_YEAR_LAST})\s*"
_TO_THE_MINUTE: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d"
"""How Java writes a time whose seconds are 0."""
_COUNT: Final = r"\s*(\d{10}|\d{13}|\d{16}|\d{19})(?:\.(\d*))?\s*"
_NS_DIGITS: Final = 19
_SECONDS: Final = r":\d\d:\d|[Tt]\d{6}"
_FRACTION: Final = r"(?<=:\d\d)[.,]\d+|(?<=[Tt]\d{6})[.,]\d+|(?<=^\d{10})\.\d*$|(?<=^\d{13})\.\d*$"


def times_of(path: Path, written: pd.Series) -> NDArray[np.int64]:
    """(N,) the times of a trace's rows in ns; UTC where they name no zone.

    Raises:
        TraceError: the first that is no time, or far from all measuring.
    """
    counts = written.str.fullmatch(_COUNT, na=False)
    days, counted = _days(written.mask(counts)), _counted(written.where(counts))
    for wrong, what in (
        (days.isna() & ~counts, "is no time"),
        (
            (~counts & ~days.between(EARLIEST, LATEST)) | (counts & (counted > LATEST.value)),
            f"does not lie between {EARLIEST.year} and {LATEST.year}",
        ),
    ):
        if wrong.any():
            row = int(np.argmax(wrong.to_numpy()))
            line, text = line_of(path, row)
            problem = f"no time in {text!r}" if written.isna().iloc[row] else f"{written.iloc[row]!r} {what}"
            raise TraceError(path, problem, "write it like 2026-11-25 10:55:00", line)
    days_ns = days.fillna(EARLIEST).astype("datetime64[ns, UTC]").astype("int64")
    return np.asarray(np.where(counts, counted, days_ns), dtype=np.int64)


def to_the_second(written: pd.Series) -> NDArray[np.bool_]:
    """(N,) which times are written at least to the second."""
    seconds = written.str.contains(_SECONDS, na=False) | written.str.fullmatch(_COUNT, na=False)
    return np.asarray(seconds.to_numpy(dtype=np.bool_))


def cut_short(time: str, before: str) -> bool:
    """Whether a time is written like the beginning of the one before it: as far as it goes, without what follows."""
    if re.fullmatch(_TO_THE_MINUTE, time.strip()):
        return False
    shape, whole = (_shape(each) for each in (time, before))
    return bool(shape) and shape != whole and whole.startswith(shape)


def _shape(time: str) -> str:
    """What is written of a time, whatever the digits and letters are; fractions of a second may be of any length."""
    return re.sub(r"[A-Za-z]", "a", re.sub(r"\d", "0", re.sub(_FRACTION, "", time.strip())))


def _days(written: pd.Series) -> pd.Series:
    """The times of days, NaT of what is none. A month after 12 is none where the day comes first, or sorting would hide it."""
    text = written.where(written.str.fullmatch(_WHOLE, na=False))
    month = pd.to_numeric(text.str.extract(_DAY_FIRST, expand=False))
    day_comes_first = month.notna()
    text = text.mask(month > _MONTHS).str.replace(r"(?<=\d),(?=\d)", ".", regex=True)  # a fraction's comma
    day_first, others = (
        pd.to_datetime(part, format="mixed", dayfirst=first, errors="coerce", utc=True)
        for part, first in ((text.where(day_comes_first), True), (text.mask(day_comes_first), False))
    )
    return day_first.where(day_comes_first, others)


def _counted(written: pd.Series) -> pd.Series:
    """Counts in ns, 0 of what is none; digits after the point are of the same unit."""
    parts = written.str.extract(rf"^{_COUNT}$")
    digits = (parts[0] + parts[1].fillna("")).str.slice(0, _NS_DIGITS).str.pad(_NS_DIGITS, "right", "0")
    return pd.to_numeric(digits.fillna("0")).clip(upper=np.iinfo(np.int64).max).astype(np.int64)
