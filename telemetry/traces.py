"""Round-trip-time traces as CSV, `epoch;rtt;cp`: other people's measurements, with hand-labelled changes where there are any.

The form of the labelled RIPE Atlas traces (W. Shao et al., ITC 29), a timeout written as a round trip of 0 or less, or of
1000 ms or more; columns and times also as others write them (`telemetry/trace_table.py`, `trace_times.py`). Rows may stand in
any order and be repeated (`trace_order.py`); what was mended is told. Only the hub reads them (pandas).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from telemetry.trace_lines import FIRST_LINE, TraceError, line_of, rows_of
from telemetry.trace_order import labels_of, order_of
from telemetry.trace_table import LABEL, ROUND_TRIP, TIME, read_table
from telemetry.trace_times import times_of, to_the_second

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from telemetry.trace_order import Order

TIMEOUT_MS: Final = 1000.0
NEAR_MS: Final = 1.0
"""Light needs so long for 100 km of fibre and back. Of seconds, every round trip that is no timeout is less."""


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
    """What was amiss with the rows and is mended, or looks amiss, a line each for people; empty of most files."""


def read_trace(path: Path) -> WrittenTrace:
    """Read one trace; its samples come oldest first and each once, however the rows stand.

    One that stands seconds after a later one is dated like that.

    Raises:
        TraceError: no such file, one that cannot be unpacked, no such columns, a time or a number that is none.
    """
    table = read_table(path)
    rows = table.rows
    time_ns, rtt = times_of(path, rows[TIME]), _numbers(path, ROUND_TRIP, rows[ROUND_TRIP])
    labelled = LABEL in rows.columns
    labels = _numbers(path, LABEL, rows[LABEL]) > 0 if labelled else np.zeros(len(rows), dtype=np.bool_)
    rtt_ms = np.where(~np.isfinite(rtt) | (rtt <= 0.0) | (rtt >= TIMEOUT_MS), np.nan, rtt)
    order = order_of(time_ns, rtt_ms, to_the_second(rows[TIME]))
    taken = order.rows
    return WrittenTrace(
        path.stem,
        np.maximum.accumulate(time_ns[taken]),
        rtt_ms[taken],
        labels_of(order, time_ns, labels),
        rows=taken,
        mended=(*_mended(path, order), *_left_out(path, table.cut), *_too_near(path, rtt_ms)),
    )


def line_numbers(path: Path, trace: WrittenTrace) -> NDArray[np.int64]:
    """(T,) the line of the file, from 1, that each sample of a trace read from it is."""
    numbers = np.array([number for number, _ in rows_of(path)], dtype=np.int64)
    return numbers[trace.rows] if len(numbers) > trace.rows.max() else trace.rows + FIRST_LINE


def _numbers(path: Path, column: str, written: pd.Series) -> NDArray[np.float64]:
    values = pd.to_numeric(written, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(np.isnan(values) & ~written.isna().to_numpy())
    if len(wrong):
        line, _ = line_of(path, int(wrong[0]))
        remedy = (
            "write a number of milliseconds"
            if column == ROUND_TRIP
            else "write 1 where a level begins, else 0"
        )
        raise TraceError(path, f"{column} is {written.iloc[wrong[0]]!r}", remedy, line)
    return np.asarray(values)


def _mended(path: Path, order: Order) -> Iterator[str]:
    if order.late or order.repeated:
        yield (
            f"{path}: rows that stood after a later one, sorted by time: {order.late}; "
            f"repeated rows, counted once: {order.repeated}"
        )
    if len(order.contradicting):
        (first, taken), (second, other) = (line_of(path, int(row)) for row in order.contradicting[0])
        yield (
            f"{path}:{second}: {other!r} contradicts line {first}, {taken!r}, of the same time; "
            f"the first was taken (rows like this, left out: {len(order.contradicting)})"
        )


def _left_out(path: Path, cut: tuple[int, str] | None) -> Iterator[str]:
    if cut is not None:
        line, text = cut
        yield f"{path}:{line}: the last row, {text!r}, breaks off; it was left out"


def _too_near(path: Path, rtt_ms: NDArray[np.float64]) -> Iterator[str]:
    came_back = rtt_ms[np.isfinite(rtt_ms)]
    if len(came_back) and np.median(came_back) < NEAR_MS:
        yield (
            f"{path}: most round trips are below {NEAR_MS:g} ms, what light needs for 100 km of fibre and back; "
            "if they are seconds, write them in milliseconds: rtt times 1000"
        )
