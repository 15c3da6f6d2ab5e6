"""Reads a folder of traces for a bench; a folder that cannot be read ends it in one line."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from telemetry.traces import TraceError, read_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from telemetry.traces import Trace


def read_all(
    folder: Path, progress: Callable[[str], None], without: frozenset[str] = frozenset()
) -> list[Trace]:
    """The traces of a folder, but for the files `without`; `progress` is also told what was mended in them.

    Raises:
        TraceError: no trace there, or one that cannot be read.
    """
    paths = [path for path in sorted(folder.glob("*.csv")) if path.name not in without]
    if not paths:
        raise TraceError(
            f"{folder}: no trace there; name a folder with files *.csv of the columns epoch;rtt;cp"
        )
    progress(f"{folder.name}: reading {len(paths)} traces")
    found: list[Trace] = []
    for path in paths:
        trace = read_trace(path)
        for line in trace.mended:
            progress(line)
        found.append(trace)
    return found


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Traces that cannot be used are no fault of the bench: one line of why, and status 2."""
    try:
        yield
    except TraceError as error:
        print(f"bench: {error}", file=sys.stderr)
        raise SystemExit(2) from None
