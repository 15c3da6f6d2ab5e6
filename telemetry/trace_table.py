"""A trace's file as a table of its rows: whatever the columns are called, however they stand and are separated."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from telemetry.csv_troubles import trouble_of
from telemetry.packed_file import PackedError, bad_byte, opened
from telemetry.trace_lines import QUOTED, TraceError, head_of, line_of
from telemetry.trace_times import cut_short
from telemetry.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

TIME: Final = "epoch"
ROUND_TRIP: Final = "rtt"
LABEL: Final = "cp"
_NAMES: Final = {TIME: ("time", "timestamp"), ROUND_TRIP: ("rtt_ms",), LABEL: ()}
"""Ours, and what else a column of these is called, in small letters."""
_SEPARATORS: Final = (";", ",", "\t")
_WRITE: Final = "write the columns epoch;rtt;cp with semicolons between, and one sample a line"


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file under our names: `epoch` as it is written, `rtt` and, where there are labels, `cp`."""

    rows: pd.DataFrame
    cut: tuple[int, str] | None
    """The line of the last row and how it is written, where it breaks off; it is none of the rows."""


def read_table(path: Path) -> Table:
    """The rows of one trace.

    Raises:
        TraceError: no such file, one that cannot be unpacked, no such columns, rows that do not go with them.
    """
    try:
        return _read(path)
    except PackedError as error:
        raise TraceError(path, f"it cannot be unpacked ({error})", "pack or copy it again") from None
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except (OSError, csv.Error, pd.errors.EmptyDataError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip()
        raise TraceError(path, reason, "write a CSV with the columns epoch;rtt;cp") from None


def _read(path: Path) -> Table:
    head = head_of(path)
    if not head:
        raise TraceError(path, "it is empty", _WRITE)
    separator = next((sign for sign in _SEPARATORS if sign in head), _SEPARATORS[0])
    written = [name.strip() for name in next(csv.reader([head], delimiter=separator))]
    places = {ours: _places(written, ours) for ours in _NAMES}
    rows = _rows(path, separator, len(written), {found[0]: ours for ours, found in places.items() if found})
    # Only now: a file that was cut short in packing is told as that, however it begins.
    for ours, found in places.items():
        if len(found) > 1:
            twice = " and ".join(repr(visible(written[place], QUOTED)) for place in found[:2])
            raise TraceError(path, f"the columns {twice} may both be {ours!r}", "keep one of them")
        if not found and ours != LABEL:
            raise TraceError(path, f"no column {ours!r} in '{visible(head, QUOTED)}'", _WRITE)
    if not len(rows):
        raise TraceError(path, "no samples", _WRITE)
    cut = _cut(path, rows, separator)
    return Table(rows if cut is None else rows.iloc[:-1], cut)


def _places(written: list[str], ours: str) -> list[int]:
    """Where the columns stand that are called as ours, or else as others call it."""
    names = [name.lower() for name in written]
    return [place for place, name in enumerate(names) if name == ours] or [
        place for place, name in enumerate(names) if name in _NAMES[ours]
    ]


def _rows(path: Path, separator: str, count: int, ours: dict[int, str]) -> pd.DataFrame:
    """All rows of so many columns; those that are not ours are called by their places."""
    with opened(path) as (_, content):
        try:
            rows = pd.read_csv(
                content,
                sep=separator,
                encoding="utf-8-sig",
                header=0,
                names=[ours.get(place, str(place)) for place in range(count)],
                dtype={TIME: str},
                low_memory=False,
            )
        except pd.errors.ParserError as error:
            line, what = trouble_of(error)
            raise TraceError(path, what, _WRITE, line) from None
    if not isinstance(rows.index, pd.RangeIndex):
        line, text = line_of(path, 0)
        raise TraceError(path, f"{text!r} has more columns than the header", "name each of them", line)
    return rows


def _cut(path: Path, rows: pd.DataFrame, separator: str) -> tuple[int, str] | None:
    """The last line and its text, where it breaks off: before the end of its time, or of the columns that the row before it has."""
    if len(rows) < 2:
        return None
    before, last = rows.iloc[-2], rows.iloc[-1]
    fewer = bool((last.isna() & before.notna()).iloc[-1])
    short = (
        isinstance(last[TIME], str) and isinstance(before[TIME], str) and cut_short(last[TIME], before[TIME])
    )
    if not (fewer or short):
        return None
    (_, whole), (line, text) = (line_of(path, len(rows) - back) for back in (2, 1))
    broken = short or (bool(text) and text.count(separator) < whole.count(separator))
    return (line, text or last[TIME]) if broken else None


def _not_utf8(path: Path) -> TraceError:
    found = bad_byte(path)
    line, what = (None, "it") if found is None else (found[0], f"byte 0x{found[1]:02x}")
    return TraceError(path, f"{what} is not UTF-8", "save the file as UTF-8", line)
