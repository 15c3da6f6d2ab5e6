"""Cells into numbers and times: what is empty is absent, what is no number is told by its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from tatpar.importing.mapping import UNIX_NS
from telemetry.trace_times import cut_short
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tatpar.importing.mapping import Time
    from tatpar.importing.tables import Chunk

ABSENT: Final = ("", "nan", "-nan", "null", "none", "-", "na", "n/a", "u")
"""What tools write where they have no figure, in small letters."""
MS_PER: Final = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}
_OFFSET: Final = re.compile(r"[T ]\d.*(?:[zZ]|[+-]\d\d(?::?\d\d)?)$")
"""Of a time written as ISO 8601 says: behind a clock only, since a day ends like an offset of hours."""
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_OFFSET_OF_ALL: Final = re.compile(r"[+-]\d\d:?\d\d$")
_SAYS_ZONE: Final = re.compile(r"%z|%Z|(?:(?<!%)[zZ]|UTC|GMT)$")
"""Of a pattern: what it reads says its zone, or the pattern does for all."""
_EARLIEST_NS: Final = 315_532_800 * SECOND_NS
"""1980: what lies before is a time in another unit."""
_FAR_S: Final = 2**62 // SECOND_NS
"""What lies farther from 1970 is told like any other time that cannot be, and has no nanoseconds."""


@dataclass(frozen=True, slots=True)
class Times:
    """Times of n rows, and which of them a zone's clocks leave in doubt; (n,) each."""

    ns: NDArray[np.int64]
    twice: NDArray[np.bool_]
    """Local times that came twice, as the clocks went back: they count as the first of the two."""
    never: NDArray[np.bool_]
    """Local times that the clocks left out: they count as the moment when the clocks went on."""
    no_zone: bool = False
    """Whether some have no zone, of their own or of the mapping: they count as UTC."""


def numbers(chunk: Chunk, column: str) -> NDArray[np.float64]:
    """The numbers of a column, NaN where there is none.

    Raises:
        ConfigError: a cell is neither a number nor empty.
    """
    cells = chunk.frame[column]
    if not _is_text(cells):
        if pd.api.types.is_bool_dtype(cells) or cells.dtype.kind in "mM":
            raise chunk.wrong(0, f"{column} is kept as {cells.dtype}", "keep it as a number")
        return np.asarray(pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan))
    text = cells.astype(str).str.strip()
    values = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(values))
    if len(wrong):
        strange = ~text.iloc[wrong].str.lower().isin(ABSENT).to_numpy()
        if strange.any():
            row = int(wrong[np.argmax(strange)])
            raise chunk.wrong(
                row, f'{column} is "{text.iloc[row]}"', "write a number, or nothing where there is none"
            )
    return np.where(np.isfinite(values), values, np.nan)


def times(chunk: Chunk, time: Time, shift_ns: int, now_ns: int) -> Times:
    """The times of a column, moved by `shift_ns`.

    Raises:
        ConfigError: a cell is no time of the format, or lies where it cannot.
    """
    cells = chunk.frame[time.column]
    if time.format in UNIX_NS:
        ns, wrong = _unix(cells, UNIX_NS[time.format])
        found = Times(ns, *np.zeros((2, len(ns)), np.bool_))
    else:
        found, wrong = _written(cells, time)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise chunk.wrong(row, f'{time.column} is "{cells.iloc[row]}"', _remedy(time))
    np.add(found.ns, shift_ns, out=found.ns)
    remedy = (
        "say the unit in [time] format, as unix_ms" if time.format in UNIX_NS else "see [time] of the mapping"
    )
    must_lie_in_the_past(chunk, found.ns, (time.column, cells), remedy, now_ns)
    return found


def must_lie_in_the_past(
    chunk: Chunk, ns: NDArray[np.int64], written: tuple[str, pd.Series], remedy: str, now_ns: int
) -> None:
    """Refuse times that nobody measured at; `written` is the column's name and how they stand there.

    Raises:
        ConfigError: with the line.
    """
    column, cells = written
    for outside, what in ((ns < _EARLIEST_NS, "before 1980"), (ns > now_ns + DAY_NS, "in the future")):
        if outside.any():
            row = int(np.argmax(outside))
            raise chunk.wrong(row, f'{column} "{cells.iloc[row]}" lies {what}', remedy)


def _is_text(cells: pd.Series) -> bool:
    return bool(pd.api.types.is_object_dtype(cells) or pd.api.types.is_string_dtype(cells))


def _unix(cells: pd.Series, per_ns: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    values = pd.to_numeric(cells, errors="coerce")
    if pd.api.types.is_integer_dtype(values):
        whole = values.to_numpy(np.int64)
        most = 2**62 // per_ns
        return np.clip(whole, -most, most) * per_ns, np.zeros(len(whole), np.bool_)
    floats = values.to_numpy(np.float64, na_value=np.nan) * per_ns
    wrong = ~(np.abs(floats) < 2.0**62)
    seconds = np.where(wrong, 0.0, floats)
    return np.rint(seconds).astype(np.int64), wrong


def _written(cells: pd.Series, time: Time) -> tuple[Times, NDArray[np.bool_]]:
    """Times as text, or as a Parquet file's own times; those without an offset are of the zone."""
    wrong = np.zeros(len(cells), dtype=np.bool_)
    if pd.api.types.is_datetime64_any_dtype(cells):
        naive = cells.dt.tz is None
        parsed = cells.dt.tz_localize("UTC") if naive else cells.dt.tz_convert("UTC")
        bare = np.full(len(cells), naive)
    else:
        text = cells.astype(str).str.strip()
        form = "ISO8601" if time.format == "iso" else _OFFSET_OF_ALL.sub("%z", time.format)
        parsed = pd.to_datetime(text, format=form, errors="coerce", utc=True)
        bare = (
            ~text.str.contains(_OFFSET).to_numpy(np.bool_)
            if time.format == "iso"
            else np.full(len(text), _SAYS_ZONE.search(form) is None)
        )
        wrong = _cut_short(text) if time.format == "iso" else wrong
    wrong |= parsed.isna().to_numpy(np.bool_)
    seconds = np.where(wrong, 0, parsed.dt.as_unit("s").astype("int64").to_numpy(np.int64))
    far = np.abs(seconds) > _FAR_S
    parsed = parsed.mask(far)
    twice, never = np.zeros((2, len(parsed)), np.bool_)
    if time.zone not in {None, "UTC"} and bare.any():
        local, twice, never = _of_zone(parsed, ZoneInfo(time.zone))
        parsed = parsed.where(~bare, local)
    ns = np.where(parsed.isna(), 0, parsed.dt.as_unit("ns").astype("int64").to_numpy(np.int64))
    ns = np.where(far, np.sign(seconds) * _FAR_S * SECOND_NS, ns)
    return Times(ns, twice & bare, never & bare, time.zone is None and bool(bare.any())), wrong


def _cut_short(text: pd.Series) -> NDArray[np.bool_]:
    """(n,) which times break off where the one before goes on: pandas takes `2026-1` for New Year.

    A day alone that follows on another is its midnight, as R writes it.
    """
    length = text.str.len().to_numpy(np.int64)
    out = np.zeros(len(text), dtype=np.bool_)
    for row in np.flatnonzero(np.diff(length) < 0) + 1:
        time, before = text.iloc[row], text.iloc[row - 1]
        midnight = _DAY.fullmatch(time) is not None and not before.startswith(time)
        out[row] = not midnight and cut_short(time, before)
    return out


def _of_zone(parsed: pd.Series, zone: ZoneInfo) -> tuple[pd.Series, NDArray[np.bool_], NDArray[np.bool_]]:
    """Times that were taken for UTC as local ones, in UTC; and which of them came twice, or never."""
    naive = parsed.dt.tz_localize(None)

    def placed(*, first: bool, nonexistent: str) -> pd.Series:
        ambiguous = np.full(len(naive), first)
        return naive.dt.tz_localize(zone, ambiguous=ambiguous, nonexistent=nonexistent).dt.tz_convert("UTC")

    local = placed(first=True, nonexistent="shift_forward")
    second = placed(first=False, nonexistent="NaT")
    never = (second.isna() & local.notna()).to_numpy(np.bool_)
    twice = (second.notna() & (local != second)).to_numpy(np.bool_)
    return local, twice, never


def _remedy(time: Time) -> str:
    if time.format == "iso":
        return "write it like 2026-11-25T10:55:00, or say how it is written in [time] format"
    return f"write it as {time.format}, or say how it is written in [time] format"
