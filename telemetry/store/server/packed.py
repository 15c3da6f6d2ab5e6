"""What does not fit into numbers, as compact bytes: histograms, values of windows, items.

Histograms: per row the number of bins of each of the five, then the bins as differences, then the counts, all as
varints (LEB128), squeezed by zlib, whose check sum also tells a torn run. All rows of a table are coded at once.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from telemetry.store import ragged
from telemetry.store.columns import HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.ragged import offsets_of
from telemetry.store.sqlite.blocks import PackedItem
from telemetry.store.tables import Ragged
from telemetry.windows import WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_LEVEL: Final = 1
_ROWS: Final = 512  # unpacked at once: what is touched stays within the processor's cache
_KINDS: Final = len(HISTOGRAM_COLUMNS)
_VALUES: Final = (len(WINDOW_VALUE_COLUMNS), WINDOWS_PER_SLOT)
_items_decoder = msgspec.msgpack.Decoder(tuple[PackedItem, ...])


def squeeze(data: bytes) -> bytes:
    """Bytes made small, with a check sum."""
    return zlib.compress(data, _LEVEL)


def expand(data: bytes) -> bytes | None:
    """Bytes of `squeeze`; None when they are damaged."""
    try:
        return zlib.decompress(data)
    except zlib.error:
        return None


def pack_histograms(histograms: Mapping[str, Ragged]) -> list[bytes]:
    """One byte string a row."""
    parts = [histograms[name] for name in HISTOGRAM_COLUMNS]
    sizes = np.stack([np.diff(part.offsets) for part in parts], axis=1)
    rows = len(sizes)
    pairs = sizes.sum(axis=1)
    ends = offsets_of(_KINDS + 2 * pairs)
    integers = np.zeros(int(ends[-1]), np.int64)
    integers[ends[:-1, None] + np.arange(_KINDS)] = sizes
    before = np.cumsum(sizes, axis=1) - sizes
    for kind, part in enumerate(parts):
        step = _differences(part)
        place = np.repeat(ends[:-1] + _KINDS + before[:, kind], sizes[:, kind]) + _within(part.offsets)
        integers[place] = step
        integers[place + np.repeat(pairs, sizes[:, kind])] = part.counts
    data, sized = varints(integers)
    cuts = offsets_of(sized)[ends]
    return [squeeze(data[cuts[i] : cuts[i + 1]]) for i in range(rows)]


def unpack_histograms(blobs: Sequence[bytes | None]) -> dict[str, Ragged]:
    """The histograms of `pack_histograms`; empty ones where the bytes are None or damaged."""
    parts = [_unpack_some(blobs[i : i + _ROWS]) for i in range(0, max(len(blobs), 1), _ROWS)]
    return {name: ragged.concatenate([part[name] for part in parts]) for name in HISTOGRAM_COLUMNS}


def _unpack_some(blobs: Sequence[bytes | None]) -> dict[str, Ragged]:
    raw = [(expand(blob) if blob else None) or bytes(_KINDS) for blob in blobs]
    sizes_of = np.array([len(x) for x in raw], np.int64)
    integers, of_byte = read_varints(b"".join(raw))
    starts = of_byte[offsets_of(sizes_of)[:-1]] if raw else np.zeros(0, np.int64)
    sizes = integers[starts[:, None] + np.arange(_KINDS)] if raw else np.zeros((0, _KINDS), np.int64)
    pairs = sizes.sum(axis=1)
    before = np.cumsum(sizes, axis=1) - sizes
    out: dict[str, Ragged] = {}
    for kind, name in enumerate(HISTOGRAM_COLUMNS):
        offsets = offsets_of(sizes[:, kind])
        place = np.repeat(starts + _KINDS + before[:, kind], sizes[:, kind]) + _within(offsets)
        bins = _summed(integers[place], offsets)
        counts = integers[place + np.repeat(pairs, sizes[:, kind])]
        out[name] = Ragged(offsets, bins.astype(np.int32), counts)
    return out


def _within(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2 … within each row."""
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))


def _differences(part: Ragged) -> NDArray[np.int64]:
    """Bins of each row as steps, the first from 0."""
    step = part.bins.astype(np.int64)
    step[1:] -= part.bins[:-1]
    first = part.offsets[:-1][np.diff(part.offsets) > 0]
    step[first] = part.bins[first]
    return step


def _summed(steps: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    total = np.concatenate(([0], np.cumsum(steps)))
    within: NDArray[np.int64] = total[1:] - np.repeat(total[offsets[:-1]], np.diff(offsets))
    return within


def varints(values: NDArray[np.int64]) -> tuple[bytes, NDArray[np.int64]]:
    """Non-negative integers as LEB128 in a row, and the bytes that each takes."""
    sized = np.ones(len(values), np.int64)
    for bits in range(7, 63, 7):
        sized += values >= (1 << bits)
    ends = offsets_of(sized)
    byte = _within(ends)
    whole = np.repeat(values, sized)
    out = (whole >> (7 * byte)) & 0x7F
    out[byte < np.repeat(sized, sized) - 1] |= 0x80
    return out.astype(np.uint8).tobytes(), sized


def read_varints(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The integers of `varints`, and for every byte the index of its integer."""
    if not data:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    raw = np.frombuffer(data, np.uint8)
    is_last = raw < 0x80
    of_byte: NDArray[np.int64] = np.cumsum(is_last) - is_last
    first = np.flatnonzero(np.concatenate(([True], is_last[:-1])))
    place = np.arange(len(raw)) - first[of_byte]
    return np.add.reduceat((raw & 0x7F).astype(np.int64) << (7 * place), first), of_byte


def pack_window_values(values: Mapping[str, NDArray[np.float32]]) -> list[bytes]:
    """The values of the windows of each slot: (13, 20) float32 by byte planes, one byte string a row."""
    whole = np.stack([values[name] for name in WINDOW_VALUE_COLUMNS], axis=1).astype("<f4")
    rows = len(whole)
    planes = np.ascontiguousarray(np.moveaxis(whole.view(np.uint8).reshape(rows, -1, 4), 2, 1))
    return [squeeze(planes[i].tobytes()) for i in range(rows)]


def unpack_window_values(blobs: Sequence[bytes | None]) -> dict[str, NDArray[np.float32]]:
    """The values of `pack_window_values`, each (n, 20); NaN where the bytes are None or damaged."""
    size = 4 * _VALUES[0] * _VALUES[1]
    nothing = np.full(_VALUES, np.nan, "<f4").view(np.uint8).reshape(-1, 4).T.tobytes()
    raw = b"".join((expand(blob) if blob else None) or nothing for blob in blobs)
    planes = np.frombuffer(raw, np.uint8).reshape(len(blobs), 4, size // 4)
    whole = np.ascontiguousarray(np.moveaxis(planes, 1, 2)).view("<f4").reshape(len(blobs), *_VALUES)
    return {name: whole[:, i].astype(np.float32) for i, name in enumerate(WINDOW_VALUE_COLUMNS)}


def pack_items(items: Sequence[PackedItem]) -> bytes:
    """The items of one report that are no streams."""
    return squeeze(msgspec.msgpack.encode(items))


def unpack_items(blob: bytes) -> tuple[PackedItem, ...]:
    """The items of `pack_items`; none when the bytes are damaged."""
    raw = expand(blob)
    return () if raw is None else _items_decoder.decode(raw)
