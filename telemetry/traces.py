"""Round-trip-time traces as CSV, `epoch;rtt;cp`: other people's measurements, with hand-labelled changes where there are any.

The form of the labelled RIPE Atlas traces (W. Shao et al., ITC 29): three ways of writing the time, a timeout
written as a round trip of 0 or less, or of 1000 ms or more. Only the hub reads them (pandas).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from telemetry.packed_file import PackedError, bad_byte, opened
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TIMEOUT_MS: Final = 1000.0
EARLIEST: Final = pd.Timestamp(1900, 1, 1, tz="UTC")
LATEST: Final = pd.Timestamp(2200, 1, 1, tz="UTC")
"""Nothing was measured before or after, and nanoseconds reach little farther."""
JUMBLED_NS: Final = 60 * SECOND_NS
"""Two samples may be out of order by so much, as real traces are; the later one is then dated like the one before it."""


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


def read_trace(path: Path) -> Trace:
    """Read one trace.

    Raises:
        TraceError: no such file, one that cannot be unpacked, no such columns, a time or a number that is none, or times that go backwards.
    """
    try:
        with opened(path) as (_, content):
            table = pd.read_csv(content, sep=";")
    except PackedError as error:
        raise TraceError(f"{path}: it cannot be unpacked ({error}); pack or copy it again") from None
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip()
        raise TraceError(f"{path}: {reason}; write a CSV with the columns epoch;rtt;cp") from None
    missing = [name for name in ("epoch", "rtt") if name not in table.columns]
    if missing or not len(table):
        what = f"no column {missing[0]!r}" if missing else "no samples"
        raise TraceError(f"{path}: {what}; write the columns epoch;rtt;cp and one sample a line")
    time_ns = _times(path, table["epoch"])
    rtt = _numbers(path, "rtt", table["rtt"])
    labels = (
        _numbers(path, "cp", table["cp"]) > 0 if "cp" in table.columns else np.zeros(len(table), dtype=bool)
    )
    lost = ~np.isfinite(rtt) | (rtt <= 0.0) | (rtt >= TIMEOUT_MS)
    return Trace(path.stem, time_ns, np.where(lost, np.nan, rtt), labels)


def _not_utf8(path: Path) -> TraceError:
    found = bad_byte(path)
    where, what = ("", "it") if found is None else (f", line {found[0]}", f"byte 0x{found[1]:02x}")
    return TraceError(f"{path}{where}: {what} is not UTF-8; save the file as UTF-8")


def _times(path: Path, written: pd.Series) -> NDArray[np.int64]:
    text = written.astype(str)
    parsed = pd.to_datetime(text, format="mixed", dayfirst="/" in text.iloc[0], errors="coerce", utc=True)
    for wrong, what in (
        (parsed.isna(), "is no time"),
        (~parsed.between(EARLIEST, LATEST), f"does not lie between {EARLIEST.year} and {LATEST.year}"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong.to_numpy()))
            raise TraceError(
                f"{path}, line {row + 2}: {text.iloc[row]!r} {what}; write it like 2026-11-25 10:55:00"
            )
    time_ns = parsed.astype("datetime64[ns, UTC]").astype("int64").to_numpy(dtype=np.int64)
    back = np.flatnonzero(np.diff(time_ns) < -JUMBLED_NS)
    if len(back):
        raise TraceError(f"{path}, line {back[0] + 3}: the time goes backwards; sort the samples by time")
    return np.asarray(np.maximum.accumulate(time_ns))


def _numbers(path: Path, column: str, written: pd.Series) -> NDArray[np.float64]:
    values = pd.to_numeric(written, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(np.isnan(values) & ~written.isna().to_numpy())
    if len(wrong):
        raise TraceError(
            f"{path}, line {wrong[0] + 2}: {column} is {written.iloc[wrong[0]]!r}; write a number of milliseconds"
        )
    return np.asarray(values)
