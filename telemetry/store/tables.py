"""What reads return: columns as arrays, histograms as ragged arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Sparse histograms of n rows: row i owns `bins[offsets[i]:offsets[i+1]]` and the counts beside them."""

    offsets: NDArray[np.int64]
    bins: NDArray[np.int32]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class StreamTable:
    """Stream windows, ordered by (site, path, start_ns); `columns` as named in `telemetry.store.columns`."""

    sites: tuple[str, ...]
    probes: tuple[str, ...]
    paths: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]
    histograms: Mapping[str, Ragged]

    def __len__(self) -> int:
        return len(self.columns["start_ns"])


@dataclass(frozen=True, slots=True, eq=False)
class RollupTable:
    """Five-minute roll-ups, ordered by (site, path, slot_ns).

    `columns`: the key columns with `slot_ns` for `start_ns`, sums of the counts, means or extremes of the
    floats, `windows` (how many of 20 are there) and `emulated` (0/1). `window_values`: each (n, 20) float32.
    """

    sites: tuple[str, ...]
    probes: tuple[str, ...]
    paths: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]
    window_values: Mapping[str, NDArray[np.float32]]
    histograms: Mapping[str, Ragged]

    def __len__(self) -> int:
        return len(self.columns["slot_ns"])
