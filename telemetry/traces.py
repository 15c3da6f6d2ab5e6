"""Round-trip-time traces as CSV, `epoch;rtt;cp`: other people's measurements, with hand-labelled changes where there are any.

The form of the labelled RIPE Atlas traces (W. Shao et al., ITC 29): three ways of writing the time, a timeout
written as a round trip of 0 or less, or of 1000 ms or more. Rows may stand in any order and be repeated
(`telemetry/trace_order.py`); what was mended is told. Only the hub reads them (pandas).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from telemetry.packed_file import PackedError, bad_byte, opened
from telemetry.trace_order import labels_of, order_of
from telemetry.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from telemetry.trace_order import Order

TIMEOUT_MS: Final = 1000.0
EARLIEST: Final = pd.Timestamp(1900, 1, 1, tz="UTC")
LATEST: Final = pd.Timestamp(2200, 1, 1, tz="UTC")
"""Nothing was measured before or after, and nanoseconds reach little farther."""
_DAY_FIRST: Final = r"^\s*\d{1,2}/(\d{1,2})/"
_MONTHS: Final = 12
_SECONDS: Final = r":\d\d:\d"
_FIRST_LINE: Final = 2
"""Of the rows, where no line is blank."""
_QUOTED: Final = 60
"""Characters of a line that are quoted."""


class TraceError(ValueError):
    """A trace that cannot be read; the message names the file, what is wrong and what to write instead."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One line's round trips, oldest first; (T,) each. `rtt_ms` is NaN where the packet was lost."""

    name: str
    time_ns: NDArray[np.int64]
    rtt_ms: NDArray[np.float64]
    changes: NDArray[np.bool_]
    """True at the first sample of a new regime, as labelled; all False where nobody labelled."""


@dataclass(frozen=True, slots=True)
class WrittenTrace(Trace):
    """A trace as a file has it."""

    rows: NDArray[np.int64]
    """(T,) the row of the file, counted from 0 without the header and blank lines, that each sample is."""
    mended: tuple[str, ...]
    """What was amiss with the order of the rows and is mended, a line each for people; empty of most files."""


def read_trace(path: Path) -> WrittenTrace:
    """Read one trace; its samples come oldest first and each once, however the rows stand.

    One that stands seconds after a later one is dated like that.

    Raises:
        TraceError: no such file, one that cannot be unpacked, no such columns, a time or a number that is none.
    """
    table = _table(path)
    time_ns = _times(path, table["epoch"])
    rtt = _numbers(path, "rtt", table["rtt"])
    labels = (
        _numbers(path, "cp", table["cp"]) > 0 if "cp" in table.columns else np.zeros(len(table), dtype=bool)
    )
    rtt_ms = np.where(~np.isfinite(rtt) | (rtt <= 0.0) | (rtt >= TIMEOUT_MS), np.nan, rtt)
    order = order_of(time_ns, rtt_ms, table["epoch"].str.contains(_SECONDS).to_numpy(dtype=np.bool_))
    rows = order.rows
    return WrittenTrace(
        path.stem,
        np.maximum.accumulate(time_ns[rows]),
        rtt_ms[rows],
        labels_of(order, time_ns, labels),
        rows=rows,
        mended=tuple(_mended(path, order)),
    )


def line_numbers(path: Path, trace: WrittenTrace) -> NDArray[np.int64]:
    """(T,) the line of the file, from 1, that each sample of a trace read from it is."""
    numbers = np.array([number for number, _ in _lines(path)], dtype=np.int64)
    return numbers[trace.rows] if len(numbers) > trace.rows.max() else trace.rows + _FIRST_LINE


def _table(path: Path) -> pd.DataFrame:
    try:
        with opened(path) as (_, content):
            table = pd.read_csv(content, sep=";", dtype={"epoch": str})
    except PackedError as error:
        raise TraceError(f"{path}: it cannot be unpacked ({error}); pack or copy it again") from None
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip()
        raise TraceError(f"{path}: {reason}; write a CSV with the columns epoch;rtt;cp") from None
    missing = [name for name in ("epoch", "rtt") if name not in table.columns]
    if missing or not len(table):
        head = ";".join(map(str, table.columns))
        what = f"no column {missing[0]!r} in '{visible(head, _QUOTED)}'" if missing else "no samples"
        raise TraceError(
            f"{path}: {what}; write the columns epoch;rtt;cp with semicolons between, and one sample a line"
        )
    return table


def _not_utf8(path: Path) -> TraceError:
    found = bad_byte(path)
    where, what = ("", "it") if found is None else (f", line {found[0]}", f"byte 0x{found[1]:02x}")
    return TraceError(f"{path}{where}: {what} is not UTF-8; save the file as UTF-8")


def _times(path: Path, written: pd.Series) -> NDArray[np.int64]:
    parsed = _parsed(written)
    for wrong, what in (
        (parsed.isna(), "is no time"),
        (~parsed.between(EARLIEST, LATEST), f"does not lie between {EARLIEST.year} and {LATEST.year}"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong.to_numpy()))
            line, text = _line(path, row)
            problem = f"no time in {text!r}" if written.isna().iloc[row] else f"{written.iloc[row]!r} {what}"
            raise TraceError(f"{path}, line {line}: {problem}; write it like 2026-11-25 10:55:00")
    return np.asarray(parsed.astype("datetime64[ns, UTC]").astype("int64"), dtype=np.int64)


def _parsed(written: pd.Series) -> pd.Series:
    """The times, NaT of what is none. Where there are slashes days come first; a month after 12 is none, or sorting would hide it."""
    month = pd.to_numeric(written.str.extract(_DAY_FIRST, expand=False))
    slashed = month.notna()
    text = written.mask(month > _MONTHS)
    day_first, others = (
        pd.to_datetime(part, format="mixed", dayfirst=first, errors="coerce", utc=True)
        for part, first in ((text.where(slashed), True), (text.mask(slashed), False))
    )
    return day_first.where(slashed, others)


def _numbers(path: Path, column: str, written: pd.Series) -> NDArray[np.float64]:
    values = pd.to_numeric(written, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(np.isnan(values) & ~written.isna().to_numpy())
    if len(wrong):
        line, _ = _line(path, int(wrong[0]))
        raise TraceError(
            f"{path}, line {line}: {column} is {written.iloc[wrong[0]]!r}; write a number of milliseconds"
        )
    return np.asarray(values)


def _mended(path: Path, order: Order) -> Iterator[str]:
    if order.late or order.repeated:
        yield (
            f"{path}: rows that stood after a later one, sorted by time: {order.late}; "
            f"repeated rows, counted once: {order.repeated}"
        )
    if len(order.contradicting):
        (first, taken), (second, other) = (_line(path, int(row)) for row in order.contradicting[0])
        yield (
            f"{path}, line {second}: {other!r} contradicts line {first}, {taken!r}, of the same time; "
            f"the first was taken (rows like this, left out: {len(order.contradicting)})"
        )


def _line(path: Path, row: int) -> tuple[int, str]:
    """The number of a row's line, from 1, and how it begins."""
    number, text = next(islice(_lines(path), row, None), (row + _FIRST_LINE, ""))
    return number, text[:_QUOTED]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The numbers and texts of the lines that are rows: neither blank nor the header. A file of carriage returns alone is one line."""
    with opened(path) as (_, content):
        texts = (raw.decode("utf-8", errors="replace").strip() for raw in content)
        yield from islice(((number, text) for number, text in enumerate(texts, 1) if text), 1, None)
