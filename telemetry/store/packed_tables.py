"""The parts of a packed block: stream windows and roll-ups as columns, their histograms beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.store import packing
from telemetry.store.ragged import offsets_of
from telemetry.store.tables import Ragged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_LENGTHS: Final = "lengths"
_BINS: Final = "bins"
_COUNTS: Final = "counts"


def pack_histograms(histograms: Mapping[str, Ragged], level: int = packing.LEVEL) -> bytes:
    """Ragged histograms as bytes: all of them in a row, since one long array unpacks faster than five short ones."""
    lengths = np.concatenate([np.diff(part.offsets) for part in histograms.values()])
    pairs = {
        _BINS: np.concatenate([part.bins for part in histograms.values()]),
        _COUNTS: np.concatenate([part.counts for part in histograms.values()]),
    }
    head = packing.pack({_LENGTHS: lengths}, level)
    return len(head).to_bytes(4, "little") + head + packing.pack(pairs, level)


def unpack_histograms(data: bytes, names: tuple[str, ...]) -> dict[str, Ragged]:
    """The histograms of `pack_histograms`, which had these names."""
    at = 4 + int.from_bytes(data[:4], "little")
    lengths = packing.unpack(data[4:at])[_LENGTHS].astype(np.int64)
    pairs = packing.unpack(data[at:])
    bins, counts = pairs[_BINS].astype(np.int32), pairs[_COUNTS].astype(np.int64)
    ends = offsets_of(lengths)
    rows = len(lengths) // len(names)
    out: dict[str, Ragged] = {}
    for i, name in enumerate(names):
        offsets: NDArray[np.int64] = ends[i * rows : (i + 1) * rows + 1]
        span = slice(int(offsets[0]), int(offsets[-1]))
        out[name] = Ragged(offsets - offsets[0], bins[span], counts[span])
    return out
