"""VictoriaMetrics: writes by the v2 write API, reads raw samples by `/api/v1/export`.

It keeps numbers only (floats as decimals of some 15 digits), answers 204 to what it cannot read or keep, and needs
`-dedup.minScrapeInterval=1ms`: without it, a point that was sent twice counts twice.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from telemetry.store.server.database import Blobs, Line, Problem, Wrong
from telemetry.store.server.points import LANES, OVERFLOW
from telemetry.store.server.runs import read_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from telemetry.store.server.database import Place, Span
    from telemetry.store.server.points import Family
    from telemetry.store.server.wire import Http, InfluxWriter

DEDUP: Final = "dedup.minScrapeInterval"
RETENTION: Final = "retentionPeriod"
_FLAG: Final = re.compile(r'^flag\{name="([^"]+)", value="([^"]*)"', re.MULTILINE)
_LOST: Final = re.compile(
    r'^vm_rows_(?:ignored_total\{.*?reason="(?P<why>[^"]+)".*?\}|invalid_total\{type="influx"\}) (?P<n>\d+)',
    re.MULTILINE,
)
_STARTED: Final = re.compile(r"^process_start_time_seconds (\S+)", re.MULTILINE)
_UNIT_DAYS: Final = {"h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.0, "": 31.0}
_Tags = tuple[str, str, str, str]


class _Series(msgspec.Struct):
    """A line of `/api/v1/export`."""

    metric: dict[str, str]
    values: list[float]
    timestamps: list[int]


_decoder: Final = msgspec.json.Decoder(_Series)


class Victoria:
    """One VictoriaMetrics, single node or cluster."""

    strings = False
    settles_s = 60.0  # it answers before anything is on the disk (measured: kill -9 loses the last seconds)

    def __init__(self, writer: InfluxWriter, http: Http, root: Http, place: Place) -> None:
        """`http` for reads, `root` for the server's own metrics."""
        self._writer, self._http, self._root = writer, http, root
        self._prefix, self._days = place.prefix, place.days
        self.where = place.where

    def write(self, lines: Sequence[str]) -> None:
        """Store points; see `Database.write`."""
        self._writer.write(lines)

    def numbers(self, family: Family, fields: Sequence[str], span: Span) -> list[Line]:
        """The plain fields of a family; see `Database.numbers`."""
        name = f"{self._prefix}_{family}"
        found: dict[_Tags, dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
        for series in self._export(f"{name}_({'|'.join(fields)})", span):
            field = series.metric["__name__"].removeprefix(f"{name}_")
            found.setdefault(_tags(series), {})[field] = _arrays(series)
        return [_line(tags, fields_of) for tags, fields_of in sorted(found.items())]

    def blobs(self, family: Family, field: str, span: Span) -> list[Blobs]:
        """A packed field of a family; see `Database.blobs`."""
        name = f"{self._prefix}_{family}_{field}"
        parts: dict[tuple[str, str, str], dict[tuple[int, int], dict[int, bytes]]] = {}
        for series in self._export(f"{name}(_[1-{OVERFLOW - 1}])?", span):
            number = int(series.metric["__name__"].removeprefix(name).lstrip("_") or 0)
            into = parts.setdefault(_tags(series)[:3], {})
            for start, lane, data in read_runs(*_arrays(series), LANES[family]):
                into.setdefault((start, lane), {})[number] = data
        out = []
        for tags, runs in sorted(parts.items()):
            blobs = Blobs(*tags)
            for (start, lane), pieces in sorted(runs.items()):
                blobs.starts_ms.append(start)
                blobs.lanes.append(lane)
                blobs.data.append(b"".join(pieces[n] for n in sorted(pieces)))
            out.append(blobs)
        return out

    def _export(self, name: str, span: Span) -> list[_Series]:
        """The raw samples of every series whose name matches."""
        match = [f'__name__=~"{name}"', f'site=~"{_any_of(span.sites)}"']
        if span.paths:
            match.append(f'path=~"{_any_of(span.paths)}"')
        if span.end_ms <= span.start_ms:
            return []
        asked = {
            "match[]": "{" + ",".join(match) + "}",
            "start": f"{span.start_ms / 1000:.3f}",
            "end": f"{(span.end_ms - 1) / 1000:.3f}",
        }
        body = self._http.call("POST", "/api/v1/export", asked)
        return [_decoder.decode(line) for line in body.split(b"\n") if line]

    def incarnation(self) -> str:
        """When the server process started."""
        found = _STARTED.search(self._metrics())
        return "" if found is None else found[1]

    def lost(self) -> Mapping[str, int]:
        """What the server says it has thrown away since it started, by reason."""
        out: dict[str, int] = {}
        for found in _LOST.finditer(self._metrics()):
            reason = found["why"] or "malformed"
            out[reason] = out.get(reason, 0) + int(found["n"])
        return {reason: number for reason, number in out.items() if number}

    def examine(self) -> list[Problem]:
        """Flags that the store depends on."""
        flags = dict(_FLAG.findall(self._metrics()))
        problems = []
        if flags.get(DEDUP) != "1ms":
            problems.append(
                Problem(
                    Wrong.COUNTS_TWICE,
                    f"-{DEDUP} is {flags.get(DEDUP) or 'not set'}: a point that is sent twice counts twice",
                    f"start VictoriaMetrics with -{DEDUP}=1ms (in a cluster vmselect and vmstorage)",
                )
            )
        kept = days_of(flags.get(RETENTION, ""))
        if kept is not None and kept < self._days:
            problems.append(
                Problem(
                    Wrong.FORGETS,
                    f"-{RETENTION} is {flags[RETENTION]} ({kept:.0f} days), the settings want {self._days:.0f} days:"
                    " older points are answered with success and thrown away",
                    f"start VictoriaMetrics with -{RETENTION}={self._days:.0f}d or more",
                    grave=False,
                )
            )
        return problems

    def create(self) -> list[str]:
        """Nothing to make: names and retention are the server's own flags."""
        self._metrics()
        return ["VictoriaMetrics needs no set-up: it keeps what its -retentionPeriod says"]

    def close(self) -> None:
        """Let go of connections."""
        self._writer.close()
        self._http.close()
        self._root.close()

    def _metrics(self) -> str:
        return self._root.call("GET", "/metrics").decode("utf-8", "replace")


def days_of(period: str) -> float | None:
    """Days of a retention (`100y`, `90d`; a bare number is months); None when it is not understood."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([hdwy]?)", period)
    return None if found is None else float(found[1]) * _UNIT_DAYS[found[2]]


def _any_of(names: Sequence[str]) -> str:
    return "|".join(re.escape(name).replace("\\", "\\\\").replace('"', '\\"') for name in names)


def _tags(series: _Series) -> _Tags:
    m = series.metric
    return m.get("site", ""), m.get("probe", ""), m.get("path", ""), m.get("direction", "")


def _arrays(series: _Series) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    times = np.array(series.timestamps, np.int64)
    values = np.array(series.values, np.float64)
    if len(times) > 1 and not (times[1:] > times[:-1]).all():
        times, first = np.unique(times, return_index=True)
        values = values[first]
    return times, values


def _line(tags: _Tags, fields: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]) -> Line:
    """Series of the same tags brought onto common times."""
    every = [times for times, _ in fields.values()]
    if all(len(a) == len(b) and (a == b).all() for a, b in pairwise(every)):
        return Line(*tags, every[0], {name: values for name, (_, values) in fields.items()})
    common = np.unique(np.concatenate(every))
    out = {}
    for name, (times, values) in fields.items():
        column = np.full(len(common), np.nan)
        column[np.searchsorted(common, times)] = values
        out[name] = column
    return Line(*tags, common, out)
