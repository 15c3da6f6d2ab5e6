"""Bytes as a run of samples: for a database that keeps numbers only.

    sample      0              1                2         …
    time     start ms      start + 1 ms     start + 2 ms
    value   bytes in all    bytes 0…5        bytes 6…11           (big-endian, the last one filled with zeros)

The start tells a run from its neighbours (it lies on a lane of the window), the length tells whether it is whole, and
what is packed carries a check sum of its own (zlib), so that a torn run is noticed and never read as something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.store.server.points import OVERFLOW, RUN_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from telemetry.store.server.points import Lanes


def run_values(data: bytes) -> list[int]:
    """The samples of a run: its length, then six bytes each."""
    padded = data + bytes(-len(data) % RUN_BYTES)
    wide = np.zeros((len(padded) // RUN_BYTES, 8), np.uint8)
    wide[:, 2:] = np.frombuffer(padded, np.uint8).reshape(-1, RUN_BYTES)
    return [len(data), *wide.view(">u8")[:, 0].tolist()]


def chunks(data: bytes, lanes: Lanes) -> list[bytes] | None:
    """Bytes cut so that each part fits a lane; None when even all overflow series cannot hold them."""
    room = (lanes.room_ms - 1) * RUN_BYTES
    parts = [data[i : i + room] for i in range(0, len(data), room)] or [b""]
    return parts if len(parts) <= OVERFLOW else None


def read_runs(
    times_ms: NDArray[np.int64], values: NDArray[np.float64], lanes: Lanes
) -> Iterator[tuple[int, int, bytes]]:
    """The whole runs of one series as (start of the window in ms, lane, bytes); torn ones are left out.

    Args:
        times_ms: (n,) rising.
        values: (n,) the samples.
        lanes: of the family.
    """
    into = times_ms % lanes.span_ms - lanes.run_ms
    starts = np.flatnonzero((into >= 0) & (into % lanes.room_ms == 0) & (into // lanes.room_ms < lanes.count))
    wide = values.astype(np.int64).astype(">i8").view(np.uint8).reshape(-1, 8)[:, 2:]
    flat = np.ascontiguousarray(wide).tobytes()
    lengths = values[starts].astype(np.int64)
    samples = -(-lengths // RUN_BYTES)
    last = starts + samples
    inside = last < len(times_ms)
    whole = inside.copy()
    whole[inside] = times_ms[last[inside]] - times_ms[starts[inside]] == samples[inside]
    window = times_ms[starts] - times_ms[starts] % lanes.span_ms
    for is_whole, at, length, start, lane in zip(
        whole.tolist(),
        starts.tolist(),
        lengths.tolist(),
        window.tolist(),
        (into[starts] // lanes.room_ms).tolist(),
        strict=True,
    ):
        if is_whole:
            begin = (at + 1) * RUN_BYTES
            yield start, lane, flat[begin : begin + length]
