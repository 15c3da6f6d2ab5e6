"""Reads a folder of traces for a bench: one that is scored goes on without what cannot be read, one that learns does not.

A figure of the readable traces is a figure, and how many are not in it stands beside it; a model that is shipped must have
seen them all. Without a trace to go by a bench ends in one line.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.trace_lines import TraceError
from telemetry.traces import read_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from telemetry.traces import Trace


@dataclass(frozen=True, slots=True)
class Readable:
    """What could be read of a folder, by the files' names, and how many files could not."""

    traces: list[Trace]
    unreadable: int


def names_of(folder: Path) -> frozenset[str]:
    """What the traces of a folder are called, in small letters: one that was saved under `NAME.CSV` is still the same trace."""
    return frozenset(path.name.lower() for path in _ending_in_csv(folder))


def read_all(
    folder: Path, progress: Callable[[str], None], without: frozenset[str] = frozenset()
) -> list[Trace]:
    """The traces of a folder, but for those called `without` (`names_of`); `progress` is also told what was mended in them.

    Raises:
        TraceError: no trace there, or one that cannot be read.
    """
    return [_read(path, progress) for path in _files(folder, progress, without)]


def read_readable(folder: Path, progress: Callable[[str], None]) -> Readable:
    """Those traces of a folder that can be read; `progress` is told of each other one why not, in one line.

    Raises:
        TraceError: no trace there, or none that can be read.
    """
    traces: list[Trace] = []
    paths = _files(folder, progress)
    for path in paths:
        try:
            traces.append(_read(path, progress))
        except TraceError as error:
            progress(f"left out: {error}")
    if not traces:
        raise TraceError(folder, f"none of its {len(paths)} traces can be read", "mend what is said of them")
    return Readable(traces, len(paths) - len(traces))


def _files(
    folder: Path, progress: Callable[[str], None], without: frozenset[str] = frozenset()
) -> list[Path]:
    paths = [path for path in _ending_in_csv(folder) if path.name.lower() not in without]
    if not paths:
        raise TraceError(
            folder, "no trace there", "name a folder with files *.csv of the columns epoch;rtt;cp"
        )
    progress(f"{folder.name}: reading {len(paths)} traces")
    return paths


def _ending_in_csv(folder: Path) -> list[Path]:
    """Sorted; instruments and other systems write the ending in capitals, too."""
    return sorted(path for path in folder.glob("*") if path.suffix.lower() == ".csv")


def _read(path: Path, progress: Callable[[str], None]) -> Trace:
    trace = read_trace(path)
    for line in trace.mended:
        progress(line)
    return trace


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Traces that cannot be used are no fault of the bench: one line of why, and status 2."""
    try:
        yield
    except TraceError as error:
        print(f"bench: {error}", file=sys.stderr)
        raise SystemExit(2) from None
