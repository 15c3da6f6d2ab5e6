"""Arrays put away until they are asked for: squeezed, in memory or in a file without a name, which is gone when nobody holds it any more."""

from __future__ import annotations

import os
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import zstandard

from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where an array lies."""

    at: int
    size: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class Shelf:
    """Takes arrays and gives them back as they were, to any thread."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: where the file is made, with the first array; None: all stays in memory.

        A folder of the data disk, not /tmp, which may be memory itself.
        """
        self._folder = folder
        self._lock = Lock()
        self._file: int | None = None
        self._held: list[bytes] = []
        self._end = 0

    def put(self, array: NDArray[Any]) -> Ticket:
        """Put an array away.

        Raises:
            StoreError: the disk is full, or the folder cannot be written.
        """
        contiguous = np.ascontiguousarray(array)
        data = zstandard.ZstdCompressor(level=LEVEL).compress(contiguous.view(np.uint8).reshape(-1).data)
        with self._lock:
            if self._folder is None:
                self._held.append(data)
                return Ticket(len(self._held) - 1, len(data), array.dtype, array.shape)
            try:
                at, self._end = self._end, self._end + len(data)
                _write(self._opened(self._folder), data, at)
            except OSError as error:
                raise StoreError(f"{self._folder}: the watch cannot put its past away: {error}") from error
        return Ticket(at, len(data), array.dtype, array.shape)

    def get(self, ticket: Ticket) -> NDArray[Any]:
        """The array of a ticket, to write into."""
        data = self._held[ticket.at] if self._file is None else _read(self._file, ticket)
        whole = bytearray(zstandard.ZstdDecompressor().decompress(data))
        return np.frombuffer(whole, ticket.dtype).reshape(ticket.shape)

    def _opened(self, folder: Path) -> int:
        """The file, which has no name from the beginning and goes with the shelf."""
        if self._file is None:
            self._file, name = tempfile.mkstemp(dir=folder)
            weakref.finalize(self, os.close, self._file)
            Path(name).unlink()
        return self._file


def _write(fileno: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(fileno, view, at)
        view, at = view[done:], at + done


def _read(fileno: int, ticket: Ticket) -> bytes:
    try:
        return os.pread(fileno, ticket.size, ticket.at)
    except OSError as error:
        raise StoreError(f"the watch cannot read what it put away: {error}") from error
