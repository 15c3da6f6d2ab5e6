"""A chunk's rows as samples: one packet each, or the figures of several; in our units, NaN where absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from tatpar.importing.mapping import JITTERS, LOSSES, MOST_PACKETS, ROUND_TRIPS, Count, Duration, Share
from tatpar.importing.numbers import MS_PER, Times, must_lie_in_the_past, numbers, times
from telemetry.windows import SECOND_NS, WEEK_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tatpar.importing.mapping import Lost, Mapping, Ping, Summary, Time
    from tatpar.importing.tables import Chunk

    Samples = NDArray[np.void]

_PLACE: Final = [("time_ns", "<i8"), ("arrived_ns", "<i8"), ("path", "<i2"), ("file", "<i4"), ("row", "<u8")]
"""`file`: the number of the file. `row`: the same number for rows that say the same."""
PING: Final = np.dtype([*_PLACE, ("nth", "<i2"), ("rtt_ms", "<f8")])
"""`nth`: which packet of its row, where a row has several. `rtt_ms` is NaN where it was lost."""
FIGURES: Final = ("sent", "lost", "up_lost", "down_lost", *ROUND_TRIPS, *JITTERS)
SUMMARY: Final = np.dtype([*_PLACE, *((name, "<f8") for name in FIGURES)])
"""`time_ns` is the last moment of the span."""
NOT_TOLD: Final = -1
"""`arrived_ns` where the file does not say; before all times."""
SKEW_NS: Final = 60 * SECOND_NS
"""So much earlier than its measurement a row may have come: clocks differ, and times are written to the minute."""
DOUBTS: Final = ("twice", "never")
"""How a zone's clocks leave a time in doubt."""
_TRUTHS: Final = {"true": "1", "false": "0"}
"""Marks of truth as numbers."""


def known_ns(samples: Samples) -> NDArray[np.int64]:
    """(n,) when each was known: at the end of its own window, or when it arrived where the file says that it was later."""
    ends_ns = (samples["time_ns"] // WINDOW_NS + 1) * WINDOW_NS
    return np.asarray(np.maximum(samples["arrived_ns"], ends_ns))


def dtype_of(mapping: Mapping) -> np.dtype[Any]:
    """What the samples of a mapping are made of."""
    return PING if mapping.summary is None else SUMMARY


@dataclass(frozen=True, slots=True)
class Sampled:
    """The samples of a chunk, their `path` and `file` still 0; (n,) each."""

    samples: Samples
    rows: NDArray[np.int64]
    """The row (from 0) that each is of."""
    twice: NDArray[np.bool_]
    never: NDArray[np.bool_]
    """As of `Times`."""
    no_zone: tuple[str, ...]
    """The mapping's tables (`time`, `arrived`) whose times have no zone, some of them at least."""


def samples(chunk: Chunk, mapping: Mapping, now_ns: int) -> Sampled:
    """The samples of a chunk.

    Raises:
        ConfigError: a cell that cannot be; the message has its line.
    """
    if mapping.summary is not None:
        out, rows = _summaries(chunk, mapping.summary), np.arange(len(chunk.frame))
    elif mapping.ping is not None:
        out, rows = _pings(chunk, mapping.ping)
    else:
        out = np.zeros(len(chunk.frame), PING)
        out["rtt_ms"], rows = chunk.frame["rtt_ms"], np.arange(len(out))
        out["row"] = _numbered(out["rtt_ms"][:, None])
    dated = _date(out, rows, chunk, mapping, now_ns)
    twice, never = (
        np.logical_or.reduce([getattr(each, doubt) for each in dated.values()]) for doubt in DOUBTS
    )
    no_zone = tuple(table for table, each in dated.items() if each.no_zone)
    return Sampled(out, rows, twice[rows], never[rows], no_zone)


def _date(
    out: Samples, rows: NDArray[np.int64], chunk: Chunk, mapping: Mapping, now_ns: int
) -> dict[str, Times]:
    """Fill in the times; those of the chunk's rows by the mapping's table that they are of."""
    shift_ns = mapping.file.shift_weeks * WEEK_NS
    if mapping.time is None:
        found = Times(_of_trace(chunk, shift_ns, now_ns), *np.zeros((2, len(chunk.frame)), np.bool_))
    else:
        found = times(chunk, mapping.time, shift_ns, now_ns)
    out["time_ns"] = found.ns[rows]
    if mapping.summary is not None:
        span_ns = round(mapping.summary.cadence_s * SECOND_NS)
        out["time_ns"] += (span_ns if mapping.summary.time_is == "start" else 0) - 1
    out["arrived_ns"] = NOT_TOLD
    if mapping.time is None or mapping.arrived is None:
        return {"time": found}
    came = times(chunk, mapping.arrived, shift_ns, now_ns)
    _must_come_after(chunk, (mapping.time, found), (mapping.arrived, came))
    out["arrived_ns"] = came.ns[rows]
    return {"time": found, "arrived": came}


def _must_come_after(chunk: Chunk, measured: tuple[Time, Times], arrived: tuple[Time, Times]) -> None:
    """Refuse rows that came long before they were measured; a local time that came twice may be the later one."""
    (time, when), (column, came) = measured, arrived
    early = (came.ns < when.ns - SKEW_NS) & ~came.twice
    if early.any():
        row = int(np.argmax(early))
        written, before = (chunk.frame[each.column].iloc[row] for each in (column, time))
        raise chunk.wrong(
            row,
            f'{column.column} "{written}" lies before {time.column} "{before}"',
            "write when the row was known, or leave [arrived] out; see zone under [time] and [arrived] of the mapping",
        )


def _of_trace(chunk: Chunk, shift_ns: int, now_ns: int) -> NDArray[np.int64]:
    cells = chunk.frame["time_ns"]
    ns: NDArray[np.int64] = cells.to_numpy(np.int64) + shift_ns
    written = pd.to_datetime(cells, unit="ns", utc=True)
    must_lie_in_the_past(chunk, ns, ("epoch", written), _less_shift(ns, shift_ns, now_ns), now_ns)
    return ns


def _less_shift(ns: NDArray[np.int64], shift_ns: int, now_ns: int) -> str:
    """What to do about a trace that was moved into the future: the most weeks that leave all of it in the past."""
    most = (now_ns + shift_ns - int(ns.max(initial=now_ns))) // WEEK_NS
    if 0 <= most < shift_ns // WEEK_NS:
        return f"write shift_weeks = {most} or less under [file] of the mapping"
    return "see [file] shift_weeks of the mapping"


def _pings(chunk: Chunk, ping: Ping) -> tuple[Samples, NDArray[np.int64]]:
    told = ping.rtts if ping.rtts is not None else ping.rtt
    assert told is not None
    columns = told.columns if ping.rtts is not None and not isinstance(told, Duration) else (told.column,)  # type: ignore[union-attr]
    rtt_ms = np.stack([numbers(chunk, name) for name in columns], axis=-1) * MS_PER[told.unit]
    lost = ~(rtt_ms > 0.0) | (rtt_ms >= ping.timeout_ms)
    if ping.lost is not None:
        lost |= _marked(chunk, ping.lost)[:, None]
    out = np.zeros(rtt_ms.shape, PING)
    out["nth"] = np.arange(len(columns))
    out["rtt_ms"] = np.where(lost, np.nan, rtt_ms)
    out["row"] = _numbered(out["rtt_ms"])[:, None]
    return out.reshape(-1), np.repeat(np.arange(len(rtt_ms)), len(columns))


def _marked(chunk: Chunk, lost: Lost) -> NDArray[np.bool_]:
    """(n,) which rows are marked, however the mark is kept: 1 is also 1.0 and true, as Parquet may have it."""
    cells = _words(chunk.frame[lost.column])
    marks = _words(pd.Series(lost.marks, dtype=str))
    figures, marked = (pd.to_numeric(words.replace(_TRUTHS), errors="coerce") for words in (cells, marks))
    return np.asarray((cells.isin(marks) | figures.isin(marked.dropna())).to_numpy(np.bool_))


def _words(cells: pd.Series) -> pd.Series:
    return cells.astype(str).str.strip().str.lower()


def _summaries(chunk: Chunk, summary: Summary) -> Samples:
    out = np.zeros(len(chunk.frame), SUMMARY)
    sent = out["sent"] = _count(chunk, summary.sent)
    for name in (*ROUND_TRIPS, *JITTERS):
        told: Duration | None = getattr(summary, name)
        out[name] = np.nan if told is None else _duration(chunk, told)
    shares = {name: _share(chunk, getattr(summary, name)) for name in LOSSES}
    out["up_lost"], out["down_lost"] = np.rint(shares["loss_up"] * sent), np.nan
    reached = sent - np.nan_to_num(out["up_lost"])
    out["down_lost"] = np.rint(shares["loss_down"] * reached)
    either = np.where(np.isnan(out["up_lost"]) & np.isnan(out["down_lost"]), np.nan, 0.0)
    both = either + np.nan_to_num(out["up_lost"]) + np.nan_to_num(out["down_lost"])
    lost = _lost(chunk, summary, shares["loss"], sent)
    out["lost"] = np.where(np.isnan(lost), both, np.fmax(lost, both))
    more = out["lost"] > sent
    if more.any():
        row = int(np.argmax(more))
        problem = f"{out['lost'][row]:g} packets are lost of {sent[row]:g} that were sent"
        raise chunk.wrong(row, problem, "see sent and lost under [summary] of the mapping")
    nothing = (sent > 0) & (out["lost"] >= sent)
    for name in ROUND_TRIPS:  # tools write 0, or what they had before, where nothing came back
        out[name] = np.where(nothing | ~(out[name] > 0.0), np.nan, out[name])
    out["row"] = _numbered(np.stack([out[name] for name in FIGURES], axis=-1))
    return out


def _lost(
    chunk: Chunk, summary: Summary, share: NDArray[np.float64], sent: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) packets that were lost, by whichever column says so; NaN where none does."""
    if summary.lost is not None:
        return _count(chunk, summary.lost)
    if summary.received is None:
        return np.rint(share * sent)
    received = _count(chunk, summary.received)
    more = received > sent
    if more.any():
        row = int(np.argmax(more))
        problem = f"{received[row]:g} packets came back of {sent[row]:g} that were sent"
        raise chunk.wrong(row, problem, "see sent and received under [summary] of the mapping")
    return np.asarray(sent - received)


def _numbered(figures: NDArray[np.float64]) -> NDArray[np.uint64]:
    """(n,) a number of each row of (n, k) figures: rows that say the same have the same, others another."""
    same = np.where(np.isnan(figures), np.nan, figures + 0.0)  # one way of writing nothing, and one of 0
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(same), index=False).to_numpy(np.uint64))


def _count(chunk: Chunk, count: Count) -> NDArray[np.float64]:
    if count.column is None:
        return np.full(len(chunk.frame), float(count.is_ or 0))
    values = numbers(chunk, count.column)
    wrong = (values < 0) | (values != np.rint(values))
    wrong &= ~np.isnan(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise chunk.wrong(row, f"{count.column} is {values[row]:g}", "write a whole number of packets")
    many = values > MOST_PACKETS
    if many.any():
        row = int(np.argmax(many))
        remedy = f"write how many packets the row tells of, at most {MOST_PACKETS:,}"
        raise chunk.wrong(row, f"{count.column} is {values[row]:g}", remedy)
    return values


def _share(chunk: Chunk, share: Share | None) -> NDArray[np.float64]:
    if share is None:
        return np.full(len(chunk.frame), np.nan)
    values = numbers(chunk, share.column)
    ratio = values / (100.0 if share.unit == "pct" else 1.0)
    wrong = (ratio < 0.0) | (ratio > 1.0)
    if wrong.any():
        row = int(np.argmax(wrong))
        remedy = 'say unit = "pct" in the mapping' if share.unit == "ratio" else "write 0 to 100"
        raise chunk.wrong(row, f"{share.column} is {values[row]:g}, which is no {share.unit}", remedy)
    return ratio


def _duration(chunk: Chunk, told: Duration) -> NDArray[np.float64]:
    """In ms; what is negative or longer than a minute is no figure."""
    values = numbers(chunk, told.column) * MS_PER[told.unit]
    return np.where((values >= 0.0) & (values <= 60_000.0), values, np.nan)
