"""Columns packed into bytes without loss: integers as narrow offsets or differences, decimals as integers, then zstd.

Columns of one encoding and width lie together as a matrix, so that a block of sixty columns unpacks in a handful
of numpy calls. A measured time has at most nine decimals of a second, so most float columns are integers of
10^-6 or 10^-3 in disguise (the idea of ALP, Afroozeh et al. 2023); a column is packed so only if every value
comes back bit for bit, else as it is.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import zstandard

from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

LEVEL: Final = 3
_REPORT_BYTES: Final = 7000
_SCALES: Final = (1.0, 1e3, 1e6)
_WIDTHS: Final = (1, 2, 4, 8)
_FORMAT: Final = 1
_EXACT: Final = 2.0**52


class _Group(msgspec.Struct, frozen=True, array_like=True):
    """Columns that are packed alike: a (columns, rows) matrix of unsigned integers or raw floats."""

    names: tuple[str, ...]
    width: int
    """Bytes of a value; 0 when every row has the base."""
    delta: bool = False
    bases: tuple[int, ...] = ()
    scales: tuple[float, ...] = ()
    """Of float columns: value = integer / scale, and integer 0 above the base stands for NaN; 0.0 for raw floats."""
    float_bytes: int = 8


class _Header(msgspec.Struct, frozen=True, array_like=True):
    format: int
    rows: int
    groups: tuple[_Group, ...]


_header_decoder = msgspec.msgpack.Decoder(_Header)


Squeezed = zstandard.BufferSegment
"""Bytes in a buffer that many share; SQLite takes it as a blob."""


class _Contexts(threading.local):
    """A thread's own: they are dear to make, and two threads must not use one at once."""

    def __init__(self) -> None:
        self.compressors: dict[int, zstandard.ZstdCompressor] = {}
        self.decompressor = zstandard.ZstdDecompressor()
        self.quick = zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters.from_level(
                1, source_size=_REPORT_BYTES, min_match=6, write_checksum=True
            )
        )


_contexts = _Contexts()


def compress(data: bytes, level: int = LEVEL) -> bytes:
    """Bytes squeezed."""
    compressor = _contexts.compressors.get(level)
    if compressor is None:
        compressor = _contexts.compressors[level] = zstandard.ZstdCompressor(
            level=level, write_checksum=True
        )  # a byte that went bad on the disk is found out
    return compressor.compress(data)


def squeeze_all(payloads: Sequence[bytes]) -> list[Squeezed]:
    """Many payloads squeezed quickly, each for itself, while other threads run; none of them may be empty.

    Reports are JSON full of short numbers: looking only for matches of six bytes and more takes a quarter less time
    than level 1 for 2 % more bytes (measured), and within the hour they are packed better anyway.
    """
    if not payloads:
        return []
    squeezed = _contexts.quick.multi_compress_to_buffer(list(payloads))
    return [squeezed[i] for i in range(len(payloads))]


def decompress(data: bytes) -> bytes:
    """Bytes as they were.

    Raises:
        StoreError: they are damaged.
    """
    try:
        return _contexts.decompressor.decompress(data)
    except zstandard.ZstdError as error:
        raise StoreError(f"a packed block is damaged: {error}") from error


def pack(columns: Mapping[str, NDArray[Any]], level: int = LEVEL) -> bytes:
    """Columns of equal length (integers; float64 or float32 with NaN for absent) as bytes."""
    rows = len(next(iter(columns.values()))) if columns else 0
    groups: list[_Group] = []
    buffers: list[bytes] = []
    for group, matrix in (*_integer_groups(columns), *_float_groups(columns)):
        groups.append(group)
        if group.width:
            buffers.append(_shuffled(matrix))
    header = msgspec.msgpack.encode(_Header(_FORMAT, rows, tuple(groups)))
    return compress(b"".join((len(header).to_bytes(4, "little"), header, *buffers)), level)


def unpack(data: bytes, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """The columns of `pack`; only the named ones when names are given (those that are there).

    Raises:
        StoreError: the bytes are damaged or of an unknown format.
    """
    raw = decompress(data)
    try:
        return _unpacked(raw, names)
    except (msgspec.MsgspecError, ValueError, IndexError) as error:
        raise StoreError(f"a packed block is damaged: {error}") from error


def _unpacked(raw: bytes, names: Collection[str] | None) -> dict[str, NDArray[Any]]:
    at = 4 + int.from_bytes(raw[:4], "little")
    header = _header_decoder.decode(raw[4:at])
    if header.format != _FORMAT:
        raise StoreError(f"a packed block has format {header.format}, this version knows {_FORMAT}")
    out: dict[str, NDArray[Any]] = {}
    for group in header.groups:
        size = group.width * len(group.names) * header.rows
        chosen = [i for i, name in enumerate(group.names) if names is None or name in names]
        if chosen:
            matrix = _restored(group, raw[at : at + size], header.rows, chosen)
            out.update(zip((group.names[i] for i in chosen), matrix, strict=True))
        at += size
    return out


def _restored(group: _Group, data: bytes, rows: int, chosen: list[int]) -> NDArray[Any]:
    """The chosen columns (chosen, rows) of a group."""
    if group.width and group.scales and not group.scales[0]:
        raw: NDArray[Any] = _unshuffled(data, group, rows, chosen)
        return raw.view(f"<f{group.float_bytes}")
    base = np.array([group.bases[i] for i in chosen], np.int64)[:, None]
    if group.width:
        matrix = _unshuffled(data, group, rows, chosen)
    else:
        matrix = np.zeros((len(chosen), rows), np.uint8)
    if group.delta:
        steps = matrix.astype(np.int64)
        integers = np.cumsum(steps >> 1 ^ -(steps & 1), axis=1) + base
    else:
        integers = matrix.astype(np.int64) + base
    if not group.scales:
        return integers
    values: NDArray[Any] = integers / np.array([group.scales[i] for i in chosen])[:, None]
    values[matrix == 0] = np.nan
    return values if group.float_bytes == 8 else values.astype(np.float32)


def _integer_groups(columns: Mapping[str, NDArray[Any]]) -> Iterable[tuple[_Group, NDArray[Any]]]:
    names = [name for name, column in columns.items() if column.dtype.kind in "iub"]
    if not names:
        return
    values = np.stack([columns[name].astype(np.int64) for name in names])
    if not values.shape[1]:
        yield _Group(tuple(names), 0, bases=(0,) * len(names)), values
        return
    base = values.min(axis=1)
    plain = _Codes(names, (values - base[:, None]).view(np.uint64), base)
    steps = np.diff(values, axis=1, prepend=values[:, :1])
    zigzag = _Codes(names, (steps << 1 ^ steps >> 63).view(np.uint64), values[:, 0], delta=True)
    narrower = zigzag.widths < plain.widths
    yield from plain.groups(~narrower)
    yield from zigzag.groups(narrower)


class _Codes:
    """Columns (columns, rows) as unsigned integers, to be grouped by the bytes that each needs."""

    def __init__(
        self,
        names: Sequence[str],
        matrix: NDArray[np.uint64],
        bases: NDArray[np.int64],
        *,
        delta: bool = False,
        floats: tuple[NDArray[np.float64], int] | None = None,
    ) -> None:
        """`floats`: scale of each column, and bytes of a float."""
        self.names, self.matrix, self.bases, self.delta, self.floats = names, matrix, bases, delta, floats
        self.widths = _widths(matrix)

    def groups(self, member: NDArray[np.bool_]) -> Iterable[tuple[_Group, NDArray[Any]]]:
        """The groups of the columns where `member` is true, one for each width."""
        for width in (0, *_WIDTHS):
            rows = np.flatnonzero(member & (self.widths == width)).tolist()
            if rows:
                scales, float_bytes = self.floats or (np.zeros(0), 8)
                group = _Group(
                    tuple(self.names[i] for i in rows),
                    width,
                    self.delta,
                    tuple(self.bases[rows].tolist()),
                    tuple(scales[rows].tolist()) if self.floats else (),
                    float_bytes,
                )
                yield group, self.matrix[rows].astype(f"<u{width or 1}")


def _widths(matrix: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Bytes that the greatest value of each row needs: 0 (all zero), 1, 2, 4 or 8."""
    top = matrix.max(axis=1, initial=0)
    return np.select(
        [top == 0, top < 1 << 8, top < 1 << 16, top < 1 << 32],
        [np.int64(0), np.int64(1), np.int64(2), np.int64(4)],
        np.int64(8),
    )


def _float_groups(columns: Mapping[str, NDArray[Any]]) -> Iterable[tuple[_Group, NDArray[Any]]]:
    for size in (8, 4):
        names = [name for name, column in columns.items() if column.dtype == f"f{size}"]
        if names:
            yield from _float_group(names, np.stack([columns[name] for name in names]), size)


def _float_group(
    names: Sequence[str], values: NDArray[Any], size: int
) -> Iterable[tuple[_Group, NDArray[Any]]]:
    scale, integers = _decimal(values.astype(np.float64), values)
    raw = np.flatnonzero(scale == 0.0).tolist()
    if raw:
        group = _Group(tuple(names[i] for i in raw), size, scales=(0.0,) * len(raw), float_bytes=size)
        yield group, values[raw].view(f"<u{size}")
    absent = np.isnan(values)
    greatest = np.iinfo(np.int64).max
    low = np.where(absent, greatest, integers).min(axis=1, initial=greatest)
    base = np.where(absent.all(axis=1), 0, low - 1)  # one below the least: code 0 stands for NaN
    codes = np.where(absent, 0, integers - base[:, None]).view(np.uint64)
    yield from _Codes(names, codes, base, floats=(scale, size)).groups(scale != 0.0)


def _decimal(
    wide: NDArray[np.float64], values: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Per column the least scale that makes every value an integer exactly (0.0 for none), and the integers."""
    scale = np.zeros(len(wide))
    integers = np.zeros(wide.shape, np.int64)
    absent = np.isnan(wide)
    negative_zero = (wide == 0) & np.signbit(wide)
    for factor in _SCALES:
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = np.rint(wide * factor)
            back = (scaled / factor).astype(values.dtype)
            exact = absent | ((back == values) & (np.abs(scaled) < _EXACT) & ~negative_zero)
        fits = (scale == 0.0) & exact.all(axis=1)
        scale[fits] = factor
        integers[fits] = np.where(absent[fits], 0, scaled[fits]).astype(np.int64)
    return scale, integers


def _shuffled(matrix: NDArray[Any]) -> bytes:
    """Byte planes: all first bytes, then all second ones; the high ones are nearly constant."""
    width = matrix.dtype.itemsize
    if width == 1:
        return matrix.tobytes()
    return np.ascontiguousarray(matrix.reshape(-1).view(np.uint8).reshape(-1, width).T).tobytes()


def _unshuffled(data: bytes, group: _Group, rows: int, chosen: list[int]) -> NDArray[Any]:
    """The (chosen, rows) matrix of unsigned integers."""
    planes: NDArray[Any] = np.frombuffer(data, np.uint8).reshape(group.width, len(group.names), rows)
    if len(chosen) < len(group.names):
        planes = planes[:, chosen]
    if group.width == 1:
        only: NDArray[Any] = planes[0]
        return only
    matrix: NDArray[Any] = np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view(f"<u{group.width}")[..., 0]
    return matrix
