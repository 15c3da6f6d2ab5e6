"""InfluxDB: reads by InfluxQL on `/query`; writes by the v2 API (2.x) or by `/write` (1.x).

InfluxDB 2 answers InfluxQL at the same 1.x-compatible endpoint, so that one reader serves both.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
import numpy as np

from telemetry.store.server.database import Blobs, Line, RejectedError, ServerError
from telemetry.store.server.points import LANES, Family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telemetry.store.server.database import Place, Problem, Span
    from telemetry.store.server.wire import Http

_TAGS: Final = ("site", "probe", "path", "direction")


class _Series(msgspec.Struct):
    columns: list[str]
    tags: dict[str, str] = {}
    values: list[list[Any]] = []


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


_decoder: Final = msgspec.json.Decoder(_Answer)


class Setup(Protocol):
    """What differs between the versions: how to write, to look and to make."""

    def write(self, lines: Sequence[str]) -> None:
        """See `Database.write`."""
        ...

    def examine(self) -> list[Problem]:
        """See `Database.examine`."""
        ...

    def create(self) -> list[str]:
        """See `Database.create`."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Influx:
    """One database (1.x) or bucket (2.x)."""

    strings = True
    settles_s = 0.0  # every write is in its write-ahead log, on the disk, before it is answered

    def __init__(self, setup: Setup, http: Http, place: Place) -> None:
        self._setup, self._http = setup, http
        self._prefix, self._database = place.prefix, place.bucket
        self.where = place.where

    def write(self, lines: Sequence[str]) -> None:
        """Store points; see `Database.write`."""
        self._setup.write(lines)

    def numbers(self, family: Family, fields: Sequence[str], span: Span) -> list[Line]:
        """The plain fields of a family; see `Database.numbers`."""
        return [_line(series) for series in self._select(family, fields, span)]

    def blobs(self, family: Family, field: str, span: Span) -> list[Blobs]:
        """A packed field of a family; see `Database.blobs`."""
        lanes = LANES[family]
        out = []
        for series in self._select(family, [field], span):
            blobs = Blobs(*_tags(series)[:3])
            for time, text in series.values:
                into = time % lanes.span_ms
                blobs.starts_ms.append(time - into)
                blobs.lanes.append(into // lanes.step_ms)
                blobs.data.append(base64.b64decode(text))
            out.append(blobs)
        return out

    def _select(self, family: Family, fields: Sequence[str], span: Span) -> list[_Series]:
        if span.end_ms <= span.start_ms:
            return []
        names = ", ".join(f'"{field}"' for field in fields)
        where = [
            f"time >= {span.start_ms}ms AND time < {span.end_ms}ms",
            f'"site" =~ /^({_any_of(span.sites)})$/',
        ]
        if span.paths:
            where.append(f'"path" =~ /^({_any_of(span.paths)})$/')
        tags = ", ".join(f'"{tag}"' for tag in _TAGS)
        source = f'"{self._prefix}_{family}"'
        return self.query(f"SELECT {names} FROM {source} WHERE {' AND '.join(where)} GROUP BY {tags}")  # noqa: S608

    def query(self, text: str) -> list[_Series]:
        """The series that a query gives.

        Raises:
            ServerError: it does not answer, or refuses the query.
        """
        asked = {"q": text, "db": self._database, "epoch": "ms"}
        answer = _decoder.decode(self._http.call("POST", "/query", asked))
        for error in (answer.error, *(result.error for result in answer.results)):
            if error:
                raise ServerError(f"{self.where}: {error}")
        return [series for result in answer.results for series in result.series]

    def incarnation(self) -> str:
        """Does not matter: what it took, it has."""
        return ""

    def lost(self) -> Mapping[str, int]:
        """InfluxDB says at once what it does not take."""
        return {}

    def examine(self) -> list[Problem]:
        """What is wrong with the server or its set-up."""
        return self._setup.examine()

    def create(self) -> list[str]:
        """Make what is missing."""
        return self._setup.create()

    def close(self) -> None:
        """Let go of connections."""
        self._setup.close()
        self._http.close()


def outside_retention(error: RejectedError) -> bool:
    """Whether points were refused only because they are older than what the server keeps."""
    return "retention policy" in str(error) or "outside retention" in str(error)


def _any_of(names: Sequence[str]) -> str:
    return "|".join(re.escape(name).replace("/", r"\/") for name in names)


def _line(series: _Series) -> Line:
    columns = list(zip(*series.values, strict=True))
    times = np.array(columns[0], np.int64)
    fields = {
        name: np.array(column, np.float64)
        for name, column in zip(series.columns[1:], columns[1:], strict=True)
    }
    return Line(*_tags(series), times, fields)


def _tags(series: _Series) -> tuple[str, str, str, str]:
    site, probe, path, direction = (series.tags.get(tag, "") for tag in _TAGS)
    return site, probe, path, direction
