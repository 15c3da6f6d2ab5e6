"""The database server as a port: what the shipper writes through and the reader reads through.

Two dialects implement it: `influx` (InfluxQL, 1.x and 2.x) and `victoria`. What a server may answer to a write is
named by who must act, so that the shipper needs no status codes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from telemetry.store.server.points import Family


class ServerError(StoreError):
    """The database server did not do what was asked."""


class AwayError(ServerError):
    """It cannot be reached or is overloaded: the same again later (`retry_after_s`, when it said so)."""

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class UnreachableError(AwayError):
    """No answer at all: nobody there, the connection broke, or nothing came in time. It may have died and lost what it took."""


class DeniedError(ServerError):
    """It does not let us, or does not know the place: the operator must act, the text says how."""


class RejectedError(ServerError):
    """It refuses some of the points (the others may be stored); one of the faults is named."""


class TooLargeError(ServerError):
    """The batch is too large for it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which points a read wants: `[start_ms, end_ms)`, of these sites (never empty), of these paths (empty: all)."""

    start_ms: int
    end_ms: int
    sites: tuple[str, ...]
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The points of one set of tags: times (n,) rising, and for each field (n,) values with NaN for absent."""

    site: str
    probe: str
    path: str
    direction: str
    times_ms: NDArray[np.int64]
    fields: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Blobs:
    """The packed values of one set of tags: the window or slot of each (ms), its lane, its bytes."""

    site: str
    probe: str
    path: str
    starts_ms: list[int] = field(default_factory=list)
    lanes: list[int] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)


class Wrong(StrEnum):
    """What kind of thing is wrong with a server, for whoever says it in another language."""

    MISSING = "missing"
    """The database or bucket is not there."""
    FORGETS = "forgets"
    """It keeps less long than the settings want."""
    UNREADABLE = "unreadable"
    """Our queries do not find the bucket."""
    COUNTS_TWICE = "counts_twice"
    """A point that is sent twice is two."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the server that the operator should know, and what to do."""

    kind: Wrong
    text: str
    remedy: str
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the server the reports are, and how long they are to stay."""

    where: str
    """Address and database, for messages; never a secret."""
    prefix: str
    bucket: str
    days: float


class Database(Protocol):
    """One database on one server."""

    @property
    def strings(self) -> bool:
        """Whether a field can be text; else packed values go as runs of numbers."""
        ...

    @property
    def where(self) -> str:
        """The server's address and database, for messages; never a secret."""
        ...

    @property
    def settles_s(self) -> float:
        """How long after it took a point a kill of the server may still lose it."""
        ...

    def incarnation(self) -> str:
        """The same as long as the server process lives.

        Raises:
            ServerError: it does not answer.
        """
        ...

    def write(self, lines: Sequence[str]) -> None:
        """Store points in line protocol with times in ms; idempotent.

        Raises:
            AwayError, DeniedError, RejectedError, TooLargeError: what became of them.
        """
        ...

    def numbers(self, family: Family, fields: Sequence[str], span: Span) -> list[Line]:
        """The plain fields of a family.

        Raises:
            ServerError: it does not answer.
        """
        ...

    def blobs(self, family: Family, field: str, span: Span) -> list[Blobs]:
        """A packed field of a family.

        Raises:
            ServerError: it does not answer.
        """
        ...

    def lost(self) -> Mapping[str, int]:
        """What the server says it has thrown away since it started, by reason; empty when it does not tell."""
        ...

    def examine(self) -> list[Problem]:
        """What is wrong with the server or its set-up.

        Raises:
            ServerError: it does not answer.
        """
        ...

    def create(self) -> list[str]:
        """Make what is missing (organisation, bucket or database, retention); what was done, a line each.

        Raises:
            ServerError: it could not be done.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
